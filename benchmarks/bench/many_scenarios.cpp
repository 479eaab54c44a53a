#include <caf/event_based_actor.hpp>

#include "bench/adding.hpp"
#include "bench/scenario.hpp"
#include "bench/statistics.hpp"

#include <atomic>
#include <thread>

namespace pulse::bench {

namespace {

constexpr auto stream_name = "bench";
constexpr size_t readers = 1'000;
constexpr size_t events_of_each = 1'000;
constexpr size_t idle_sinks = 100;
constexpr size_t stream_actors = 10'000;
constexpr size_t open_adds = 512;

double mib(size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

size_t grown(size_t before) {
  const auto now = resident_bytes();
  return now > before ? now - before : 0;
}

// -- many readers -------------------------------------------------------------

// Opens readers with a subscriber each, and measures from `add` on until all
// have received everything.
template <class F>
values read_by_many(stage& at, start_position start, F add) {
  const auto before = resident_bytes();
  const auto clients = at.raw().info("clients", "connected_clients");
  node here{at};
  std::atomic<size_t> received{0};
  auto counter = [&received](caf::event_based_actor*) -> caf::behavior {
    return {[&received](const event&) { ++received; }};
  };
  std::vector<pulse::reader> all;
  std::vector<caf::actor> subscribers;
  at.begin();
  for (size_t i = 0; i < readers; ++i) {
    reader_options options;
    options.streams = {stream_name};
    options.start = start;
    all.push_back(must(here.pulse().reader(options)));
    subscribers.push_back(here.system().spawn(counter));
    must(all.back().subscribe(subscribers.back()));
  }
  add();
  while (received < readers * events_of_each)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  const auto time = at.end();
  const auto connections = at.raw().info("clients", "connected_clients")
                           - clients;
  const auto memory = mib(grown(before));
  for (const auto& x : subscribers)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return {static_cast<double>(readers * events_of_each) / time, connections,
          memory};
}

void fill(stage& at) {
  at.raw().fill(stream_name, events_of_each, at.how().payload);
}

values old_events(stage& at) {
  return read_by_many(at, start_position::oldest(), [] {});
}

values new_events(stage& at) {
  return read_by_many(at, start_position::newest(), [&] {
    at.begin();
    fill(at);
  });
}

// -- idle sinks ---------------------------------------------------------------

values idle(stage& at) {
  const auto before = resident_bytes();
  const auto clients = at.raw().info("clients", "connected_clients");
  node here{at};
  std::vector<pulse::sink> sinks;
  std::vector<caf::actor> workers;
  for (size_t i = 0; i < idle_sinks; ++i) {
    sink_options options;
    options.name = "idle" + std::to_string(i);
    options.streams = {stream_name};
    sinks.push_back(must(here.pulse().sink(options)));
    workers.push_back(here.system().spawn([](caf::event_based_actor*) {
      return caf::behavior{[](const event&) {}};
    }));
    must(sinks.back().subscribe(workers.back()));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
  at.begin();
  std::this_thread::sleep_for(at.how().duration() * 2);
  at.end();
  for (const auto& x : workers)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return {100 * at.used().ours, 100 * at.used().redis,
          at.raw().info("clients", "connected_clients") - clients,
          mib(grown(before))};
}

// -- many streams -------------------------------------------------------------

values add_to(stage& at, size_t streams) {
  node here{at};
  const auto before = resident_bytes();
  std::vector<stream_actor> all;
  for (size_t i = 0; i < streams; ++i)
    all.push_back(must(here.pulse().stream("s" + std::to_string(i))).handle());
  const auto kib = static_cast<double>(grown(before)) / 1024;
  at.begin();
  const auto added = add_with_library(here, at.how(), all, {open_adds});
  return {static_cast<double>(added) / at.end(),
          kib / static_cast<double>(streams)};
}

// -- closing ------------------------------------------------------------------

values close_idle(stage& at) {
  node here{at};
  std::vector<double> times;
  at.begin();
  for (int i = 0; i < 20; ++i) {
    sink_options options;
    options.name = "closing";
    options.streams = {stream_name};
    auto uut = must(here.pulse().sink(options));
    auto worker = here.system().spawn([](caf::event_based_actor*) {
      return caf::behavior{[](const event&) {}};
    });
    must(uut.subscribe(worker));
    const auto begin = clock_type::now();
    must(uut.close());
    const std::chrono::duration<double, std::milli> time = clock_type::now()
                                                           - begin;
    times.push_back(time.count());
    caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  }
  at.end();
  return {median(times)};
}

} // namespace

std::vector<scenario> many_scenarios() {
  const std::vector<metric> of_readers
    = {{"deliveries/s"}, {"connections", false}, {"MiB", false}};
  return {{"readers-1000-old", "1000 readers of 1000 old events", of_readers,
           fill, nullptr, old_events},
          {"readers-1000-new", "1000 readers of 1000 new events", of_readers,
           nullptr, nullptr, new_events},
          {"idle-sinks",
           "100 sinks without events",
           {{"% of a core", false},
            {"% of a core, Redis", false},
            {"connections", false},
            {"MiB", false}},
           nullptr,
           nullptr,
           idle},
          {"stream-actors",
           "adds (512 open) by 10 000 stream actors",
           {{"events/s"}, {"KiB per stream actor", false, false}},
           nullptr,
           [](stage& at) { return add_to(at, 1); },
           [](stage& at) { return add_to(at, stream_actors); },
           "one stream actor"},
          {"close",
           "closing an idle sink",
           {{"ms", false}},
           nullptr,
           nullptr,
           close_idle}};
}

} // namespace pulse::bench
