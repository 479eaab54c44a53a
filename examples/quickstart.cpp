// The shortest whole program: add an event, process it, acknowledge it.
// It is the code in the README.

// --(quickstart-begin)--
#include <pulse/all.hpp>
#include <pulse/testing/demo_redis.hpp>

#include <iostream>
#include <thread>

int main() {
  auto redis = pulse::find_or_start_redis(); // PULSE_REDIS_URL or a private one
  if (!redis)
    return std::cerr << to_string(redis.error()) << '\n', 1;
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto pulse = pulse::system::connect(sys, redis->url);
  if (!pulse)
    return std::cerr << pulse::describe(pulse.error()) << '\n', 1;
  auto orders = pulse->stream("orders");
  auto added = orders->add("order_placed", R"({"item": "tea", "amount": 2})");
  if (!added)
    return std::cerr << pulse::describe(added.error()) << '\n', 1;
  pulse::sink_options options;
  options.name = "billing"; // nodes with the same name share the work
  options.streams = {"orders"};
  options.start = pulse::start_position::oldest();
  auto sink = pulse->sink(options);
  auto handler = sink->handle([](const pulse::event& order) { // own thread
    std::cout << order.id().ms << ": " << order.payload() << std::endl;
  }); // returning acknowledges the event; an exception: it comes again later
  if (!handler)
    return std::cerr << pulse::describe(handler.error()) << '\n', 1;
  while (sink->info()->acked < 1) // one event is enough here
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
}
// --(quickstart-end)--
