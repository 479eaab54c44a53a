#include "simulation/world/plan.hpp"

#include "simulation/world/dice.hpp"

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

milliseconds between(dice& random, milliseconds low, milliseconds high) {
  return std::chrono::duration_cast<milliseconds>(random.between(
    std::chrono::microseconds{low}, std::chrono::microseconds{high}));
}

sink_plan make_sink(dice& random, const plan& of, const std::string& name) {
  sink_plan result;
  auto& x = result.options;
  x.name = name;
  x.start = start_position::oldest();
  for (const auto& stream : of.streams)
    if (x.streams.empty() || random.one_in(2))
      x.streams.push_back(stream);
  x.lease = between(random, 1s, 4s);
  x.ack_wait = between(random, 500ms, 4s);
  x.sweep_interval = between(random, 200ms, 1s);
  x.drain_timeout = between(random, 1s, 3s);
  x.max_deliveries = random.between(3, 8);
  x.max_crashes = random.between(2, 4);
  x.backoff = {between(random, 50ms, 300ms), between(random, 100ms, 1s)};
  x.max_in_flight = random.between(2, 30);
  x.credit = random.between(1, 6);
  if (random.one_in(3))
    x.dispatch = dispatch_mode::keyed;
  if (random.one_in(3))
    x.ack = ack_mode::manual;
  result.workers = random.between(1, 3);
  result.max_batch = random.between(2, 6);
  for (uint32_t place = 0; place < of.places; ++place)
    if (result.places.empty() || random.one_in(2))
      result.places.push_back(place);
  return result;
}

void add_faults(dice& random, plan& to) {
  for (auto n = random.between(1, 6); n > 0; --n) {
    fault_plan x;
    x.kind = static_cast<fault_kind>(
      random.below(static_cast<size_t>(fault_kind::count)));
    x.at = between(random, 0ms, to.active);
    x.length = between(random, 10ms, random.one_in(3) ? 8s : 2s);
    x.place = random.below(to.places);
    to.faults.push_back(x);
  }
}

// The list of the events that a sink holds vanishes. That is no loss while the
// sink lives and reaches Redis.
void add_deletions(dice& random, plan& to) {
  to.faults.clear();
  for (auto n = random.between(2, 6); n > 0; --n) {
    fault_plan x;
    x.kind = random.one_in(3)   ? fault_kind::swap_worker
             : random.one_in(8) ? fault_kind::flush_scripts
                                : fault_kind::delete_consumer;
    x.at = between(random, 0ms, to.active);
    x.place = random.below(to.places);
    to.faults.push_back(x);
  }
}

} // namespace

plan make_plan(uint64_t seed, const plan_limits& limits) {
  dice random{seed};
  plan result;
  result.seed = seed;
  result.places = random.between(1, 3);
  result.streams = {"s"};
  if (random.one_in(3))
    result.streams.emplace_back("t");
  result.sinks.push_back(make_sink(random, result, "x"));
  if (random.one_in(3))
    result.sinks.push_back(make_sink(random, result, "y"));
  for (auto n = random.between(0, 2); n > 0; --n) {
    reader_plan x;
    x.options.streams = {result.streams[random.below(result.streams.size())]};
    x.options.start = start_position::oldest();
    x.options.buffer = random.between(1, 20);
    x.options.max_batch = random.between(1, 20);
    x.place = random.below(result.places);
    result.readers.push_back(x);
  }
  for (const auto& stream : result.streams)
    result.producers.push_back({stream, random.below(result.places),
                                random.between(5, 40),
                                between(random, 10ms, 300ms)});
  result.redis.connect_timeout = between(random, 200ms, 2s);
  result.redis.command_timeout = between(random, 300ms, 3s);
  result.longest_delay = random.between(100us, 5'000us);
  if (limits.misbehaviour)
    result.workers = {random.between(0, 8), random.one_in(2) ? 30u : 0u,
                      random.one_in(2) ? 20u : 0u, random.one_in(2) ? 25u : 0u,
                      between(random, 1ms, 100ms)};
  if (limits.faults)
    add_faults(random, result);
  if (limits.faults && seed % 8 == 5)
    add_deletions(random, result);
  return result;
}

std::string to_string(fault_kind x) {
  static constexpr const char* names[]
    = {"cut a link",      "black hole",     "kill a node",
       "pause a node",    "suspend a node", "stop the server",
       "flush scripts",   "close a sink",   "mute a link",
       "destroy a group", "swap a worker",  "delete a consumer"};
  return names[static_cast<size_t>(x)];
}

} // namespace pulse::simulation
