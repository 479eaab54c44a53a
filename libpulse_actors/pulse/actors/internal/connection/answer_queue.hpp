#pragma once

#include <caf/error.hpp>
#include <caf/response_promise.hpp>

#include <cstdint>
#include <deque>
#include <utility>

namespace pulse::internal {

/// Promises with consecutive numbers. Most of them are settled in order, so a
/// queue is enough, and cheaper than a map. CAF 0.17.6 sends no reply for a
/// promise that is destroyed, so the owner of the queue must settle all of
/// them.
class answer_queue {
public:
  /// @returns the number of `x`.
  uint64_t push(caf::response_promise x) {
    promises_.push_back(std::move(x));
    return first_ + promises_.size() - 1;
  }

  /// Settles promise number `n` with a value or a `caf::error`. Has no effect
  /// if it was settled before.
  template <class T>
  void settle(uint64_t n, T&& x) {
    if (n < first_ || n - first_ >= promises_.size())
      return;
    promises_[n - first_].deliver(std::forward<T>(x));
    for (; !promises_.empty() && !promises_.front().pending(); ++first_)
      promises_.pop_front();
  }

  void fail_all(const caf::error& why) {
    for (auto& x : promises_)
      if (x.pending())
        x.deliver(why);
    first_ += promises_.size();
    promises_.clear();
  }

private:
  std::deque<caf::response_promise> promises_;
  uint64_t first_ = 0;
};

} // namespace pulse::internal
