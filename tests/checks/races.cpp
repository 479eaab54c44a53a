// Two actors that change the same number. Shows that TSan finds
// the race between them, and that it sees no race if a message hands the number
// over (see tests/tsan/caf_order.cpp).
//
//     pulse-races race | message

#include <caf/all.hpp>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace {

using number = std::shared_ptr<int>;

constexpr int rounds = 1'000;

caf::behavior counter(const number& x) {
  return {[=](caf::tick_atom) { ++*x; }};
}

// Both count at the same time.
void race(caf::actor_system& sys) {
  auto x = std::make_shared<int>();
  const auto first = sys.spawn<caf::detached>(counter, x);
  const auto second = sys.spawn<caf::detached>(counter, x);
  for (int i = 0; i < rounds; ++i) {
    caf::anon_send(first, caf::tick_atom_v);
    caf::anon_send(second, caf::tick_atom_v);
  }
}

caf::behavior player(caf::event_based_actor* self, const number& x) {
  return {[=](caf::tick_atom, const caf::actor& other) {
    if (++*x >= rounds)
      self->quit();
    self->send(other, caf::tick_atom_v, caf::actor{self});
  }};
}

// Each counts when it gets the message of the other one.
void message(caf::actor_system& sys) {
  auto x = std::make_shared<int>();
  const auto first = sys.spawn<caf::detached>(player, x);
  const auto second = sys.spawn(player, x); // on any thread of the pool
  caf::anon_send(first, caf::tick_atom_v, second);
}

} // namespace

int main(int argc, char** argv) {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "race")
    race(sys);
  else if (what == "message")
    message(sys);
  else
    return EXIT_FAILURE;
}
