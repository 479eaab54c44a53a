// Leaks on purpose, in a function that is named as what tests/lsan.supp is
// there for. Ends with 0 only if LSan read that file and matched the name.

#include <cstdlib>

namespace caf::io {

[[gnu::noinline]] void basp_broker_loses_a_heartbeat() {
  void* volatile memory = std::malloc(64);
  if (memory == nullptr)
    std::abort();
  memory = nullptr;
}

} // namespace caf::io

int main() {
  caf::io::basp_broker_loses_a_heartbeat();
}
