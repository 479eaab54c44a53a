#include "pulse/redis/command_queue.hpp"

#include <algorithm>
#include <iterator>

namespace pulse::redis {

namespace {

// Each byte that arrives or is sent makes a deadline longer by this time, which
// is 1 s per 4 KiB. A slower peer is of no use.
constexpr std::chrono::nanoseconds time_per_byte{1'000'000'000 / 4'096};

// How often the owners of the batches are told that bytes arrive.
constexpr std::chrono::milliseconds told_interval{20};

void grow(queued_batch& x, time_point now, size_t bytes,
          time_point::duration timeout) {
  const auto counted = std::min(bytes, size_t{1} << 30);
  const auto more = time_per_byte * static_cast<int64_t>(counted);
  const auto grown = [&](time_point deadline) {
    return std::max(deadline, std::min(deadline + more, now + timeout));
  };
  x.deadline = grown(x.deadline);
  x.patience = std::max(grown(x.patience), x.deadline);
}

time_point::duration own_timeout(const queued_batch& x,
                                 time_point::duration otherwise) {
  const time_point::duration own = x.commands->timeout;
  return own.count() > 0 ? own : otherwise;
}

// Removes the batches that `pred` selects from `from`, and returns them in
// order.
template <class Predicate>
std::vector<queued_batch>
extract(std::deque<queued_batch>& from, Predicate pred) {
  std::vector<queued_batch> result;
  const auto keep = [&](const queued_batch& x) { return !pred(x); };
  const auto first = std::stable_partition(from.begin(), from.end(), keep);
  std::move(first, from.end(), std::back_inserter(result));
  from.erase(first, from.end());
  return result;
}

} // namespace

bool command_queue::has_room_for(const command_batch& x) const noexcept {
  return empty()
         || (commands_ + x.count <= limits_.commands
             && bytes_ + x.bytes.size() <= limits_.bytes);
}

void command_queue::push(queued_batch x) {
  due_ = empty() ? x.deadline : std::min(due_, x.deadline);
  commands_ += x.commands->count;
  bytes_ += x.commands->bytes.size();
  waiting_.push_back(std::move(x));
}

void command_queue::forget(const queued_batch& x) noexcept {
  commands_ -= x.commands->count;
  bytes_ -= x.commands->bytes.size();
}

queued_batch command_queue::pop() {
  auto result = std::move(sent_.front());
  sent_.pop_front();
  forget(result);
  return result;
}

queued_batch& command_queue::send_next() {
  sent_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  auto& x = sent_.back();
  x.was_sent = true;
  x.loading = x.load_script;
  return x;
}

void command_queue::send_again() {
  auto& x = sent_.front();
  x.answer = nullptr;
  x.arriving_since.reset();
  waiting_.push_front(std::move(x));
  sent_.pop_front();
}

std::vector<queued_batch> command_queue::lose_sent(time_point now) {
  held_up_until_ = {};
  auto result = extract(sent_, [now](const queued_batch& x) {
    return !x.commands->repeatable || x.deadline <= now;
  });
  for (auto& x : result)
    forget(x);
  for (; !sent_.empty(); sent_.pop_back()) {
    sent_.back().answer = nullptr;
    sent_.back().arriving_since.reset();
    waiting_.push_front(std::move(sent_.back()));
  }
  return result;
}

std::vector<queued_batch> command_queue::take_expired(time_point now) {
  auto result = extract(waiting_, [now](const queued_batch& x) {
    return x.deadline <= now;
  });
  for (auto& x : result)
    forget(x);
  return result;
}

std::vector<queued_batch> command_queue::take_all() {
  std::vector<queued_batch> result;
  for (auto* part : {&sent_, &waiting_}) {
    std::move(part->begin(), part->end(), std::back_inserter(result));
    part->clear();
  }
  for (auto& x : result)
    forget(x);
  return result;
}

std::vector<queued_batch> command_queue::give_up_late(time_point now) {
  std::vector<queued_batch> result;
  for (auto& x : sent_)
    if (!x.given_up && x.deadline <= now) {
      x.given_up = true;
      result.push_back(x);
    }
  return result;
}

void command_queue::arrived(time_point now, size_t bytes,
                            time_point::duration timeout) {
  auto& x = sent_.front();
  if (!x.arriving_since)
    x.arriving_since = now;
  grow(x, now, bytes, own_timeout(x, timeout));
  held_up_until_ = x.patience;
  const auto tells = now - told_ >= told_interval;
  if (tells)
    told_ = now;
  for (auto& y : sent_) {
    if (!y.commands->progress)
      continue;
    if (&y != &x)
      grow(y, now, bytes, own_timeout(y, timeout));
    if (tells)
      y.commands->progress->arriving = true;
  }
}

// The unsent bytes belong to the last batches.
void command_queue::taken(time_point now, size_t bytes, size_t unsent,
                          time_point::duration timeout) {
  size_t behind = 0;
  for (auto x = sent_.rbegin(); x != sent_.rend() && behind < unsent; ++x) {
    behind += x->commands->bytes.size();
    grow(*x, now, bytes, own_timeout(*x, timeout));
  }
}

bool command_queue::sent_lost(time_point now) const noexcept {
  bool somebody_waits = false;
  bool is_late = false;
  for (const auto& x : sent_) {
    if (x.patience <= now && held_up_until_ <= now)
      return true;
    somebody_waits |= x.deadline > now;
    is_late |= x.deadline <= now && !x.given_up;
  }
  return is_late && !somebody_waits;
}

void command_queue::update_due() {
  due_ = time_point::max();
  for (auto* part : {&sent_, &waiting_})
    for (auto& x : *part)
      due_ = std::min(due_, x.given_up ? std::max(x.patience, held_up_until_)
                                       : x.deadline);
}

} // namespace pulse::redis
