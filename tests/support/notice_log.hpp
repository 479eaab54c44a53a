#pragma once

#include "pulse/core/notice.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace pulse::test {

/// Records notices, for a test thread that waits for one.
class notice_log {
public:
  /// A function for on_notice(). The log must outlive the actor that calls it.
  std::function<void(const notice&)> listener() {
    return [this](const notice& x) {
      std::unique_lock guard{mutex_};
      notices_.push_back(x);
      changed_.notify_all();
    };
  }

  /// Waits for the first notice for which `fits` holds; nullopt if that takes
  /// too long.
  std::optional<notice>
  wait(const std::function<bool(const notice&)>& fits,
       std::chrono::milliseconds limit = std::chrono::seconds{20}) {
    std::unique_lock guard{mutex_};
    std::optional<notice> result;
    changed_.wait_for(guard, limit, [&] {
      for (const auto& x : notices_)
        if (!result && fits(x))
          result = x;
      return result.has_value();
    });
    return result;
  }

  std::optional<notice> wait(notice_kind kind, std::chrono::milliseconds limit
                                               = std::chrono::seconds{20}) {
    return wait([kind](const notice& x) { return x.kind == kind; }, limit);
  }

  std::vector<notice> all() {
    std::unique_lock guard{mutex_};
    return notices_;
  }

  /// Sum of `lost_at_most` of all gaps.
  uint64_t lost() {
    uint64_t result = 0;
    for (const auto& x : all())
      if (x.kind == notice_kind::gap)
        result += x.lost_at_most;
    return result;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<notice> notices_;
};

} // namespace pulse::test
