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

void worker_table::add(worker_id id, uint32_t credit) {
  auto* w = find(id);
  if (w == nullptr) {
    w = &workers_.emplace_back();
    w->id = id;
  }
  w->credit = credit;
  w->leaving = false;
}

worker_table::worker worker_table::remove(worker_id id) {
  const auto i = workers_.begin() + (find(id) - workers_.data());
  auto result = std::move(*i);
  workers_.erase(i);
  return result;
}

void worker_table::remove_idle() {
  auto idle = [](const worker& w) { return w.leaving && w.load() == 0; };
  workers_.erase(std::remove_if(workers_.begin(), workers_.end(), idle),
                 workers_.end());
}

// -- who gets the next event --------------------------------------------------

worker_table::worker* worker_table::least_loaded(worker_id avoid) noexcept {
  worker* best = nullptr;
  auto rank = [avoid](const worker& w) {
    return std::make_pair(w.id == avoid, w.load());
  };
  for (size_t i = 0; i < workers_.size(); ++i) {
    auto& w = workers_[(next_ + i) % workers_.size()];
    if (w.ready() && (best == nullptr || rank(w) < rank(*best)))
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
    if (!w.leaving)
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

bool worker_table::answered(worker_id by, const delivery_ticket& what,
                            delivery_time now) {
  auto* w = find(by);
  if (w == nullptr)
    return false;
  auto is_it = [&](const held& h) { return h.what == what; };
  w->last_answer = now;
  const auto i = std::find_if(w->holds.begin(), w->holds.end(), is_it);
  if (i != w->holds.end()) {
    w->overdue.clear();
    let_go(*w, static_cast<size_t>(i - w->holds.begin()), now);
  } else {
    const auto j = std::find_if(w->overdue.begin(), w->overdue.end(), is_it);
    if (j != w->overdue.end())
      w->overdue.erase(w->overdue.begin(), std::next(j));
  }
  return std::exchange(w->stuck, false);
}

bool worker_table::extend(worker_id by, const delivery_ticket& what,
                          delivery_time now) {
  auto* w = find(by);
  if (w == nullptr)
    return false;
  for (auto& h : w->holds)
    if (h.what == what) {
      h.clock = now;
      return true;
    }
  return false;
}

bool worker_table::take_back(worker& w, delivery_time now, taken_back& into) {
  if (w.holds.empty() || now - w.holds.front().clock < ack_wait_)
    return false;
  const auto oldest = w.holds.front();
  let_go(w, 0, now);
  into.late = oldest.what;
  into.behind.clear();
  if (overdue_keeps_credit_)
    w.overdue.push_back({oldest.what, now});
  // The events behind the oldest one must not wait for a time-out of their own.
  // But a worker that answered another event meanwhile is not stuck: it works
  // on several events at the same time.
  into.stuck = w.last_answer <= oldest.clock;
  if (!into.stuck)
    return true;
  std::swap(into.behind, w.holds);
  if (overdue_keeps_credit_) {
    w.stuck = true;
    for (const auto& h : into.behind)
      w.overdue.push_back({h.what, now});
  }
  return true;
}

bool worker_table::expire_overdue(worker& w, delivery_time now) {
  auto expired = [&](const held& h) { return now - h.clock >= ack_wait_; };
  w.overdue.erase(std::remove_if(w.overdue.begin(), w.overdue.end(), expired),
                  w.overdue.end());
  return w.overdue.empty() && std::exchange(w.stuck, false);
}

void worker_table::let_go(worker& from, size_t index, delivery_time now) {
  from.holds.erase(from.holds.begin() + static_cast<std::ptrdiff_t>(index));
  // The next event is the oldest one now, so its time begins.
  if (index == 0 && !from.holds.empty())
    from.holds.front().clock = now;
}

} // namespace pulse
