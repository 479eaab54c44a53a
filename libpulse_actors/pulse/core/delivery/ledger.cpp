#include "pulse/core/delivery/ledger.hpp"

#include <algorithm>

// The life of an entry. Who gets it is in dispatch.cpp, what workers
// hold in workers.cpp, what may have killed a node in
// suspects.cpp.

namespace pulse {

delivery_ledger::delivery_ledger(settings how, random_engine random)
  : settings_(std::move(how)), random_(random) {
  // nop
}

// -- what comes from Redis ----------------------------------------------------

bool delivery_ledger::fetched(uint32_t stream, event x, time_point,
                              bool suspect) {
  const key where{stream, x.id()};
  if (index_.count(where) > 0)
    return false;
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  index_.emplace(where, slot);
  auto& e = slots_[slot];
  e = entry{};
  e.serial = next_serial_++;
  e.stream = stream;
  e.suspect = suspect;
  e.content = std::move(x);
  if (settings_.dispatch == dispatch_mode::keyed)
    enter_lane(e);
  else
    enqueue(e, false);
  return true;
}

void delivery_ledger::forget(const ticket& which) {
  if (auto* x = resolve(which))
    erase(*x);
}

size_t delivery_ledger::retain_only(uint32_t stream, uint64_t before,
                                    const std::vector<event_id>& still_ours) {
  size_t dropped = 0;
  for (auto& x : slots_) {
    if (!is_idle(x) || x.stream != stream || x.serial >= before)
      continue;
    if (!std::binary_search(still_ours.begin(), still_ours.end(),
                            x.content.id())) {
      erase(x);
      ++dropped;
    }
  }
  return dropped;
}

void delivery_ledger::recount(uint32_t stream) {
  for (const auto& x : slots_)
    if (x.stream == stream && x.at != state::free && x.at != state::settling
        && x.content.counts().crashes == 0)
      decide(x, action_kind::store_counts);
}

std::vector<delivery_ledger::released_entry>
delivery_ledger::release(std::optional<uint32_t> stream) {
  std::vector<released_entry> result;
  for (auto& x : slots_) {
    const bool leaves = stream ? is_idle(x) && x.stream == *stream
                               : is_idle(x) || x.at == state::dispatched;
    if (leaves)
      result.push_back(hand_over_to_redis(x));
  }
  return result;
}

delivery_ledger::released_entry delivery_ledger::hand_over_to_redis(entry& x) {
  // Redis counted a delivery at the fetch; if no worker saw it, it was none.
  released_entry result{x.stream, x.content.id(), x.content.counts()};
  if (!x.was_dispatched && result.counts.deliveries > 0)
    --result.counts.deliveries;
  erase(x);
  return result;
}

// -- outcomes -----------------------------------------------------------------

void delivery_ledger::done(const ticket& which, worker_id by, time_point now) {
  answered(by, which, now);
  auto* x = resolve(which);
  if (x == nullptr || x->at == state::settling)
    return;
  if (settings_.dispatch == dispatch_mode::broadcast && by != 0)
    finish_copy(*x, by, false, now);
  else
    acknowledge(*x);
}

void delivery_ledger::failed(const ticket& which, worker_id by,
                             const std::string& reason,
                             std::optional<milliseconds> delay,
                             time_point now) {
  answered(by, which, now);
  auto* x = resolve(which);
  // A late failure changes nothing: the event is elsewhere by now.
  if (x == nullptr || x->at != state::dispatched || x->round != which.round)
    return;
  ++counters_.nacks;
  x->reason = reason;
  x->delay = delay;
  if (settings_.dispatch == dispatch_mode::broadcast && by != 0)
    finish_copy(*x, by, true, now);
  else
    retry(*x, reason, delay, now);
}

void delivery_ledger::rejected(const ticket& which, worker_id by,
                               const std::string& reason, time_point now) {
  answered(by, which, now);
  if (auto* x = resolve(which); x != nullptr && x->at != state::settling)
    kill(*x, reason);
}

std::optional<delivery_ledger::found> delivery_ledger::find(uint32_t stream,
                                                            event_id id) const {
  const auto i = index_.find(key{stream, id});
  if (i == index_.end() || slots_[i->second].at == state::settling)
    return std::nullopt;
  const auto& x = slots_[i->second];
  return found{ticket_of(x), x.at == state::dispatched ? x.holder : 0};
}

std::vector<delivery_ledger::action> delivery_ledger::take_actions() {
  return std::exchange(actions_, {});
}

std::optional<event_id> delivery_ledger::lowest(uint32_t stream) const {
  std::optional<event_id> result;
  for (const auto& x : slots_)
    if (x.at != state::free && x.stream == stream
        && (!result || x.content.id() < *result))
      result = x.content.id();
  return result;
}

bool delivery_ledger::busy(uint32_t stream) const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const entry& x) {
    return x.at == state::dispatched && x.stream == stream;
  });
}

// -- the life of an entry -----------------------------------------------------

delivery_ledger::entry* delivery_ledger::resolve(const ticket& x) noexcept {
  // Serial 0 is a free slot.
  if (x.serial == 0 || x.slot >= slots_.size()
      || slots_[x.slot].serial != x.serial)
    return nullptr;
  return &slots_[x.slot];
}

delivery_ledger::ticket
delivery_ledger::ticket_of(const entry& x) const noexcept {
  return {static_cast<uint32_t>(&x - slots_.data()), x.round, x.serial};
}

void delivery_ledger::move_to(entry& x, state next) {
  --states_[static_cast<size_t>(x.at)];
  x.at = next;
  ++states_[static_cast<size_t>(next)];
}

void delivery_ledger::erase(entry& x) {
  leave_lane(x);
  index_.erase(key{x.stream, x.content.id()});
  free_.push_back(static_cast<uint32_t>(&x - slots_.data()));
  move_to(x, state::free);
  x.serial = 0;
  x.content = event{}; // lets go of the block
}

void delivery_ledger::enqueue(entry& x, bool in_front) {
  move_to(x, state::queued);
  auto* queue = &ready_;
  if (settings_.dispatch == dispatch_mode::keyed)
    if (auto* w = pick_keyed(x.lane))
      queue = &w->lane_queue;
  if (in_front)
    queue->push_front(ticket_of(x));
  else
    queue->push_back(ticket_of(x));
}

void delivery_ledger::acknowledge(entry& x) {
  decide(x, action_kind::ack);
  move_to(x, state::settling);
  leave_lane(x);
}

void delivery_ledger::kill(entry& x, std::string reason) {
  decide(x, action_kind::dead_letter, std::move(reason));
  move_to(x, state::settling);
  leave_lane(x);
}

void delivery_ledger::retry(entry& x, const std::string& reason,
                            std::optional<milliseconds> delay, time_point now) {
  auto counts = x.content.counts();
  ++counts.failures;
  x.content = x.content.with(counts);
  // Its worker lives, so it kills no nodes.
  x.suspect = false;
  const bool was_marked = std::exchange(x.marked, false);
  if (!settings_.redeliver)
    return kill(x, reason);
  if (settings_.max_deliveries > 0
      && counts.deliveries >= settings_.max_deliveries)
    return kill(x, "gave up after " + std::to_string(counts.deliveries)
                     + " deliveries; the last failure: " + reason);
  const auto pause = delay ? *delay
                           : redelivery_delay(settings_.backoff,
                                              counts.failures, random_);
  if (pause <= milliseconds{0})
    return enqueue(x, true);
  if (was_marked)
    decide(x, action_kind::store_counts);
  move_to(x, state::waiting);
  waiting_.push({now + pause, ticket_of(x)});
}

void delivery_ledger::crashed(entry& x, const std::string& reason) {
  auto counts = x.content.counts();
  ++counts.crashes;
  ++counters_.crashes;
  x.content = x.content.with(counts);
  x.suspect = false;
  if (settings_.max_crashes > 0 && counts.crashes >= settings_.max_crashes)
    kill(x, "its worker died " + std::to_string(counts.crashes)
              + " times; the last time: " + reason);
  else
    requeue(x, reason);
}

// Once more and at once, since it was not its fault.
void delivery_ledger::requeue(entry& x, const std::string& reason) {
  x.marked = false; // as a suspect it needs a new one
  if (settings_.redeliver)
    enqueue(x, true);
  else
    kill(x, reason);
}

bool delivery_ledger::is_idle(const entry& x) noexcept {
  return x.at == state::queued || x.at == state::marking
         || x.at == state::waiting;
}

void delivery_ledger::enter_lane(entry& x) {
  x.lane = std::hash<std::string_view>{}(x.content.topic());
  auto [lane, is_new] = lanes_.try_emplace(x.lane);
  if (is_new) {
    x.lane_head = true;
    enqueue(x, false);
  } else {
    move_to(x, state::queued);
    lane->second.push_back(ticket_of(x));
  }
}

// The next of the topic may go, as soon as the one before it is decided.
void delivery_ledger::leave_lane(entry& x) {
  if (!std::exchange(x.lane_head, false))
    return;
  auto lane = lanes_.find(x.lane);
  while (!lane->second.empty()) {
    auto* next = resolve(lane->second.front());
    lane->second.pop_front();
    if (next != nullptr && next->at == state::queued) {
      next->lane_head = true;
      return enqueue(*next, false);
    }
  }
  lanes_.erase(lane);
}

void delivery_ledger::decide(const entry& x, action_kind what,
                             std::string reason) {
  actions_.push_back({what, ticket_of(x), x.stream, x.content.id(),
                      x.content.counts(), std::move(reason)});
}

} // namespace pulse
