#include "pulse/actors/internal/handling/handler.hpp"

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/handling/worker.hpp"
#include "pulse/actors/internal/runtime/delayed_calls.hpp"
#include "pulse/actors/type_ids.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/log.hpp"

#include <caf/exit_reason.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace pulse {

namespace {

// A worker that dies is replaced after a pause, because the next one may die as
// well. The pause grows until a worker lived for this long.
constexpr milliseconds first_pause{100};
constexpr milliseconds last_pause{10'000};
constexpr milliseconds healthy_life{60'000};

// So long a handler that the sink refused waits for somebody to ask why.
constexpr milliseconds refusal_kept{1'000};

using worker_factory
  = std::function<event_listener(const sink_actor&, internal::stop_order)>;

class handler_state {
public:
  using self_type
    = extended_interface<handler_actor, caf::result<void>(caf::tick_atom)>;

  static constexpr const char* name = "pulse.handler";

  handler_state(self_type::pointer self, internal::handled_sink sink,
                uint32_t workers, subscription how, worker_factory make_worker)
    : self_(self),
      me_(self),
      sink_(std::move(sink)),
      size_(workers),
      how_(how),
      make_worker_(std::move(make_worker)),
      deaths_(self),
      calls_(self),
      backoff_(first_pause, last_pause),
      random_(std::random_device{}()) {
    // nop
  }

  handler_state(const handler_state&) = delete;
  handler_state& operator=(const handler_state&) = delete;

  ~handler_state() {
    const failure why{errc::closed, "the handler of a sink has ended, because "
                                    "it was stopped or the sink was closed"};
    for (auto& x : waiting_)
      x.deliver(make_error(why));
    for (auto& x : stopping_)
      x.deliver(caf::unit);
  }

  self_type::behavior_type make_behavior() {
    deaths_.begin([this](const caf::down_msg& x) { on_down(x); });
    begin();
    return {
      [this](caf::subscribe_atom) { return on_subscribe(); },
      [this](caf::close_atom) { return on_close(); },
      [this](caf::tick_atom) { calls_.on_tick(); },
    };
  }

private:
  struct worker {
    event_listener who;
    caf::actor_clock::time_point since;
    bool subscribed = false;
  };

  // -- requests ---------------------------------------------------------------

  caf::result<void> on_subscribe() {
    if (refusal_)
      return refusal_;
    auto answer = internal::new_promise(self_);
    waiting_.push_back(answer);
    answer_if_subscribed();
    return answer;
  }

  void answer_if_subscribed() {
    auto is_subscribed = [](const worker& x) { return x.subscribed; };
    if (workers_.size() != size_
        || !std::all_of(workers_.begin(), workers_.end(), is_subscribed))
      return;
    was_subscribed_ = true;
    for (auto& x : std::exchange(waiting_, {}))
      x.deliver(caf::unit);
  }

  caf::result<void> on_close() {
    auto answer = internal::new_promise(self_);
    stopping_.push_back(answer);
    stop();
    return answer;
  }

  // -- the sink ---------------------------------------------------------------

  void begin() {
    deaths_.add(sink_.actor);
    for (uint32_t i = 0; i < size_; ++i)
      add_worker();
  }

  // A sink that was closed ends without a fault. One that died of a defect is
  // started again by its root, and gets new workers.
  void on_sink_down(const caf::error& reason) {
    if (is_stopping_ || !sink_.root || !internal::is_fault(reason))
      return stop();
    for (const auto& x : std::exchange(workers_, {})) {
      deaths_.remove(caf::actor_cast<caf::actor_addr>(x.who));
      end_worker(x);
    }
    // Nobody wants the events that these workers have.
    *stopped_ = true;
    stopped_ = std::make_shared<std::atomic<bool>>(false);
    internal::request(self_, sink_.root, caf::get_atom_v, atom::sink_v,
                      sink_.name)
      .then(
        [this](sink_actor& fresh) {
          sink_.actor = std::move(fresh);
          if (!is_stopping_)
            begin();
        },
        [this](const caf::error&) { stop(); }); // it was closed
  }

  // -- workers ----------------------------------------------------------------

  void add_worker() {
    if (is_stopping_)
      return;
    workers_.push_back(
      {make_worker_(sink_.actor, stopped_), self_->clock().now()});
    deaths_.add(workers_.back().who);
    subscribe(workers_.back().who);
  }

  void subscribe(const event_listener& who) {
    internal::request(self_, sink_.actor, caf::subscribe_atom_v, who, how_)
      .then(
        [this, who] {
          if (const auto i = find(who.address()); i != workers_.end())
            i->subscribed = true;
          answer_if_subscribed();
        },
        [this, who](const caf::error& why) {
          const auto reason = to_failure(why);
          if (goes_on(reason.code))
            return subscribe_later(who, reason);
          on_refused(make_error(reason));
        });
  }

  // Without a request that waits, the handler goes on, for instance while Redis
  // is away. A handler that has worked also waits until somebody has corrected
  // what the sink refuses, such as a missing right.
  [[nodiscard]] bool goes_on(errc why) const {
    if (was_subscribed_ && why != errc::closed)
      return true;
    return is_transient(why) && (sink_.lazy || waiting_.empty());
  }

  void subscribe_later(const event_listener& who, const failure& why) {
    const auto pause = backoff_.next(random_);
    log(log_level::warning, name,
        "a worker cannot subscribe yet: " + to_string(why) + "; it tries again "
          + "in " + std::to_string(pause.count()) + " ms");
    calls_.start(pause, [this, who] {
      if (!is_stopping_ && find(who.address()) != workers_.end())
        subscribe(who);
    });
  }

  // The sink refuses the subscription: without it there is nothing to handle.
  void on_refused(const caf::error& why) {
    if (!is_stopping_ && waiting_.empty()) {
      refusal_ = why;
      log(log_level::error, name,
          "a worker cannot subscribe, so the handler ends: " + describe(why));
    }
    for (auto& x : std::exchange(waiting_, {}))
      x.deliver(why);
    stop();
  }

  void on_down(const caf::down_msg& x) {
    if (x.source == sink_.actor.address())
      return on_sink_down(x.reason);
    const auto i = find(x.source);
    if (i == workers_.end())
      return;
    if (self_->clock().now() - i->since > healthy_life)
      backoff_.reset();
    workers_.erase(i);
    if (is_stopping_)
      return end_if_done();
    const auto pause = backoff_.next(random_);
    log(log_level::warning, name,
        "a worker died: " + describe(x.reason) + "; another one starts in "
          + std::to_string(pause.count()) + " ms");
    calls_.start(pause, [this] { add_worker(); });
  }

  // The sink sends no more events to the workers, and gives those that wait in
  // their mailboxes to others.
  void stop() {
    if (std::exchange(is_stopping_, true))
      return;
    *stopped_ = true;
    for (const auto& x : workers_) {
      internal::tell(sink_.actor, caf::unsubscribe_atom_v, x.who);
      end_worker(x);
    }
    end_if_done();
  }

  static void end_worker(const worker& x) {
    caf::anon_send_exit(x.who, caf::exit_reason::user_shutdown);
  }

  void end_if_done() {
    if (!workers_.empty())
      return;
    if (refusal_)
      calls_.start(refusal_kept, [this] { end(); });
    else
      end();
  }

  void end() {
    me_ = nullptr;
    self_->quit();
  }

  std::vector<worker>::iterator find(const caf::actor_addr& who) {
    return std::find_if(workers_.begin(), workers_.end(), [&](const worker& x) {
      return x.who.address() == who;
    });
  }

  self_type::pointer self_;
  // Nobody else may have a handle.
  self_type me_;
  internal::handled_sink sink_;
  uint32_t size_;
  subscription how_;
  worker_factory make_worker_;
  internal::death_watch<self_type::pointer> deaths_;
  internal::delayed_calls<self_type::pointer> calls_;
  reconnect_backoff backoff_;
  random_engine random_;
  std::vector<worker> workers_;
  std::vector<caf::response_promise> waiting_;
  std::vector<caf::response_promise> stopping_;
  // Whether all workers were subscribed at some time.
  bool was_subscribed_ = false;
  bool is_stopping_ = false;
  std::shared_ptr<std::atomic<bool>> stopped_
    = std::make_shared<std::atomic<bool>>(false);
  // Why the sink refused the workers, if nobody was told.
  caf::error refusal_;
};

status check_range(const char* what, uint32_t x, uint32_t most) {
  if (x >= 1 && x <= most)
    return {};
  return failure{errc::invalid_option,
                 std::string{what} + " of a handler must be 1 to "
                   + std::to_string(most) + ", not " + std::to_string(x)};
}

constexpr uint32_t max_workers = 10'000;
constexpr uint32_t max_batch = 100'000;

} // namespace

status check(const handler_options& x) {
  return check_range("workers", x.workers, max_workers);
}

status check(const batch_handler_options& x) {
  if (auto ok = check_range("workers", x.workers, max_workers); !ok)
    return ok;
  return check_range("max_events", x.max_events, max_batch);
}

handler_actor spawn_handler(caf::actor_system& sys, const sink_actor& sink,
                            event_handler handler, handler_options how) {
  return internal::spawn_handler(sys, {sink, {}, {}, false}, std::move(handler),
                                 how);
}

handler_actor spawn_batch_handler(caf::actor_system& sys,
                                  const sink_actor& sink, batch_handler handler,
                                  batch_handler_options how) {
  return internal::spawn_batch_handler(sys, {sink, {}, {}, false},
                                       std::move(handler), how);
}

namespace internal {

handler_actor spawn_handler(caf::actor_system& sys, handled_sink sink,
                            event_handler handler, handler_options how) {
  auto make = [&sys, handler = std::move(handler)](const sink_actor& of,
                                                   stop_order stopped) {
    return spawn_worker(sys, of, handler, std::move(stopped));
  };
  return spawn_state<handler_state>(sys, std::move(sink), how.workers,
                                    subscription{how.credit},
                                    worker_factory{make});
}

handler_actor spawn_batch_handler(caf::actor_system& sys, handled_sink sink,
                                  batch_handler handler,
                                  batch_handler_options how) {
  auto make = [&sys, how, handler = std::move(handler)](const sink_actor& of,
                                                        stop_order stopped) {
    return spawn_batch_worker(sys, of, handler, how, std::move(stopped));
  };
  return spawn_state<handler_state>(sys, std::move(sink), how.workers,
                                    subscription_of(how), worker_factory{make});
}

} // namespace internal

} // namespace pulse
