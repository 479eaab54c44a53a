#include "simulation/world/run.hpp"

#include "pulse/core/names.hpp"

#include "simulation/node/node.hpp"
#include "simulation/world/scheduler.hpp"

#include <algorithm>

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

// A run: opens what was planned, lets faults happen, ends them, and waits until
// everything is settled.
class course {
public:
  course(const plan& what, const run_options& how)
    : plan_(what), all_(what.seed), nodes_(what.places) {
    all_.log.keep = how.keep;
    all_.log.print = how.print;
    all_.net.longest_delay = what.longest_delay;
    for (size_t i = 0; i < what.producers.size(); ++i)
      added_.push_back(std::make_shared<uint32_t>(0));
    for (const auto& sink : what.sinks)
      for (const auto& stream : sink.options.streams)
        all_.rules.groups.watch(stream, sink.options.name);
  }

  run_result run() {
    const auto start = all_.now;
    for (uint32_t place = 0; place < plan_.places; ++place)
      open_node(place);
    plan_faults();
    run_until(start + plan_.active, [this] { return all_.is_calm; });
    run_until(start + plan_.active + plan_.patience,
              [this] { return is_settled(); });
    if (is_good() && !is_settled())
      all_.rules.found.add("unsettled", what_is_open());
    close_sinks();
    if (is_good())
      all_.rules.adds.judge();
    run_result result;
    result.seed = plan_.seed;
    result.found = all_.rules.found.all();
    result.digest = all_.log.digest();
    result.steps = all_.log.steps();
    result.time = std::chrono::duration_cast<milliseconds>(all_.now - start);
    result.last_steps = all_.log.last();
    return result;
  }

private:
  [[nodiscard]] bool is_good() const {
    return all_.rules.found.empty();
  }

  // -- nodes ------------------------------------------------------------------

  void open_node(uint32_t place) {
    nodes_[place] = std::make_unique<node>(all_, plan_);
    auto& here = *nodes_[place];
    for (const auto& x : plan_.sinks)
      if (std::find(x.places.begin(), x.places.end(), place) != x.places.end())
        here.open_sink(x);
    for (const auto& x : plan_.readers)
      if (x.place == place)
        here.open_reader(x);
    for (size_t i = 0; i < plan_.producers.size(); ++i)
      if (plan_.producers[i].place == place)
        here.open_producer(plan_.producers[i], added_[i]);
  }

  // -- faults -----------------------------------------------------------------

  void plan_faults() {
    auto calm = plan_.active;
    for (const auto& x : plan_.faults) {
      all_.later(x.at, [this, x] { begin(x); });
      calm = std::max(calm, x.at + x.length + 1ms);
    }
    all_.later(calm, [this] {
      all_.log.note("calm", 0);
      all_.is_calm = true;
    });
  }

  void begin(const fault_plan& x) {
    all_.log.note("fault", x.place, to_string(x.kind));
    auto& at = nodes_[x.place];
    switch (x.kind) {
      case fault_kind::stop_server:
        if (all_.net.server_is_away)
          return;
        all_.redis.stop();
        return end_later(x, [this] { all_.redis.start(); });
      case fault_kind::flush_scripts:
        all_.redis.run_for_operator({"SCRIPT", "FLUSH"});
        return;
      case fault_kind::destroy_group:
        return destroy_a_group();
      case fault_kind::delete_consumer:
        return delete_a_consumer();
      default:
        if (at && !at->is_paused)
          begin_at(x, *at);
    }
  }

  void begin_at(const fault_plan& x, node& at) {
    const auto number = at.number();
    switch (x.kind) {
      case fault_kind::cut_link:
        if (const auto links = all_.net.links_of(number); !links.empty())
          all_.net.cut(links[all_.random.below(links.size())],
                       all_.random.one_in(2));
        return;
      case fault_kind::mute_link:
        if (const auto links = all_.net.links_of(number); !links.empty()) {
          const auto link = links[all_.random.below(links.size())];
          all_.net.mute(link);
          end_later(x, [this, link] { all_.net.unmute(link); });
        }
        return;
      case fault_kind::swap_worker:
        if (at.sinks() > 0)
          at.swap_worker(all_.random.below(at.sinks()));
        return;
      case fault_kind::black_hole:
        all_.net.hold(number);
        return end_later(x, [this, number] { all_.net.release(number); });
      case fault_kind::kill_node:
        all_.net.abandon(number, all_.random.one_in(2));
        nodes_[x.place] = nullptr;
        return end_later(x, [this, place = x.place] { open_node(place); });
      case fault_kind::pause_node:
      case fault_kind::suspend_node:
        return pause(x, at);
      default:
        return close_one_sink(x, at);
    }
  }

  void end_later(const fault_plan& x, std::function<void()> end) {
    all_.later(x.length, [this, x, end = std::move(end)] {
      all_.log.note("end", x.place, to_string(x.kind));
      end();
    });
  }

  void destroy_a_group() {
    const auto& sink = plan_.sinks[all_.random.below(plan_.sinks.size())];
    const auto& streams = sink.options.streams;
    const auto& stream = streams[all_.random.below(streams.size())];
    all_.rules.groups.forget(stream, sink.options.name);
    all_.redis.run_for_operator(
      {"XGROUP", "DESTROY", stream_key(stream), sink.options.name});
  }

  void delete_a_consumer() {
    const auto& sink = plan_.sinks[all_.random.below(plan_.sinks.size())];
    const auto& streams = sink.options.streams;
    const auto& stream = streams[all_.random.below(streams.size())];
    const auto consumers = all_.rules.groups.consumers_of(stream,
                                                          sink.options.name);
    if (consumers.empty())
      return;
    const auto& consumer = consumers[all_.random.below(consumers.size())];
    all_.rules.groups.forget_consumer(stream, sink.options.name, consumer);
    all_.redis.run_for_operator({"XGROUP", "DELCONSUMER", stream_key(stream),
                                 sink.options.name, consumer});
  }

  // An event that is on its way to a worker when the node stops reaches the
  // worker after the pause, whoever has claimed the event meanwhile. No sink
  // can prevent that, so there is nothing to judge: the workers get these
  // events before the pause.
  void pause(const fault_plan& x, node& at) {
    at.run_workers();
    at.is_paused = true;
    end_later(x, [this, x, since = all_.now] {
      auto& here = *nodes_[x.place];
      here.is_paused = false;
      if (x.kind == fault_kind::suspend_node)
        here.sleep(all_.now - since);
      here.update_clock();
    });
  }

  void close_one_sink(const fault_plan& x, node& at) {
    if (at.sinks() == 0)
      return;
    at.close_sink(all_.random.below(at.sinks()),
                  [this, x, number = at.number()](const sink_plan& what) {
                    end_later(x, [this, x, number, what] {
                      auto& here = nodes_[x.place];
                      if (here && here->number() == number)
                        here->open_sink(what);
                    });
                  });
  }

  // -- the end ----------------------------------------------------------------

  [[nodiscard]] std::string what_is_open() const {
    for (size_t i = 0; i < added_.size(); ++i)
      if (*added_[i] < plan_.producers[i].events)
        return "producer " + std::to_string(i) + " has not added all events";
    return all_.rules.unfinished();
  }

  [[nodiscard]] bool is_settled() const {
    return all_.is_calm && what_is_open().empty();
  }

  // Looks at the condition every 50 ms of the run's time.
  template <class Condition>
  void run_until(time_point end, Condition is_over) {
    scheduler steps{all_, nodes_};
    auto next_look = all_.now;
    while (is_good() && all_.now < end) {
      if (all_.now >= next_look) {
        if (is_over())
          return;
        next_look = all_.now + 50ms;
      }
      if (!steps.step())
        return;
    }
  }

  // Closing must end in time, also when all is done.
  void close_sinks() {
    if (!is_good())
      return;
    auto longest = 0ms;
    for (const auto& x : plan_.sinks)
      longest = std::max(longest, x.options.drain_timeout);
    for (auto& x : nodes_)
      for (size_t i = 0; x && i < x->sinks(); ++i)
        x->close_sink(i, [](const sink_plan&) {});
    run_until(all_.now + longest + 100ms,
              [this] { return all_.rules.requests.empty(); });
    if (is_good() && !all_.rules.requests.empty())
      all_.rules.found.add("unsettled", all_.rules.unfinished());
  }

  plan plan_;
  world all_;
  std::vector<std::unique_ptr<node>> nodes_;
  // How many events each producer has added.
  std::vector<std::shared_ptr<uint32_t>> added_;
};

} // namespace

run_result run(const plan& what, const run_options& how) {
  return course{what, how}.run();
}

} // namespace pulse::simulation
