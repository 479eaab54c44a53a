#include "pulse/actors/internal/handling/worker.hpp"

#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/handling/outcome.hpp"
#include "pulse/core/exception_text.hpp"

#include <string>
#include <utility>

namespace pulse::internal {

namespace {

// An exception is a failure of the event and not of the worker, which goes on.
template <class Events>
caf::error call(const std::function<caf::error(const Events&)>& handler,
                const Events& events) {
  try {
    return handler(events);
  } catch (...) {
    return make_error(
      {errc::handler_failed, "the handler threw " + exception_text()});
  }
}

// Makes the reply to an event. A sink in manual mode gets a message instead.
template <class Self>
caf::result<void>
reply(Self self, const sink_actor& sink, const event& what, caf::error why) {
  if (!self->current_message_id().is_request()) {
    send_outcome(self, sink, what.delivery(), why);
    return new_promise(self);
  }
  if (why)
    return why;
  return caf::unit;
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
      [this](const event& x) -> caf::result<void> {
        if (*stopped_)
          return new_promise(self_);
        return reply(self_, sink_, x, call(handler_, x));
      },
    };
  }

private:
  self_type::pointer self_;
  sink_actor sink_;
  event_handler handler_;
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
      [this](const event& x) { return on_event(x); },
      [this](caf::tick_atom) { on_tick(); },
    };
  }

private:
  caf::result<void> on_event(const event& x) {
    if (*stopped_)
      return new_promise(self_);
    if (x.counts().failures > 0)
      return reply(self_, sink_, x, call(handler_, std::vector<event>{x}));
    auto answer = new_promise(self_);
    answers_.push_back(answer);
    batch_.push_back(x);
    if (batch_.size() >= how_.max_events)
      handle_batch();
    else if (!std::exchange(tick_under_way_, true))
      tell_later(self_, how_.max_wait, caf::tick_atom_v);
    return answer;
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
    const auto why = call(handler_, batch);
    for (size_t i = 0; i < batch.size(); ++i)
      if (!answers[i].pending())
        send_outcome(self_, sink_, batch[i].delivery(), why);
      else if (why)
        answers[i].deliver(why);
      else
        answers[i].deliver(caf::unit);
  }

  self_type::pointer self_;
  sink_actor sink_;
  batch_handler handler_;
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
