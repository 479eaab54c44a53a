#include "pulse/core/names.hpp"

#include <caf/event_based_actor.hpp>

#include "bench/draining.hpp"
#include "bench/scenario.hpp"

#include <atomic>
#include <future>
#include <memory>

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

values library(stage& at) {
  node here{at};
  reader_options options;
  options.streams = {full_stream};
  options.start = start_position::oldest();
  auto uut = must(here.pulse().reader(options));
  std::promise<void> done;
  auto counter = [&done, missing = events_of_stream(at)](
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
  return {static_cast<double>(events_of_stream(at)) / time};
}

} // namespace

std::vector<scenario> reader_scenarios() {
  return {{"reader",
           "a reader of old events, one subscriber",
           {{"events/s"}},
           fill_stream,
           limit,
           library}};
}

} // namespace pulse::bench
