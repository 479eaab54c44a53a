#include "pulse/core/delivery/ledger.hpp"

#include <algorithm>

// What may have killed a node: whoever gets it, Redis must know before.

namespace pulse {

void delivery_ledger::marked(const ticket& which) {
  auto* x = resolve(which);
  if (x == nullptr || x->at != state::marking)
    return;
  x->marked = true;
  enqueue(*x, true);
}

bool delivery_ledger::lost(const ticket& which) {
  auto* x = resolve(which);
  if (x == nullptr || x->at != state::marking)
    return false;
  erase(*x);
  return true;
}

bool delivery_ledger::must_wait(const entry& x) const noexcept {
  return x.suspect && !x.marked;
}

// Whether its next crash would be its last.
bool delivery_ledger::must_be_alone(const entry& x) const noexcept {
  return settings_.max_crashes > 0
         && x.content.counts().crashes + 1 >= settings_.max_crashes;
}

// No more are marked than workers can take: a mark says that one has it.
bool delivery_ledger::may_mark(const entry& x) const noexcept {
  if (!must_wait(x) || must_be_alone(x))
    return true;
  size_t room = 0;
  for (const auto& w : workers_)
    if (w.ready())
      room += w.credit - w.load();
  const auto marking = states_[static_cast<size_t>(state::marking)];
  return marking - std::min(marking, lone_queue_.size()) < room;
}

void delivery_ledger::hold_back(entry& x) {
  move_to(x, state::marking);
  if (must_be_alone(x) && resolve(lone_) != &x)
    lone_queue_.push_back(ticket_of(x));
  else
    ask_mark(x);
}

void delivery_ledger::ask_mark(const entry& x) {
  auto counts = x.content.counts();
  ++counts.crashes;
  counts.deliveries += x.was_dispatched ? 1 : 0;
  actions_.push_back(
    {action_kind::mark, ticket_of(x), x.stream, x.content.id(), counts, {}});
}

void delivery_ledger::next_lone() {
  const auto* at_work = resolve(lone_);
  if (at_work != nullptr && at_work->suspect && at_work->at != state::settling)
    return;
  lone_ = {};
  while (!lone_queue_.empty()) {
    const auto* x = resolve(lone_queue_.front());
    lone_queue_.pop_front();
    if (x != nullptr && x->at == state::marking) {
      lone_ = ticket_of(*x);
      return ask_mark(*x);
    }
  }
}

} // namespace pulse
