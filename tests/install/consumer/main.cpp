// A user's program: adds an event to a private Redis through the installed
// library, and reads it back.

#include <pulse/all.hpp>
#include <pulse/testing/local_redis.hpp>

#include <iostream>

int main() {
  auto redis = pulse::local_redis::start();
  if (!redis) {
    std::cerr << to_string(redis.error()) << '\n';
    return 1;
  }
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto pulse = pulse::system::connect(sys, redis->url());
  if (!pulse) {
    std::cerr << pulse::describe(pulse.error()) << '\n';
    return 1;
  }
  auto stream = pulse->stream("orders");
  auto id = stream->add("order_placed", "tea");
  auto events = stream->range();
  if (!id || !events || events->size() != 1) {
    std::cerr << "the event was not stored\n";
    return 1;
  }
  std::cout << to_string(events->front()) << '\n';
}
