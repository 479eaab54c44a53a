#include "pulse/actors/errors.hpp"
#include "pulse/core/log.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "chaos/node/role.hpp"
#include "chaos/node/worker.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <optional>

namespace pulse::chaos {

namespace {

using namespace std::chrono_literals;

constexpr auto retry_pause = 100ms;

/// Keeps a number of workers subscribed to a sink, and replaces those that die.
class crew_state {
public:
  void init(caf::event_based_actor* self, sink_actor sink,
            std::function<event_listener()> spawn) {
    self_ = self;
    sink_ = std::move(sink);
    spawn_ = std::move(spawn);
  }

  void hire() {
    auto who = spawn_();
    self_->monitor(who);
    // This reference keeps the worker alive until the sink has one.
    workers_.emplace(caf::actor_cast<caf::actor_addr>(who), who);
    subscribe(who);
  }

  void replace(const caf::actor_addr& dead) {
    if (workers_.erase(dead) > 0)
      hire();
  }

  void dismiss() {
    for (const auto& [addr, who] : std::exchange(workers_, {}))
      caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  }

private:
  void subscribe(const event_listener& who) {
    auto failed = [this, who](const caf::error& err) {
      const auto why = to_failure(err);
      log(log_level::warning, "chaos.crew",
          "cannot subscribe: " + to_string(why));
      // A missing right comes back.
      if (why.code != errc::closed)
        self_->delayed_send(self_, retry_pause, caf::subscribe_atom_v, who);
    };
    self_
      ->request(sink_, caf::infinite, caf::subscribe_atom_v, who,
                subscription{})
      .then([] {}, failed);
  }

  friend caf::behavior crew(caf::event_based_actor*, sink_actor, uint64_t,
                            std::function<event_listener()>);

  caf::event_based_actor* self_ = nullptr;
  sink_actor sink_;
  std::function<event_listener()> spawn_;
  std::map<caf::actor_addr, event_listener> workers_;
};

caf::behavior crew(caf::event_based_actor* self, sink_actor sink, uint64_t size,
                   std::function<event_listener()> spawn) {
  auto state = std::make_shared<crew_state>();
  state->init(self, std::move(sink), std::move(spawn));
  self->set_down_handler(
    [state](const caf::down_msg& x) { state->replace(x.source); });
  for (uint64_t i = 0; i < size; ++i)
    state->hire();
  return {
    [state](caf::subscribe_atom, const event_listener& who) {
      state->subscribe(who);
    },
    // The sink has closed.
    [self, state](caf::close_atom) {
      state->dismiss();
      self->quit();
    },
  };
}

// Returns pauses as in "1000,5000".
std::string in_ms(const std::vector<milliseconds>& pauses) {
  std::string result;
  for (auto x : pauses)
    result += (result.empty() ? "" : ",") + std::to_string(x.count());
  return result;
}

class sink_role : public role {
public:
  explicit sink_role(role_context ctx) : ctx_(ctx) {
    const auto& args = ctx_.args;
    options_.name = args.text("sink");
    options_.streams = {stream_name};
    options_.start = start_position::oldest();
    const bool keyed = args.text("dispatch") == "keyed";
    options_.dispatch = keyed ? dispatch_mode::keyed : dispatch_mode::balanced;
    options_.lease = milliseconds{args.number("lease")};
    options_.ack_wait = milliseconds{args.number("ack_wait")};
    options_.sweep_interval = milliseconds{args.number("sweep")};
    if (args.text("backoff") != "default")
      options_.backoff = {100ms};
    options_.max_deliveries = 50;
    options_.drain_timeout = 2s;
    workers_.seed = args.number("seed");
    workers_.sink = options_.name;
    for (auto x : all_misdeeds())
      workers_.rates[x] = args.number(to_string(x));
    workers_.work = std::chrono::microseconds{args.number("work_us")};
    workers_.hang = options_.ack_wait + options_.ack_wait / 4;
    workers_.slow = milliseconds{args.number("slow_ms")};
    ctx_.log.write(
      "role sink " + options_.name + (keyed ? " keyed " : " balanced ")
      + in_ms(options_.backoff) + " " + std::to_string(options_.lease.count()));
  }

  bool open() override {
    auto sink = ctx_.pulse.sink(options_);
    if (!sink)
      return false;
    sink_.emplace(std::move(*sink));
    ctx_.log.write("g");
    const auto listens = sink_->on_notice([&log = ctx_.log](const notice& x) {
      log.write("n " + to_string(x.kind) + (x.data_loss ? " loss " : " fine ")
                + std::to_string(x.lost_at_most));
    });
    if (!listens)
      pulse::log(log_level::error, "chaos.sink", "nobody hears notices");
    auto spawn = [this] {
      return spawn_worker(ctx_.sys, ++workers_hired_, workers_, ctx_.log);
    };
    crew_ = ctx_.sys.spawn(crew, sink_->handle(), ctx_.args.number("workers"),
                           std::function<event_listener()>{spawn});
    return true;
  }

  void reopen() override {
    if (!close()) {
      pulse::log(log_level::error, "chaos.sink", "close failed");
      std::_Exit(EXIT_FAILURE);
    }
    while (!open())
      std::this_thread::sleep_for(50ms);
  }

  bool finish() override {
    return close();
  }

private:
  bool close() {
    ctx_.log.write("k");
    const bool ok = static_cast<bool>(sink_->close());
    ctx_.log.write("q");
    caf::anon_send(crew_, caf::close_atom_v);
    crew_ = nullptr;
    return ok;
  }

  role_context ctx_;
  sink_options options_;
  worker_options workers_;
  std::atomic<uint64_t> workers_hired_{0};
  std::optional<pulse::sink> sink_;
  caf::actor crew_;
};

} // namespace

std::unique_ptr<role> make_sink(role_context ctx) {
  return std::make_unique<sink_role>(ctx);
}

} // namespace pulse::chaos
