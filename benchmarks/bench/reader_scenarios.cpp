#include "pulse/core/names.hpp"

#include <caf/event_based_actor.hpp>

#include "bench/scenario.hpp"

#include <atomic>
#include <future>
#include <memory>

namespace pulse::bench {

namespace {

constexpr auto stream_name = "bench";
constexpr size_t default_events = 200'000;

size_t events_of(const stage& at) {
  return at.how().events(default_events);
}

void fill(stage& at) {
  at.raw().fill(stream_name, events_of(at), at.how().payload);
}

values limit(stage& at) {
  const auto key = stream_key(stream_name);
  std::string last = "0-0";
  at.begin();
  for (size_t seen = 0; seen < events_of(at);) {
    const auto reply
      = at.raw().run({"XREAD", "COUNT", "1000", "STREAMS", key, last});
    const auto& entries = *reply->element[0]->element[1];
    seen += entries.elements;
    last = entries.element[entries.elements - 1]->element[0]->str;
  }
  return {static_cast<double>(events_of(at)) / at.end()};
}

values library(stage& at) {
  node here{at};
  reader_options options;
  options.streams = {stream_name};
  options.start = start_position::oldest();
  auto uut = must(here.pulse().reader(options));
  std::promise<void> done;
  auto counter = [&done, missing = events_of(at)](
                   caf::event_based_actor*) mutable -> caf::behavior {
    return {[&done, missing](const event&) mutable {
      if (--missing == 0)
        done.set_value();
    }};
  };
  auto subscriber = here.system().spawn(counter);
  at.begin();
  must(uut.subscribe(subscriber));
  done.get_future().wait();
  const auto time = at.end();
  must(uut.close());
  caf::anon_send_exit(subscriber, caf::exit_reason::user_shutdown);
  return {static_cast<double>(events_of(at)) / time};
}

} // namespace

std::vector<scenario> reader_scenarios() {
  return {{"reader",
           "a reader of old events, one subscriber",
           {{"events/s"}},
           fill,
           limit,
           library}};
}

} // namespace pulse::bench
