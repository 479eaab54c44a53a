#include "pulse/core/names.hpp"

#include <caf/event_based_actor.hpp>

#include "bench/adding.hpp"
#include "bench/draining.hpp"
#include "bench/scenario.hpp"

#include <atomic>
#include <thread>

namespace pulse::bench {

namespace {

constexpr auto stream_name = "bench";
constexpr size_t open_adds = 64;
constexpr uint32_t credit = 64;

void make_group(stage& at) {
  at.raw().run(
    {"XGROUP", "CREATE", stream_key(stream_name), "raw", "$", "MKSTREAM"});
}

// One thread adds, another one reads and acknowledges.
values limit(stage& at) {
  make_group(at);
  std::atomic<size_t> added{0};
  std::atomic<bool> ended{false};
  at.begin();
  std::thread producer{[&] {
    raw_client mine{at.url()};
    added = add_with_hiredis(mine, at.how(), stream_name, open_adds);
    ended = true;
  }};
  raw_client consumer{at.url()};
  size_t seen = 0;
  while (!ended || seen < added) {
    const auto reply
      = consumer.run({"XREADGROUP", "GROUP", "raw", "me", "COUNT", "1000",
                      "BLOCK", "10", "STREAMS", stream_key(stream_name), ">"});
    if (reply->type != REDIS_REPLY_ARRAY)
      continue;
    const auto& entries = *reply->element[0]->element[1];
    consumer.append_formatted(ack_command(stream_name, "raw", entries));
    consumer.read();
    seen += entries.elements;
  }
  producer.join();
  return {static_cast<double>(seen) / at.end()};
}

values library(stage& at) {
  node here{at};
  auto stream = must(here.pulse().stream(stream_name));
  sink_options options;
  options.name = "bench";
  options.streams = {stream_name};
  options.credit = credit;
  auto sink = must(here.pulse().sink(options));
  auto worker = [](caf::event_based_actor*) -> caf::behavior {
    return {[](const event&) {}};
  };
  const caf::actor workers[] = {here.system().spawn(worker),
                                here.system().spawn(worker)};
  for (const auto& x : workers)
    must(sink.subscribe(x));
  at.begin();
  const auto added = add_with_library(here, at.how(), {stream.handle()},
                                      {open_adds});
  while (must(sink.info()).acked < added)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  const auto time = at.end();
  must(sink.close());
  for (const auto& x : workers)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return {static_cast<double>(added) / time};
}

} // namespace

std::vector<scenario> together_scenarios() {
  return {{"together",
           "adds (64 open), a sink and its acks at the same time",
           {{"events/s"}},
           nullptr,
           limit,
           library}};
}

} // namespace pulse::bench
