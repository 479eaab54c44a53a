#include "pulse/actors/internal/handling/worker.hpp"

#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/handling/outcome.hpp"
#include "pulse/core/exception_text.hpp"

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pulse::internal {

namespace {

// After a call that took so long, events in the mailbox may have been taken
// back, because ack_wait is over. To ask the sink takes much less time.
constexpr std::chrono::milliseconds slow_call{20};

// Calls the handler of a worker.
template <class Events, class Outcome>
class handler_caller {
public:
  using function = std::function<Outcome(const Events&)>;

  explicit handler_caller(function handler) : handler_(std::move(handler)) {
    // nop
  }

  // An exception is a failure of the event and not of the worker, which goes
  // on.
  Outcome operator()(const Events& events) {
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
  Outcome guarded(const Events& events) const {
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

delivery_id identity_of(const event& x) {
  return x.delivery();
}

std::vector<delivery_id> identity_of(const event_batch& x) {
  return x.deliveries();
}

// Receives an event or a batch in one place for all workers.
// @param was_slow Whether the last call of the handler was slow. Then the sink
// is asked first whether the worker still has the event, which also extends its
// time, since it begins now. Meanwhile the worker does nothing else, and if it
// lost the event, it leaves it out.
// @param begin Called with the promise of the answer.
template <class Self, class Content, class F>
caf::response_promise receive(Self self, const sink_actor& sink,
                              const Content& what, bool was_slow,
                              const stop_order& stopped, F begin) {
  auto answer = new_promise(self);
  if (*stopped)
    return answer;
  if (!was_slow) {
    begin(answer);
    return answer;
  }
  request(self, sink, atom::extend_v, identity_of(what))
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

// @tparam Interface That of the worker: event_listener or batch_listener.
template <class Interface, class Content, class Outcome>
class worker_state {
public:
  using self_type = Interface;
  // What a handler of CAF returns that has a promise.
  using answer_type
    = std::conditional_t<std::is_same_v<Content, event>, caf::result<void>,
                         caf::result<batch_outcome>>;

  static constexpr const char* name = "pulse.worker";

  worker_state(typename self_type::pointer self, sink_actor sink,
               std::function<Outcome(const Content&)> handler,
               stop_order stopped)
    : self_(self),
      sink_(std::move(sink)),
      handler_(std::move(handler)),
      stopped_(std::move(stopped)) {
    // nop
  }

  typename self_type::behavior_type make_behavior() {
    return {
      [this](const Content& x) -> answer_type {
        return receive(self_, sink_, x, handler_.was_slow(), stopped_,
                       [this, x](caf::response_promise& answer) {
                         settle(self_, sink_, x, answer, handler_(x));
                       });
      },
    };
  }

private:
  typename self_type::pointer self_;
  sink_actor sink_;
  handler_caller<Content, Outcome> handler_;
  stop_order stopped_;
};

using event_worker = worker_state<event_listener, event, caf::error>;
using batch_worker = worker_state<batch_listener, event_batch, batch_outcome>;

// A worker for batches that waits for more events. It gets them one by one, and
// a message that it sends to itself after `max_wait` ends the batch.
class collecting_worker {
public:
  using self_type
    = extended_interface<event_listener, caf::result<void>(caf::tick_atom)>;

  static constexpr const char* name = "pulse.worker";

  collecting_worker(self_type::pointer self, sink_actor sink,
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
      [this](const event& x) -> caf::result<void> {
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
    if (x.counts().deliveries > 1)
      return handle({x}, {answer});
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
    handle(std::exchange(batch_, {}), std::exchange(answers_, {}));
  }

  void handle(std::vector<event> events,
              std::vector<caf::response_promise> answers) {
    const event_batch batch{std::move(events)};
    const auto how = handler_(batch);
    const auto ends = ends_of(how, batch.size());
    for (size_t i = 0; i < batch.size(); ++i)
      if (const auto* x = ends.own[i])
        settle(self_, sink_, batch[i], answers[i], x->why, x->delay);
      else
        settle(self_, sink_, batch[i], answers[i], ends.others);
  }

  self_type::pointer self_;
  sink_actor sink_;
  handler_caller<event_batch, batch_outcome> handler_;
  batch_handler_options how_;
  stop_order stopped_;
  std::vector<event> batch_;
  std::vector<caf::response_promise> answers_;
  bool tick_under_way_ = false;
};

bool waits(const batch_handler_options& how) {
  return how.max_wait.count() > 0;
}

} // namespace

event_listener spawn_worker(caf::actor_system& sys, const sink_actor& sink,
                            event_handler handler, stop_order stopped) {
  return spawn_state<event_worker, caf::detached>(sys, sink, std::move(handler),
                                                  std::move(stopped));
}

event_listener spawn_batch_worker(caf::actor_system& sys,
                                  const sink_actor& sink, batch_handler handler,
                                  const batch_handler_options& how,
                                  stop_order stopped) {
  if (waits(how))
    return spawn_state<collecting_worker, caf::detached>(
      sys, sink, std::move(handler), how, std::move(stopped));
  return caf::actor_cast<event_listener>(
    spawn_state<batch_worker, caf::detached>(sys, sink, std::move(handler),
                                             std::move(stopped)));
}

// While a worker handles a batch, the next one arrives.
subscription subscription_of(const batch_handler_options& how) {
  return {2 * how.max_events, waits(how) ? 0 : how.max_events};
}

} // namespace pulse::internal
