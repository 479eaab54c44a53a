#include "pulse-demo/demo.hpp"

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/system.hpp"
#include "pulse/core/log.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/send.hpp>

#include "common/event_worker.hpp"
#include "pulse-demo/child_node.hpp"
#include "pulse-demo/feeder.hpp"
#include "pulse-demo/report.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>

namespace pulse::apps {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// As in config/demo.toml.
constexpr const char* stream_name = "lines";
constexpr const char* sink_name = "workers";

constexpr size_t nodes = 2;
constexpr auto start_deadline = 30s;
/// The demo fails if nothing changes for this time.
constexpr auto patience = 30s;

/// Why the demo ended early: a failure, or a signal.
struct ending {
  int status = 0;
  failure why;
};

class demo {
public:
  demo(const demo_options& options, stop_signals& signals,
       caf::actor_system& sys)
    : options_(options),
      signals_(signals),
      sys_(sys),
      report_(options.lines.size()),
      tally_(nodes) {
    // nop
  }

  ~demo() {
    // A worker keeps its thread until somebody ends it.
    if (counter_)
      caf::anon_send_exit(counter_, caf::exit_reason::user_shutdown);
  }

  int run() {
    const bool good = open() && start_nodes() && feed_and_kill() && finish();
    report_.end_progress();
    if (end_.status != 0 && end_.why.code != errc::none)
      report_.print(to_string(end_.why));
    if (end_.status > 128 || !good)
      return end_.status;
    return report_.summary(tally_, state_) ? 0 : 1;
  }

private:
  // -- the steps: each returns false if the demo is over ----------------------

  bool open() {
    auto server = local_redis::start();
    if (!server)
      return fail(server.error());
    server_ = std::make_unique<local_redis>(std::move(*server));
    report_.print("a private redis-server runs (pid "
                  + std::to_string(server_->pid()) + ")");
    auto redis = pulse::system::connect(sys_, server_->url());
    if (!redis)
      return fail(to_failure(redis.error()));
    redis_.emplace(std::move(*redis));
    auto stream = redis_->stream(stream_name);
    if (!stream)
      return fail(to_failure(stream.error()));
    stream_.emplace(std::move(*stream));
    reader_options how;
    how.name = "counter";
    how.streams = {stream_name};
    how.start = start_position::oldest();
    auto reader = redis_->reader(how);
    if (!reader)
      return fail(to_failure(reader.error()));
    counter_ = spawn_worker(sys_, [this](const event& x) -> status {
      tally_.read(std::string{x.topic()});
      return {};
    });
    if (auto result = reader->subscribe(counter_); !result)
      return fail(to_failure(result.error()));
    return true;
  }

  bool start_nodes() {
    for (size_t i = 0; i < nodes; ++i) {
      auto log = [this, i](const std::string& line) {
        report_.print("node-" + std::to_string(i + 1) + ": " + line);
      };
      auto child = child_node::start(i, options_.config, server_->url(), tally_,
                                     log);
      if (!child)
        return fail(child.error());
      children_.push_back(std::move(*child));
      report_.print(children_.back()->name() + " started (pid "
                    + std::to_string(children_.back()->pid()) + ")");
    }
    const auto deadline = clock::now() + start_deadline;
    do {
      if (!tick())
        return false;
      if (clock::now() > deadline)
        return fail({errc::timed_out, "the nodes did not get ready"});
    } while (state_.consumers < nodes);
    report_.print(
      "both nodes take events of the sink \"workers\"; adding lines");
    return true;
  }

  bool feed_and_kill() {
    feeder_.emplace(sys_, stream_->handle(), options_.lines, tally_);
    // If there are only two lines, Redis gives one to each waiting node.
    const auto total = options_.lines.size();
    const auto first = total - std::min(total, std::max<size_t>(total / 2, 2));
    const auto portion = std::max<size_t>((total - first) / 4, 2);
    feeder_->release(first);
    while (tally_.counts().delivered < first / 2)
      if (!tick(1ms))
        return false;
    // Redis still gives events to a node that is stopped in the middle of a
    // blocking read. If the node was between two reads, it gets no events; then
    // the demo lets it run for a moment and stops it again.
    auto& victim = *children_.back();
    for (;;) {
      victim.signal(SIGSTOP);
      feeder_->release(portion);
      if (!wait_for_others())
        return false;
      if (state_.pending > 0 || feeder_->held_back() == 0)
        break;
      victim.signal(SIGCONT);
      if (!tick(50ms))
        return false;
    }
    victim.signal(SIGKILL);
    victim.wait(10s);
    victim.drain();
    report_.print(victim.name() + " was killed (SIGKILL) while it held "
                  + std::to_string(state_.pending)
                  + (state_.pending == 1 ? " event; " : " events; ")
                  + children_.front()->name()
                  + " takes them over when the lease (2 s) has expired");
    feeder_->release(total);
    return true;
  }

  /// Waits until the other node has nothing to do. The stopped node holds all
  /// events that are still pending then.
  bool wait_for_others() {
    uint64_t before = 0;
    for (int quiet = 0; quiet < 5; ++quiet) {
      before = state_.pending + state_.acked;
      if (!tick(25ms))
        return false;
      const bool all_added = tally_.counts().added + feeder_->held_back()
                             >= options_.lines.size();
      if (!all_added || state_.lag > 0
          || state_.pending + state_.acked != before)
        quiet = -1;
    }
    return true;
  }

  bool finish() {
    while (!state_.finished || tally_.counts().missing() > 0
           || tally_.counts().read < tally_.counts().added)
      if (!tick())
        return false;
    report_.print("all events are acknowledged; stopping "
                  + children_.front()->name());
    auto& survivor = *children_.front();
    survivor.signal(SIGTERM);
    const int status = survivor.wait(10s);
    if (status != 0)
      return fail({errc::internal, survivor.name() + " ended with status "
                                     + std::to_string(status)
                                     + " after SIGTERM"});
    survivor.drain();
    return true;
  }

  // -- helpers ----------------------------------------------------------------

  bool fail(const failure& why) {
    end_ = {1, why};
    return false;
  }

  /// Waits for a moment, asks Redis for news, and shows the progress.
  /// @returns false if the demo is over.
  bool tick(std::chrono::milliseconds pause = 20ms) {
    if (const int signal = signals_.wait(nullptr, pause); signal != 0) {
      end_ = {128 + signal, {}};
      return false;
    }
    if (clock::now() - last_look_ > 20ms) {
      ask_redis();
      last_look_ = clock::now();
    }
    const auto counts = tally_.counts();
    report_.progress(counts, state_);
    if (feeder_ && feeder_->done() && !feeder_->error())
      return fail(feeder_->error().error());
    if (children_.size() == nodes && children_.front()->wait(0s) >= 0)
      return fail(
        {errc::internal, children_.front()->name() + " ended by itself"});
    const auto news = counts.added + counts.read + counts.by_node[0]
                      + counts.by_node[1] + state_.acked + state_.consumers;
    if (news != last_news_) {
      last_news_ = news;
      news_time_ = clock::now();
    }
    if (clock::now() - news_time_ > patience) {
      // The summary shows what is missing.
      report_.print("nothing has happened for 30 s, so the demo gives up");
      end_ = {1, {}};
      state_.finished = false;
      report_.summary(tally_, state_);
      return false;
    }
    return true;
  }

  void ask_redis() {
    auto info = stream_->info();
    if (!info)
      return;
    for (const auto& x : info->groups) {
      if (x.name != sink_name)
        continue;
      const auto lag = static_cast<uint64_t>(std::max<int64_t>(x.lag, 0));
      state_.consumers = x.consumers;
      state_.pending = x.pending;
      state_.lag = lag;
      state_.acked = info->added - std::min(info->added, lag + x.pending);
      state_.finished = feeder_ && feeder_->done() && x.lag == 0
                        && x.pending == 0
                        && info->added == options_.lines.size();
    }
  }

  const demo_options& options_;
  stop_signals& signals_;
  caf::actor_system& sys_;
  report report_;
  tally tally_;
  sink_state state_;
  ending end_;
  clock::time_point last_look_;
  uint64_t last_news_ = 0;
  clock::time_point news_time_ = clock::now();
  // The order matters: each of these uses those before it.
  std::unique_ptr<local_redis> server_;
  std::optional<pulse::system> redis_;
  std::optional<pulse::stream> stream_;
  event_listener counter_;
  std::vector<std::unique_ptr<child_node>> children_;
  std::optional<feeder> feeder_;
};

} // namespace

int run_demo(const demo_options& options, stop_signals& signals) {
  // The demo prints each failure itself, so the library logs nothing.
  set_log_function(nullptr);
  pulse::config cfg;
  caf::actor_system sys{cfg};
  return demo{options, signals, sys}.run();
}

} // namespace pulse::apps
