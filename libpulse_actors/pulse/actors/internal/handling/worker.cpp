#include "pulse/actors/internal/handling/worker.hpp"

#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/handling/outcome.hpp"
#include "pulse/core/exception_text.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace pulse::internal {

namespace {

// After a call that took so long, events in the mailbox may have been taken
// back, because ack_wait is over. To ask the sink takes much less time.
constexpr std::chrono::milliseconds slow_call{20};

// Calls the handler of a worker.
template <class Events>
class handler_caller {
public:
  using function = std::function<caf::error(const Events&)>;

  explicit handler_caller(function handler) : handler_(std::move(handler)) {
    // nop
  }

  // An exception is a failure of the event and not of the worker, which goes
  // on.
  caf::error operator()(const Events& events) {
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    auto result = guarded(events);
    was_slow_ = clock::now() - begin >= slow_call;
    return result;
  }

  [[nodiscard]] bool was_slow() const noexcept {
    return was_slow_;
  }

private:
  caf::error guarded(const Events& events) const {
    try {
      return handler_(events);
    } catch (...) {
      return make_error(
        {errc::handler_failed, "the handler threw " + exception_text()});
    }
  }

  function handler_;
  bool was_slow_ = false;
};

// Receives an event in one place for all workers.
// @param was_slow Whether the last call of the handler was slow. Then the sink
// is asked first whether the worker still has the event, which also extends its
// time, since it begins now. Meanwhile the worker does nothing else, and if it
// lost the event, it leaves it out.
// @param begin Called with the promise of the answer.
template <class Self, class F>
caf::result<void> receive(Self self, const sink_actor& sink, const event& what,
                          bool was_slow, const stop_order& stopped, F begin) {
  auto answer = new_promise(self);
  if (*stopped)
    return answer;
  if (!was_slow) {
    begin(answer);
    return answer;
  }
  request(self, sink, atom::extend_v, what.delivery())
    .await(
      [stopped, begin, answer]() mutable {
        if (!*stopped)
          begin(answer);
      },
      [answer](const caf::error& why) mutable {
        if (answer.pending())
          answer.deliver(why);
      });
  return answer;
}

class worker_state {
public:
  using self_type = event_listener;

  static constexpr const char* name = "pulse.worker";

  worker_state(self_type::pointer self, sink_actor sink, event_handler handler,
               stop_order stopped)
    : self_(self),
      sink_(std::move(sink)),
      handler_(std::move(handler)),
      stopped_(std::move(stopped)) {
    // nop
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](const event& x) {
        return receive(self_, sink_, x, handler_.was_slow(), stopped_,
                       [this, x](caf::response_promise& answer) {
                         settle(self_, sink_, x, answer, handler_(x));
                       });
      },
    };
  }

private:
  self_type::pointer self_;
  sink_actor sink_;
  handler_caller<event> handler_;
  stop_order stopped_;
};

// A worker gets its events one by one. It collects those that are in its
// mailbox: a message that it sends to itself comes behind them.
class batch_worker_state {
public:
  using self_type
    = extended_interface<event_listener, caf::result<void>(caf::tick_atom)>;

  static constexpr const char* name = "pulse.worker";

  batch_worker_state(self_type::pointer self, sink_actor sink,
                     batch_handler handler, const batch_handler_options& how,
                     stop_order stopped)
    : self_(self),
      sink_(std::move(sink)),
      handler_(std::move(handler)),
      how_(how),
      stopped_(std::move(stopped)) {
    // nop
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](const event& x) {
        return receive(self_, sink_, x, handler_.was_slow(), stopped_,
                       [this, x](caf::response_promise& answer) {
                         collect(x, answer);
                       });
      },
      [this](caf::tick_atom) { on_tick(); },
    };
  }

private:
  void collect(const event& x, caf::response_promise& answer) {
    if (x.counts().failures > 0)
      return settle(self_, sink_, x, answer, handler_({x}));
    answers_.push_back(answer);
    batch_.push_back(x);
    if (batch_.size() >= how_.max_events)
      handle_batch();
    else if (!std::exchange(tick_under_way_, true))
      tell_later(self_, how_.max_wait, caf::tick_atom_v);
  }

  // The tick may belong to a batch that was full before. Then a batch is
  // handled a little earlier.
  void on_tick() {
    tick_under_way_ = false;
    if (!batch_.empty() && !*stopped_)
      handle_batch();
  }

  void handle_batch() {
    const auto batch = std::exchange(batch_, {});
    auto answers = std::exchange(answers_, {});
    const auto why = handler_(batch);
    for (size_t i = 0; i < batch.size(); ++i)
      settle(self_, sink_, batch[i], answers[i], why);
  }

  self_type::pointer self_;
  sink_actor sink_;
  handler_caller<std::vector<event>> handler_;
  batch_handler_options how_;
  stop_order stopped_;
  std::vector<event> batch_;
  std::vector<caf::response_promise> answers_;
  bool tick_under_way_ = false;
};

} // namespace

event_listener spawn_worker(caf::actor_system& sys, const sink_actor& sink,
                            event_handler handler, stop_order stopped) {
  return spawn_state<worker_state, caf::detached>(sys, sink, std::move(handler),
                                                  std::move(stopped));
}

event_listener spawn_batch_worker(caf::actor_system& sys,
                                  const sink_actor& sink, batch_handler handler,
                                  const batch_handler_options& how,
                                  stop_order stopped) {
  return spawn_state<batch_worker_state, caf::detached>(sys, sink,
                                                        std::move(handler), how,
                                                        std::move(stopped));
}

} // namespace pulse::internal
