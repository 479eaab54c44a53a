#include "pulse/core/delivery/ledger.hpp"

#include <algorithm>

// What workers hold, and for how long.

namespace pulse {

void delivery_ledger::add_worker(worker_id id, uint32_t credit) {
  if (auto* w = find_worker(id)) {
    w->credit = credit;
    w->leaving = false;
  } else {
    worker fresh;
    fresh.id = id;
    fresh.credit = credit;
    workers_.push_back(std::move(fresh));
  }
  reassign_lanes();
}

void delivery_ledger::remove_worker(worker_id id, time_point) {
  auto* w = find_worker(id);
  if (w == nullptr)
    return;
  w->leaving = true;
  reassign_lanes();
  if (w->holds.empty())
    workers_.erase(workers_.begin() + (w - workers_.data()));
}

void delivery_ledger::worker_died(worker_id id, const std::string& reason,
                                  time_point now) {
  auto* w = find_worker(id);
  if (w == nullptr)
    return;
  // What the others get is decided when the dead one is gone.
  auto holds = std::move(w->holds);
  auto queue = std::move(w->lane_queue);
  workers_.erase(workers_.begin() + (w - workers_.data()));
  ready_.insert(ready_.end(), queue.begin(), queue.end());
  // Backwards, since each goes to the front: the order stays.
  for (auto i = holds.rbegin(); i != holds.rend(); ++i) {
    auto* x = resolve(i->what);
    const bool oldest = std::next(i) == holds.rend();
    if (x == nullptr || x->at != state::dispatched || x->round != i->what.round)
      continue;
    if (settings_.dispatch == dispatch_mode::broadcast) {
      x->reason = reason;
      finish_copy(*x, id, false, now);
    } else if (oldest) {
      crashed(*x, reason);
    } else {
      requeue(*x, reason);
    }
  }
  reassign_lanes();
}

bool delivery_ledger::extend(const ticket& which, worker_id by,
                             time_point now) {
  auto* w = find_worker(by);
  if (w == nullptr)
    return false;
  for (auto& h : w->holds)
    if (same(h.what, which)) {
      h.clock = now;
      return true;
    }
  return false;
}

void delivery_ledger::tick(time_point now) {
  while (!waiting_.empty() && waiting_.top().at <= now) {
    auto* x = resolve(waiting_.top().what);
    if (x != nullptr && x->at == state::waiting
        && x->round == waiting_.top().what.round)
      enqueue(*x, false);
    waiting_.pop();
  }
  for (auto& w : workers_) {
    expire_overdue(w, now);
    while (!w.holds.empty()
           && now - w.holds.front().clock >= settings_.ack_wait)
      give_up_head(w, now);
  }
  auto gone = [](const worker& w) { return w.leaving && w.load() == 0; };
  workers_.erase(std::remove_if(workers_.begin(), workers_.end(), gone),
                 workers_.end());
}

size_t delivery_ledger::capacity() const noexcept {
  size_t result = 0;
  for (const auto& w : workers_)
    if (!w.leaving)
      result += w.credit;
  return result;
}

// -- private ------------------------------------------------------------------

delivery_ledger::worker* delivery_ledger::find_worker(worker_id id) noexcept {
  for (auto& w : workers_)
    if (w.id == id)
      return &w;
  return nullptr;
}

bool delivery_ledger::same(const ticket& a, const ticket& b) noexcept {
  return a.serial == b.serial && a.round == b.round;
}

// The worker is done with `what`, one way or the other: it lives, and what it
// was given before and has not answered yet will not be answered any more.
void delivery_ledger::answered(worker_id by, const ticket& what,
                               time_point now) {
  auto* w = find_worker(by);
  if (w == nullptr)
    return;
  auto is_it = [&](const held& h) { return same(h.what, what); };
  w->last_answer = now;
  const bool was_stuck = std::exchange(w->stuck, false);
  auto i = std::find_if(w->holds.begin(), w->holds.end(), is_it);
  if (i != w->holds.end()) {
    w->overdue.clear();
    let_go(*w, static_cast<size_t>(i - w->holds.begin()), now);
  } else {
    auto j = std::find_if(w->overdue.begin(), w->overdue.end(), is_it);
    if (j != w->overdue.end())
      w->overdue.erase(w->overdue.begin(), std::next(j));
  }
  if (was_stuck)
    reassign_lanes();
}

void delivery_ledger::let_go(worker& from, size_t index, time_point now) {
  from.holds.erase(from.holds.begin() + static_cast<std::ptrdiff_t>(index));
  // The next one is the oldest now: its time begins.
  if (index == 0 && !from.holds.empty())
    from.holds.front().clock = now;
}

// Broadcast: one of the copies is through. The last one decides.
void delivery_ledger::finish_copy(entry& x, worker_id by, bool failure,
                                  time_point now) {
  auto drop = [by](std::vector<worker_id>& xs) {
    auto i = std::remove(xs.begin(), xs.end(), by);
    const bool any = i != xs.end();
    xs.erase(i, xs.end());
    return any;
  };
  const bool alive = find_worker(by) != nullptr;
  if (!drop(x.holders) && !drop(x.failed_for))
    return;
  if (failure)
    x.failed_for.push_back(by);
  else if (alive)
    x.succeeded = true;
  if (!x.holders.empty())
    return;
  if (!x.failed_for.empty()) {
    if (x.at == state::dispatched)
      retry(x, x.reason, x.delay, now);
  } else if (x.succeeded) {
    acknowledge(x);
  } else {
    crashed(x, x.reason); // all died
  }
}

void delivery_ledger::give_up_head(worker& w, time_point now) {
  const auto head = w.holds.front();
  const bool progress = w.last_answer > head.clock;
  ++counters_.timeouts;
  let_go(w, 0, now);
  if (settings_.overdue_keeps_credit)
    w.overdue.push_back({head.what, now});
  // Nothing at all came back for so long: what waits behind must not wait for
  // its own time-out. A worker that answered others is merely parallel.
  if (!progress)
    take_back(w, now);
  auto* x = resolve(head.what);
  if (x == nullptr || x->at != state::dispatched || x->round != head.what.round)
    return;
  x->reason = "no answer within ack_wait ("
              + std::to_string(settings_.ack_wait.count()) + " ms)";
  x->delay.reset();
  if (settings_.dispatch == dispatch_mode::broadcast)
    finish_copy(*x, w.id, true, now);
  else
    retry(*x, x->reason, {}, now);
}

void delivery_ledger::take_back(worker& w, time_point now) {
  auto rest = std::move(w.holds);
  w.holds.clear();
  if (settings_.overdue_keeps_credit) {
    w.stuck = true;
    for (const auto& h : rest)
      w.overdue.push_back({h.what, now});
  }
  for (auto i = rest.rbegin(); i != rest.rend(); ++i) {
    auto* x = resolve(i->what);
    if (x == nullptr || x->at != state::dispatched || x->round != i->what.round)
      continue;
    if (settings_.dispatch == dispatch_mode::broadcast)
      finish_copy(*x, w.id, true, now);
    else
      requeue(*x, "its worker is stuck at another event");
  }
  reassign_lanes();
}

// A worker that never answers gets another chance after a second ack_wait: if
// its promise was dropped, it is not stuck at all.
void delivery_ledger::expire_overdue(worker& w, time_point now) {
  auto expired = [&](const held& h) {
    return now - h.clock >= settings_.ack_wait;
  };
  w.overdue.erase(std::remove_if(w.overdue.begin(), w.overdue.end(), expired),
                  w.overdue.end());
  if (w.overdue.empty() && std::exchange(w.stuck, false))
    reassign_lanes();
}

} // namespace pulse
