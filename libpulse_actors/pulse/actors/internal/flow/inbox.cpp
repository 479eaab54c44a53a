#include "pulse/actors/internal/flow/inbox.hpp"

#include "pulse/actors/internal/caf/messaging.hpp"

#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

#include <utility>

namespace pulse::internal {

bool is_failure(const caf::error& reason) {
  return reason && reason != caf::exit_reason::normal;
}

// A delivery or a handle that is destroyed may send messages or free an actor.
// So both are moved out of the locked part.

void flow_inbox::begin(caf::actor source) {
  std::unique_lock guard{mutex_};
  if (!end_)
    source_ = std::move(source);
}

void flow_inbox::push(delivery x) {
  std::unique_lock guard{mutex_};
  if (cancelled_)
    return guard.unlock();
  waiting_.push_back(std::move(x));
  if (waiting_.size() == 1)
    wake_unlocked();
}

void flow_inbox::end(caf::error why, bool drop_rest) {
  std::deque<delivery> rest;
  caf::actor source;
  std::unique_lock guard{mutex_};
  if (drop_rest)
    rest.swap(waiting_);
  source.swap(source_);
  if (!end_)
    end_ = std::move(why);
  if (waiting_.empty())
    wake_unlocked();
  guard.unlock();
}

void flow_inbox::open(caf::flow::coordinator_ptr on, consumer* who) {
  std::unique_lock guard{mutex_};
  runs_on_ = std::move(on);
  consumer_ = who;
  if (end_)
    wake_unlocked();
  else
    tell(source_, caf::subscribe_atom_v);
}

void flow_inbox::cancel(const caf::error& reason) {
  std::deque<delivery> rest;
  std::optional<delivery> current;
  caf::actor source;
  caf::flow::coordinator_ptr runs_on;
  std::unique_lock guard{mutex_};
  consumer_ = nullptr;
  cancelled_ = true;
  rest.swap(waiting_);
  current.swap(current_);
  source.swap(source_);
  runs_on.swap(runs_on_);
  guard.unlock();
  if (source && is_failure(reason))
    tell(source, caf::exit_msg{source.address(), reason});
  else if (source)
    tell(source, caf::unsubscribe_atom_v);
}

std::optional<delivery> flow_inbox::next() {
  std::unique_lock guard{mutex_};
  if (waiting_.empty())
    return std::nullopt;
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  return current_;
}

void flow_inbox::done() {
  std::optional<delivery> current;
  std::unique_lock guard{mutex_};
  current.swap(current_);
  guard.unlock();
}

std::optional<caf::error> flow_inbox::ended() const {
  std::unique_lock guard{mutex_};
  return waiting_.empty() ? end_ : std::nullopt;
}

void flow_inbox::wake_unlocked() {
  if (!runs_on_)
    return;
  // CAF 1.1.0 does not destroy the function of an action that throws.
  runs_on_->schedule_fn([weak = weak_from_this()]() mutable {
    auto self = std::exchange(weak, {}).lock();
    if (self && self->consumer_)
      self->consumer_->wake();
  });
}

} // namespace pulse::internal
