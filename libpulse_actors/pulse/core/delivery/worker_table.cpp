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
  auto idle = [](const worker& w) { return w.leaving && w.holds.empty(); };
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

worker_table::answer worker_table::answered(worker_id by,
                                            const delivery_ticket& what,
                                            delivery_time now) {
  answer result;
  auto* w = find(by);
  if (w == nullptr)
    return result;
  auto is_it = [&](const held& h) { return h.what == what; };
  w->last_answer = now;
  const auto i = std::find_if(w->holds.begin(), w->holds.end(), is_it);
  auto past = w->overdue.end();
  if (i != w->holds.end()) {
    let_go(*w, static_cast<size_t>(i - w->holds.begin()), now);
  } else {
    past = std::find_if(w->overdue.begin(), w->overdue.end(), is_it);
    if (past != w->overdue.end()) {
      if (!past->is_decided)
        result.late = *past;
      past = w->overdue.erase(past);
    }
  }
  for (auto j = w->overdue.begin(); j != past; ++j)
    j->is_past = true;
  result.was_stuck = std::exchange(w->stuck, false);
  return result;
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
  into.late = oldest;
  into.behind.clear();
  forget_old(w);
  any_overdue_ = true;
  w.overdue.push_back(oldest);
  // The events behind the oldest one must not wait for a time-out of their own.
  // But a worker that answered another event meanwhile is not stuck: it works
  // on several events at the same time.
  into.stuck = w.last_answer <= oldest.clock;
  if (!into.stuck)
    return true;
  std::swap(into.behind, w.holds);
  w.stuck = true;
  w.overdue.insert(w.overdue.end(), into.behind.begin(), into.behind.end());
  return true;
}

void worker_table::take_probes(std::vector<probe>& into) {
  for (auto& w : workers_) {
    // The events of the last probe stand before those that have none.
    if (w.overdue.empty() || w.overdue.back().probe != 0)
      continue;
    ++w.last_probe;
    for (auto& h : w.overdue)
      if (h.probe == 0)
        h.probe = w.last_probe;
    into.push_back({w.id, w.last_probe});
  }
}

bool worker_table::answered_probe(const probe& x) {
  auto* w = find(x.to);
  if (w == nullptr)
    return false;
  for (auto& h : w->overdue)
    if (h.probe != 0 && h.probe <= x.number)
      h.is_past = true;
  const bool is_free = w->load() == w->holds.size();
  return is_free && std::exchange(w->stuck, false);
}

void worker_table::forget_overdue(uint32_t stream, event_id id) {
  if (!std::exchange(any_overdue_, false))
    return;
  for (auto& w : workers_)
    for (auto& h : w.overdue) {
      any_overdue_ = true;
      if (h.stream == stream && h.id == id)
        h.is_decided = true;
    }
}

std::optional<worker_table::overdue_event>
worker_table::find_overdue(uint32_t stream, event_id id) const noexcept {
  for (const auto& w : workers_)
    for (const auto& h : w.overdue)
      if (h.stream == stream && h.id == id && !h.is_decided)
        return overdue_event{w.id, h.what};
  return std::nullopt;
}

// A worker that drops promises never answers these events. So only the last
// ones are kept.
void worker_table::forget_old(worker& w) {
  constexpr size_t most = 256;
  while (w.overdue.size() >= most && w.overdue.front().is_past)
    w.overdue.erase(w.overdue.begin());
}

void worker_table::let_go(worker& from, size_t index, delivery_time now) {
  from.holds.erase(from.holds.begin() + static_cast<std::ptrdiff_t>(index));
  // The next event is the oldest one now, so its time begins.
  if (index == 0 && !from.holds.empty())
    from.holds.front().clock = now;
}

} // namespace pulse
