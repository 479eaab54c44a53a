#include "pulse/core/delivery/worker_table.hpp"

#include <algorithm>
#include <utility>

namespace pulse {

namespace {

// Rendezvous hashing: each worker has a pseudo-random number for the key, and
// the worker with the highest number gets the key. So a new worker takes over
// only the keys for which its number is the highest, and a worker that leaves
// gives away only its own keys.
uint64_t draw(uint64_t key, worker_id worker) noexcept {
  auto x = key ^ (worker * 0x9E3779B97F4A7C15ull);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

} // namespace

worker_table::worker* worker_table::find(worker_id id) noexcept {
  for (auto& w : workers_)
    if (w.id == id)
      return &w;
  return nullptr;
}

void worker_table::add(worker_id id, uint32_t credit, uint32_t max_batch) {
  auto* w = find(id);
  if (w == nullptr) {
    w = &workers_.emplace_back();
    w->id = id;
  }
  w->credit = credit;
  w->max_batch = max_batch;
  w->leaving = false;
}

worker_table::worker worker_table::remove(worker_id id) {
  const auto i = workers_.begin() + (find(id) - workers_.data());
  forget_all_of(*i);
  auto result = std::move(*i);
  workers_.erase(i);
  return result;
}

void worker_table::remove_idle() {
  auto idle = [this](worker& w) {
    if (!w.leaving || !w.holds.empty())
      return false;
    forget_all_of(w);
    return true;
  };
  workers_.erase(std::remove_if(workers_.begin(), workers_.end(), idle),
                 workers_.end());
}

// -- who gets the next event --------------------------------------------------

bool worker_table::takes(const worker& w, const candidate& x) const noexcept {
  if (!w.ready())
    return false;
  const auto load = w.load();
  if (w.max_batch == 0 || x.alone || load == 0 || may_join(w.next, w))
    return true;
  const auto enough = std::min<size_t>(load, w.max_batch);
  return std::min<size_t>(x.waiting, w.credit - load) >= enough;
}

worker_table::worker* worker_table::least_loaded(const candidate& x) noexcept {
  worker* best = nullptr;
  auto rank = [&x](const worker& w) {
    return std::make_pair(w.id == x.avoid, w.load());
  };
  for (size_t i = 0; i < workers_.size(); ++i) {
    auto& w = workers_[(next_ + i) % workers_.size()];
    if (takes(w, x) && (best == nullptr || rank(w) < rank(*best)))
      best = &w;
    if (best != nullptr && rank(*best) == std::make_pair(false, size_t{0}))
      break;
  }
  if (best != nullptr)
    next_ = static_cast<size_t>(best - workers_.data()) + 1;
  return best;
}

worker_table::worker* worker_table::owner_of(uint64_t key) noexcept {
  worker* best = nullptr;
  for (auto& w : workers_)
    if (!w.leaving && !w.stuck
        && (best == nullptr || draw(key, w.id) > draw(key, best->id)))
      best = &w;
  return best;
}

size_t worker_table::capacity() const noexcept {
  size_t result = 0;
  for (const auto& w : workers_)
    if (!w.leaving && !w.stuck)
      result += w.credit;
  return result;
}

size_t worker_table::free_slots() const noexcept {
  size_t result = 0;
  for (const auto& w : workers_)
    if (w.ready())
      result += w.credit - w.load();
  return result;
}

// -- what workers hold --------------------------------------------------------

uint32_t worker_table::assign(worker& to, const delivery_ticket& what,
                              uint32_t stream, event_id id, bool alone,
                              delivery_time now) {
  auto message = to.holds.next_number();
  uint32_t number = 0;
  if (to.max_batch > 0) {
    auto& x = to.next;
    if (alone || !may_join(x, to))
      x = {turn_, ++batches_, 0, message};
    x.size = alone ? to.max_batch : x.size + 1;
    message = x.message;
    number = x.number;
  }
  held_event x{what, stream, 0, id, now};
  x.message = message;
  to.holds.push_back(x);
  return number;
}

worker_table::answer worker_table::answered(worker_id by,
                                            const delivery_ticket& what,
                                            delivery_time now) {
  answer result;
  auto* w = find(by);
  if (w == nullptr)
    return result;
  w->last_answer = now;
  w->has_answered = true;
  auto past_end = w->overdue.next_number();
  if (auto* x = w->holds.find(what)) {
    w->parallel |= x->message != w->holds.first()->message;
    let_go(*w, x, now);
  } else if (auto* late = w->overdue.find(what)) {
    past_end = late->number;
    const auto copy = *late;
    if (remove_overdue(*w, late))
      result.late = copy;
  }
  end_work_before(*w, past_end);
  result.was_stuck = std::exchange(w->stuck, false);
  return result;
}

void worker_table::expect_no_answer(worker_id by, const delivery_ticket& what,
                                    delivery_time now) {
  auto* w = find(by);
  auto* x = w != nullptr ? w->holds.find(what) : nullptr;
  if (x == nullptr)
    return;
  const auto copy = *x;
  let_go(*w, x, now);
  forget_old(*w);
  add_overdue(*w, copy);
}

bool worker_table::extend(worker_id by, const delivery_ticket& what,
                          delivery_time now) {
  auto* w = find(by);
  if (w == nullptr)
    return false;
  auto* x = w->holds.find(what);
  if (x == nullptr)
    return false;
  w->holds.first_from(x->message)->clock = now;
  w->last_answer = now; // a worker that extends is not stuck
  return true;
}

bool worker_table::take_back(worker& w, delivery_time now, taken_back& into) {
  auto* first = w.holds.first();
  if (first == nullptr || now - first->clock < ack_wait_)
    return false;
  const auto begin = first->clock;
  into.late.clear();
  into.behind.clear();
  const auto message = first->message;
  for (; first != nullptr && first->message == message;
       first = w.holds.first()) {
    into.late.push_back(*first);
    let_go(w, first, now);
  }
  forget_old(w);
  for (const auto& x : into.late)
    add_overdue(w, x);
  // The events behind the oldest one must not wait for a time-out of their own.
  // But a worker that answered another event meanwhile is not stuck: it works
  // on several events at the same time.
  into.stuck = w.last_answer <= begin;
  if (!into.stuck)
    return true;
  w.holds.move_to(into.behind);
  w.stuck = true;
  for (const auto& x : into.behind)
    add_overdue(w, x);
  return true;
}

void worker_table::stood_still(milliseconds time, delivery_time now) {
  auto shift = [=](delivery_time& x) { x = std::min(x + time, now); };
  for (auto& w : workers_) {
    shift(w.last_answer);
    for (auto* x = w.holds.first(); x != nullptr; x = w.holds.next(x))
      shift(x->clock);
  }
}

void worker_table::take_probes(std::vector<probe>& into) {
  for (auto& w : workers_) {
    // The events of the last probe stand before those that have none.
    auto* x = w.overdue.last();
    if (x == nullptr || x->probe != 0)
      continue;
    ++w.last_probe;
    for (; x != nullptr && x->probe == 0; x = w.overdue.previous(x))
      x->probe = w.last_probe;
    into.push_back({w.id, w.last_probe});
  }
}

bool worker_table::answered_probe(const probe& x) {
  auto* w = find(x.to);
  if (w == nullptr)
    return false;
  auto* h = w->overdue.first_from(w->past_end);
  while (h != nullptr && h->probe != 0 && h->probe <= x.number)
    h = w->overdue.next(h);
  end_work_before(*w, h != nullptr ? h->number : w->overdue.next_number());
  return w->still_worked_on == 0 && std::exchange(w->stuck, false);
}

// -- overdue events -----------------------------------------------------------

void worker_table::forget_overdue(uint32_t stream, event_id id) {
  if (!undecided_.empty())
    undecided_.erase(event_key{stream, id});
}

std::optional<worker_table::overdue_event>
worker_table::find_overdue(uint32_t stream, event_id id) const noexcept {
  const auto i = undecided_.find(event_key{stream, id});
  if (i == undecided_.end())
    return std::nullopt;
  return i->second;
}

void worker_table::add_overdue(worker& by, const held& x) {
  by.overdue.push_back(x);
  ++by.still_worked_on;
  undecided_.emplace(event_key{x.stream, x.id}, overdue_event{by.id, x.what});
}

// Returns whether the outcome of the event was not decided.
bool worker_table::remove_overdue(worker& by, held* x) {
  const bool was_undecided = forget_undecided(by.id, *x);
  if (x->number >= by.past_end)
    --by.still_worked_on;
  by.overdue.remove(x);
  return was_undecided;
}

bool worker_table::forget_undecided(worker_id by, const held& x) {
  auto [i, end] = undecided_.equal_range(event_key{x.stream, x.id});
  for (; i != end; ++i)
    if (i->second.by == by && i->second.what == x.what) {
      undecided_.erase(i);
      return true;
    }
  return false;
}

void worker_table::forget_all_of(worker& x) {
  for (auto* h = x.overdue.first(); h != nullptr; h = x.overdue.next(h))
    forget_undecided(x.id, *h);
}

// A worker that drops promises never answers these events. So only the last
// ones are kept.
void worker_table::forget_old(worker& w) {
  constexpr size_t most = 256;
  while (w.overdue.size() >= most && w.overdue.first()->number < w.past_end)
    remove_overdue(w, w.overdue.first());
}

// The worker does not work any more on the overdue events before `number`.
void worker_table::end_work_before(worker& w, uint64_t number) {
  if (number <= w.past_end)
    return;
  auto* x = w.still_worked_on > 0 ? w.overdue.first_from(w.past_end) : nullptr;
  for (; x != nullptr && x->number < number; x = w.overdue.next(x))
    --w.still_worked_on;
  w.past_end = number;
}

void worker_table::let_go(worker& from, held* x, delivery_time now) {
  const bool was_first = x == from.holds.first();
  const auto gone = *x;
  from.holds.remove(x);
  // The next event is the oldest one now, so its time begins. A parallel worker
  // has begun it already.
  if (was_first && !from.parallel) {
    if (auto* first = from.holds.first())
      first->clock = now;
    return;
  }
  if (from.next.turn == 0)
    return; // the worker never got a batch
  // The rest of a batch keeps the time of the batch, which its first event has.
  if (auto* rest = from.holds.first_from(gone.message);
      rest != nullptr && rest->message == gone.message
      && rest->number > gone.number)
    rest->clock = gone.clock;
}

} // namespace pulse
