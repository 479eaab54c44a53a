#include "pulse/core/names.hpp"

#include <caf/event_based_actor.hpp>

#include "bench/draining.hpp"
#include "bench/scenario.hpp"
#include "bench/statistics.hpp"

#include <future>
#include <memory>
#include <thread>

namespace pulse::bench {

namespace {

constexpr auto stream_name = "bench";

/// How often an event is added, and how many in all.
struct pace {
  /// How long to wait after an event was received; 0: the next one is added at
  /// once.
  std::chrono::milliseconds pause{0};
  size_t events = 0;
};

double microseconds(clock_type::duration x) {
  return std::chrono::duration<double, std::micro>(x).count();
}

values result_of(const std::vector<double>& times) {
  return {quantile(times, 0.5), quantile(times, 0.99)};
}

// One thread waits in XREADGROUP on one connection while it adds on another
// one, so no thread has to wake another.
values limit(stage& at, pace how) {
  const auto key = stream_key(stream_name);
  at.raw().run({"XGROUP", "CREATE", key, "raw", "$", "MKSTREAM"});
  const auto add = add_command(stream_name, at.how().payload);
  raw_client consumer{at.url()};
  std::vector<double> times;
  at.begin();
  for (size_t i = 0; i < how.events; ++i) {
    consumer.append({"XREADGROUP", "GROUP", "raw", "me", "COUNT", "100",
                     "BLOCK", "10000", "STREAMS", key, ">"});
    consumer.flush();
    std::this_thread::sleep_for(how.pause);
    const auto begin = clock_type::now();
    at.raw().append_formatted(add);
    at.raw().flush();
    const auto reply = consumer.read();
    times.push_back(microseconds(clock_type::now() - begin));
    at.raw().read();
    consumer.append_formatted(
      ack_command(stream_name, "raw", *reply->element[0]->element[1]));
    consumer.read();
  }
  at.end();
  return result_of(times);
}

// Adds the next event when it has received the one before.
class echo : public caf::event_based_actor {
public:
  echo(caf::actor_config& cfg, stream_actor to, size_t payload, pace how,
       std::promise<std::vector<double>>* done)
    : caf::event_based_actor(cfg),
      to_(std::move(to)),
      payload_(payload, 'x'),
      how_(how),
      done_(done) {
    // nop
  }

  caf::behavior make_behavior() override {
    return {
      [this](caf::tick_atom) { add(); },
      [this](const event&) { on_event(); },
    };
  }

private:
  void add() {
    begin_ = clock_type::now();
    request(to_, caf::infinite, caf::add_atom_v,
            new_event{"added", payload_, {}})
      .then([](event_id) {}, [this](caf::error& err) { quit(std::move(err)); });
  }

  void on_event() {
    times_.push_back(microseconds(clock_type::now() - begin_));
    if (times_.size() == how_.events)
      done_->set_value(std::move(times_));
    else if (how_.pause.count() > 0)
      delayed_send(this, how_.pause, caf::tick_atom_v);
    else
      add();
  }

  stream_actor to_;
  std::string payload_;
  pace how_;
  std::promise<std::vector<double>>* done_;
  std::vector<double> times_;
  clock_type::time_point begin_;
};

template <class Source>
values measure(stage& at, node& here, Source& from, pace how) {
  auto stream = must(here.pulse().stream(stream_name));
  std::promise<std::vector<double>> done;
  auto self = here.system().spawn<echo>(stream.handle(), at.how().payload, how,
                                        &done);
  must(from.subscribe(self));
  at.begin();
  caf::anon_send(self, caf::tick_atom_v);
  const auto times = done.get_future().get();
  at.end();
  must(from.close());
  caf::anon_send_exit(self, caf::exit_reason::user_shutdown);
  return result_of(times);
}

values with_reader(stage& at, pace how) {
  node here{at};
  reader_options options;
  options.streams = {stream_name};
  auto uut = must(here.pulse().reader(options));
  return measure(at, here, uut, how);
}

values with_sink(stage& at, pace how) {
  node here{at};
  sink_options options;
  options.name = "bench";
  options.streams = {stream_name};
  auto uut = must(here.pulse().sink(options));
  return measure(at, here, uut, how);
}

scenario latency(std::string name, std::string about,
                 values (*library)(stage&, pace), bool is_paced) {
  auto how = [is_paced](const stage& at) {
    return is_paced
             ? pace{std::chrono::milliseconds{20}, at.how().events(100)}
             : pace{std::chrono::milliseconds{0}, at.how().events(2'000)};
  };
  return {std::move(name),
          std::move(about),
          {{"us, median", false}, {"us, p99", false}},
          nullptr,
          [how](stage& at) { return limit(at, how(at)); },
          [how, library](stage& at) { return library(at, how(at)); }};
}

} // namespace

std::vector<scenario> latency_scenarios() {
  return {latency("latency-sink",
                  "from the add to the worker of a sink, back "
                  "to back",
                  with_sink, false),
          latency("latency-reader",
                  "from the add to the subscriber of a "
                  "reader, back to back",
                  with_reader, false),
          latency("latency-sink-20ms",
                  "the same with a sink, one event each "
                  "20 ms",
                  with_sink, true),
          latency("latency-reader-20ms",
                  "the same with a reader, one event "
                  "each 20 ms",
                  with_reader, true)};
}

} // namespace pulse::bench
