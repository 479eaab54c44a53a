#include "pulse/core/names.hpp"

#include <caf/event_based_actor.hpp>

#include "bench/draining.hpp"
#include "bench/scenario.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace pulse::bench {

namespace {

constexpr int workers = 2;

void remove_group(stage& at, const std::string& group) {
  at.raw().run({"XGROUP", "DESTROY", stream_key(full_stream), group});
}

values limit(stage& at) {
  at.raw().run({"XGROUP", "CREATE", stream_key(full_stream), "raw", "0"});
  at.begin();
  drain_with_hiredis(at.raw(), full_stream, "raw", events_of_stream(at));
  const auto time = at.end();
  remove_group(at, "raw");
  return {static_cast<double>(events_of_stream(at)) / time};
}

sink_options options(ack_mode ack) {
  sink_options result;
  result.name = "bench";
  result.streams = {full_stream};
  result.start = start_position::oldest();
  result.ack = ack;
  return result;
}

void wait_until_acked(pulse::sink& uut, size_t events) {
  while (must(uut.info()).acked < events)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

values finish(stage& at, pulse::sink& uut) {
  wait_until_acked(uut, events_of_stream(at));
  const auto time = at.end();
  must(uut.close());
  remove_group(at, "bench");
  return {static_cast<double>(events_of_stream(at)) / time};
}

// The behaviors of workers.
caf::behavior returns(caf::event_based_actor*, const sink_actor&) {
  return {[](const event&) {}};
}

caf::behavior acks_by_message(caf::event_based_actor* self,
                              const sink_actor& from) {
  return {[=](const event& x) { self->send(from, atom::ack_v, x.delivery()); }};
}

// The message that an actor sends to itself arrives behind the events that are
// in its mailbox, so that one message acknowledges all of these.
caf::behavior acks_many(caf::event_based_actor* self, const sink_actor& from) {
  auto done = std::make_shared<std::vector<delivery_id>>();
  return {[=](const event& x) {
            if (done->empty())
              self->send(self, caf::ok_atom_v);
            done->push_back(x.delivery());
          },
          [=](caf::ok_atom) {
            self->send(from, atom::ack_v, std::exchange(*done, {}));
          }};
}

caf::behavior returns_batches(caf::event_based_actor*, const sink_actor&) {
  return {[](const event_batch&) {}};
}

using worker = caf::behavior (*)(caf::event_based_actor*, const sink_actor&);

values by_actors(stage& at, ack_mode ack, subscription how, worker what) {
  node here{at};
  auto uut = must(here.pulse().sink(options(ack)));
  std::vector<caf::actor> all;
  for (int i = 0; i < workers; ++i)
    all.push_back(here.system().spawn(what, uut.handle()));
  at.begin();
  for (const auto& x : all)
    must(uut.subscribe(x, how));
  auto result = finish(at, uut);
  for (const auto& x : all)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return result;
}

values in_batches(stage& at) {
  node here{at};
  auto uut = must(here.pulse().sink(options(ack_mode::on_return)));
  batch_handler_options how;
  how.workers = workers;
  at.begin();
  auto handler = must(uut.handle_batches([](const event_batch&) {}, how));
  return finish(at, uut);
}

values by_inbox(stage& at) {
  node here{at};
  auto uut = must(here.pulse().sink(options(ack_mode::on_return)));
  at.begin();
  auto inbox = must(uut.inbox({512}));
  for (size_t left = events_of_stream(at); left > 0;) {
    const auto xs = must(inbox.get(256, std::chrono::seconds{5}));
    for (const auto& x : xs)
      x.ack();
    left -= std::min(left, xs.size());
  }
  return finish(at, uut);
}

scenario sink(std::string name, std::string about,
              std::function<values(stage&)> library) {
  return {std::move(name),
          std::move(about),
          {{"events/s"}},
          fill_stream,
          limit,
          std::move(library),
          {}};
}

scenario by_return(uint32_t credit) {
  const auto n = std::to_string(credit);
  return sink("sink-" + n, "a sink, ack by return, 2 workers, credit " + n,
              [credit](stage& at) {
                return by_actors(at, ack_mode::on_return, {credit}, returns);
              });
}

} // namespace

std::vector<scenario> sink_scenarios() {
  return {
    by_return(8),
    by_return(64),
    by_return(256),
    sink("sink-manual", "a sink, acks by message, 2 workers, credit 256",
         [](stage& at) {
           return by_actors(at, ack_mode::manual, {256}, acks_by_message);
         }),
    sink("sink-manual-many", "the same, one message acknowledges many events",
         [](stage& at) {
           return by_actors(at, ack_mode::manual, {256}, acks_many);
         }),
    sink("sink-batches", "a sink, 2 handlers for batches of up to 100",
         in_batches),
    sink(
      "sink-batch-actors",
      "a sink, 2 actors that return from batches of up to 100",
      [](stage& at) {
        return by_actors(at, ack_mode::on_return, {200, 100}, returns_batches);
      }),
    sink("sink-inbox", "a sink, a thread that takes up to 256, credit 512",
         by_inbox)};
}

} // namespace pulse::bench
