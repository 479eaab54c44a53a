#pragma once

// What all examples share: a node that is connected to a Redis for examples.

#include <caf/all.hpp>

#include <pulse/all.hpp>
#include <pulse/testing/demo_redis.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

namespace example {

/// @returns the value of a result. Prints the error and ends the program if
/// there is none.
template <class T>
T must(caf::expected<T> x) {
  if (!x) {
    std::cerr << pulse::describe(x.error()) << '\n';
    std::exit(EXIT_FAILURE);
  }
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

inline pulse::demo_redis redis_or_exit() {
  auto result = pulse::find_or_start_redis();
  if (!result) {
    std::cerr << to_string(result.error()) << '\n';
    std::exit(EXIT_FAILURE);
  }
  return std::move(*result);
}

/// One node: CAF, and the library on top of it.
struct node {
  pulse::demo_redis redis = redis_or_exit();
  pulse::config cfg;
  caf::actor_system sys{cfg};
  pulse::system pulse = must(pulse::system::connect(sys, redis.url));
};

/// Prints each event with `label`, and ends after `count` events.
inline caf::behavior printer(caf::event_based_actor* self, std::string label,
                             int count) {
  return {
    [=, left = count](const pulse::event& x) mutable {
      std::cout << label + ": " + std::string{x.stream()} + " "
                     + std::string{x.name()} + " " + std::string{x.payload()}
                     + "\n"
                << std::flush;
      if (--left == 0)
        self->quit();
    },
  };
}

/// Blocks until all actors have ended.
template <class... Ts>
void wait_for(caf::actor_system& sys, const Ts&... actors) {
  caf::scoped_actor self{sys};
  self->wait_for(actors...);
}

} // namespace example
