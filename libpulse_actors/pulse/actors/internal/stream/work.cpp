#include "pulse/actors/internal/stream/work.hpp"

#include "pulse/actors/errors.hpp"

#include <utility>

namespace pulse::internal {

namespace {

// Redis reads 16 KiB of commands at a time and then sends their replies. Larger
// batches would keep results waiting that are here already.
constexpr size_t piece_events = 128;
constexpr size_t piece_bytes = 32u << 10;
// What is under way at most. That keeps Redis busy, and a batch that is one
// call of a script is not larger either.
constexpr size_t max_events = 1'000;
constexpr size_t max_bytes = 1u << 20;

void fail(stream_work& x, const failure& why) {
  if (auto* adds = std::get_if<pending_adds>(&x)) {
    for (auto& target : adds->targets)
      target.settle(why);
  } else {
    std::get<pending_operation>(x).promise.deliver(make_error(why));
  }
}

} // namespace

bool pending_adds::full() const noexcept {
  if (batch.needs_script()) // at most one is under way
    return batch.size() >= max_events || batch.bytes() >= max_bytes;
  return batch.size() >= piece_events || batch.bytes() >= piece_bytes;
}

void add_target::settle(const outcome<event_id>& x) {
  if (many == nullptr) {
    if (x)
      promise.deliver(*x);
    else
      promise.deliver(make_error(x.error()));
    return;
  }
  auto& result = many->results[index];
  if (x)
    result.id = *x;
  else
    result = {{}, x.error().code, x.error().what};
  if (--many->open == 0)
    many->promise.deliver(std::move(many->results));
}

void stream_work_queue::push(const new_event& x, bool only_if_exists,
                             std::string_view unique, add_target target,
                             time_point now) {
  auto* adds = waiting_.empty() ? nullptr
                                : std::get_if<pending_adds>(&waiting_.back());
  if (adds == nullptr || adds->full()) {
    waiting_.emplace_back(std::in_place_type<pending_adds>, *format_);
    adds = &std::get<pending_adds>(waiting_.back());
    adds->came = now;
    waiting_bytes_ += adds->batch.bytes();
  }
  const auto before = adds->batch.bytes();
  adds->batch.append(x, only_if_exists, unique);
  adds->targets.push_back(std::move(target));
  waiting_bytes_ += adds->batch.bytes() - before;
  ++waiting_count_;
}

void stream_work_queue::push(pending_operation x) {
  waiting_bytes_ += x.commands->bytes.size();
  ++waiting_count_;
  waiting_.emplace_back(std::move(x));
}

stream_work_queue::handle
stream_work_queue::start_next(time_point now, event_id last, bool may_add) {
  if (waiting_.empty() || unknown_outcomes_ > 0)
    return end();
  const auto x = waiting_.begin();
  if (auto* adds = std::get_if<pending_adds>(&*x)) {
    if (!may_add || script_under_way_ || !has_room_for(*adds))
      return end();
    ++adds_under_way_;
    events_under_way_ += adds->targets.size();
    bytes_under_way_ += adds->batch.bytes();
    adds->size = adds->batch.bytes();
    adds->small = !adds->full();
    small_under_way_ += adds->small ? 1 : 0;
    adds->is_script = adds->batch.needs_script();
    script_under_way_ = adds->is_script;
    adds->sent = now;
    adds->after = last;
  }
  uncount(*x);
  under_way_.splice(under_way_.end(), waiting_, x);
  return x;
}

// Small batches keep Redis and us busier than their events do. Two of similar
// size keep Redis from waiting for us. A much smaller one waits, and grows:
// Redis would execute it after the others anyway.
bool stream_work_queue::has_room_for(const pending_adds& x) const noexcept {
  if (adds_under_way_ == 0)
    return true;
  if (events_under_way_ >= max_events || bytes_under_way_ >= max_bytes)
    return false;
  return x.full() || small_under_way_ == 0
         || (small_under_way_ == 1
             && x.targets.size() * 2 >= events_under_way_);
}

void stream_work_queue::begin_retries(handle x) {
  auto& adds = std::get<pending_adds>(*x);
  if (!std::exchange(adds.outcome_unknown, true))
    ++unknown_outcomes_;
}

stream_work_queue::handle stream_work_queue::next_retry() {
  for (auto x = under_way_.begin(); x != under_way_.end(); ++x)
    if (auto* adds = std::get_if<pending_adds>(&*x))
      if (std::exchange(adds->waits_for_retry, false))
        return x;
  return end();
}

void stream_work_queue::finish(handle x) {
  if (auto* adds = std::get_if<pending_adds>(&*x)) {
    --adds_under_way_;
    events_under_way_ -= adds->targets.size();
    bytes_under_way_ -= adds->size;
    small_under_way_ -= adds->small ? 1 : 0;
    // At most one script is under way.
    script_under_way_ = script_under_way_ && !adds->is_script;
    unknown_outcomes_ -= adds->outcome_unknown ? 1 : 0;
  }
  under_way_.erase(x);
}

void stream_work_queue::fail_waiting(const failure& why, time_point latest) {
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    auto* adds = std::get_if<pending_adds>(&*i);
    if (adds != nullptr && adds->came > latest)
      return;
    uncount(*i);
    fail(*i, why);
    i = waiting_.erase(i);
  }
}

void stream_work_queue::fail_all(const failure& waiting,
                                 const failure& under_way) {
  for (auto& x : under_way_)
    fail(x, under_way);
  for (auto& x : waiting_)
    fail(x, waiting);
}

void stream_work_queue::uncount(const stream_work& x) {
  if (auto* adds = std::get_if<pending_adds>(&x)) {
    waiting_count_ -= adds->targets.size();
    waiting_bytes_ -= adds->batch.bytes();
  } else {
    --waiting_count_;
    waiting_bytes_ -= std::get<pending_operation>(x).commands->bytes.size();
  }
}

} // namespace pulse::internal
