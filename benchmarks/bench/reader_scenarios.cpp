#include "pulse/core/names.hpp"

#include <caf/event_based_actor.hpp>

#include "bench/draining.hpp"
#include "bench/scenario.hpp"

#include <future>
#include <string>
#include <utility>

namespace pulse::bench {

namespace {

values limit(stage& at) {
  const auto key = stream_key(full_stream);
  std::string last = "0-0";
  at.begin();
  for (size_t seen = 0; seen < events_of_stream(at);) {
    const auto reply
      = at.raw().run({"XREAD", "COUNT", "1000", "STREAMS", key, last});
    const auto& entries = *reply->element[0]->element[1];
    seen += entries.elements;
    last = entries.element[entries.elements - 1]->element[0]->str;
  }
  return {static_cast<double>(events_of_stream(at)) / at.end()};
}

// Counts down the events that come, one by one or in batches.
class countdown {
public:
  explicit countdown(size_t events) : missing_(events) {
    // nop
  }

  caf::behavior operator()(caf::event_based_actor*) {
    return {[this](const event&) { count(1); },
            [this](const event_batch& xs) { count(xs.size()); }};
  }

  void wait() {
    done_.get_future().wait();
  }

private:
  void count(size_t events) {
    missing_ -= events;
    if (missing_ == 0)
      done_.set_value();
  }

  size_t missing_;
  std::promise<void> done_;
};

values drain(stage& at, subscription how) {
  node here{at};
  reader_options options;
  options.streams = {full_stream};
  options.start = start_position::oldest();
  auto uut = must(here.pulse().reader(options));
  countdown missing{events_of_stream(at)};
  auto subscriber = here.system().spawn(
    [&missing](caf::event_based_actor* self) { return missing(self); });
  at.begin();
  must(uut.subscribe(subscriber, how));
  missing.wait();
  const auto time = at.end();
  must(uut.close());
  caf::anon_send_exit(subscriber, caf::exit_reason::user_shutdown);
  return {static_cast<double>(events_of_stream(at)) / time};
}

scenario reader(std::string name, std::string about, subscription how) {
  return {std::move(name),
          std::move(about),
          {{"events/s"}},
          fill_stream,
          limit,
          [how](stage& at) { return drain(at, how); },
          {}};
}

} // namespace

std::vector<scenario> reader_scenarios() {
  return {reader("reader", "a reader of old events, one subscriber", {}),
          reader("reader-batches", "the same in batches of up to 1000",
                 {0, 1'000})};
}

} // namespace pulse::bench
