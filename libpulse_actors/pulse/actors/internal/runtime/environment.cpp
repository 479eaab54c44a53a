#include "pulse/actors/internal/runtime/environment.hpp"

#include "pulse/core/names.hpp"

#include <unistd.h>

#include <ctime>
#include <random>

namespace pulse::internal {

namespace {

std::chrono::nanoseconds time_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec}
         + std::chrono::nanoseconds{now.tv_nsec};
}

uint64_t bits_of_the_machine() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

std::string host_name() {
  char host[256] = "unknown";
  ::gethostname(host, sizeof(host) - 1);
  return host;
}

} // namespace

environment::environment()
  : boot_time(time_since_boot),
    wall_clock(std::chrono::system_clock::now),
    random_bits(bits_of_the_machine),
    host(host_name()),
    process_id(::getpid()) {
  // nop
}

random_engine environment::new_engine() const {
  return random_engine{static_cast<random_engine::result_type>(random_bits())};
}

std::chrono::milliseconds environment::unix_time() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(wall_clock().time_since_epoch());
}

std::string environment::new_consumer_name() const {
  const auto high = random_bits();
  const auto low = random_bits();
  return consumer_name(host, process_id,
                       static_cast<uint64_t>(unix_time().count()), high, low);
}

} // namespace pulse::internal
