#include "pulse/core/streams/trim_schedule.hpp"

#include <algorithm>

namespace pulse {

namespace {

constexpr uint64_t smallest_step = 256;
constexpr std::chrono::seconds interval{1};

// Redis removes whole nodes of a stream, so a small stream exceeds its limit by
// some nodes without any fault.
constexpr uint64_t first_alarm(uint64_t max_len) {
  constexpr uint64_t slack = 1'000;
  return std::max(max_len * 2, max_len + slack);
}

} // namespace

trim_schedule::trim_schedule(uint64_t max_len) noexcept
  : max_len_(max_len),
    step_(std::max(smallest_step, max_len / 100)),
    alarm_at_(first_alarm(max_len)) {
  // nop
}

void trim_schedule::set_max_len(uint64_t max_len) noexcept {
  if (max_len == max_len_)
    return;
  const trim_schedule fresh{max_len};
  max_len_ = fresh.max_len_;
  step_ = fresh.step_;
  alarm_at_ = fresh.alarm_at_;
}

bool trim_schedule::added(uint64_t events, time_point now) noexcept {
  pending_ += events;
  if (max_len_ == 0 || running_ || pending_ == 0)
    return false;
  if (last_ && pending_ < step_ && now - *last_ < interval)
    return false;
  return wanted(now);
}

bool trim_schedule::wanted(time_point now) noexcept {
  if (running_)
    return false;
  running_ = true;
  last_ = now;
  pending_ = 0;
  return true;
}

bool trim_schedule::alarming(uint64_t length) noexcept {
  if (length < alarm_at_) {
    // The length is normal again: warn again when it exceeds the limit next
    // time.
    if (length <= max_len_ + max_len_ / 2)
      alarm_at_ = first_alarm(max_len_);
    return false;
  }
  alarm_at_ = length * 2;
  return true;
}

} // namespace pulse
