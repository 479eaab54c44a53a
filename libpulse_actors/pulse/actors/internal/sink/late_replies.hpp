#pragma once

#include "pulse/resp/command_batch.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace pulse::internal {

/// The commands of a sink that bring events and whose replies are missing.
/// Redis has assigned the events of such a reply to the sink, but the sink does
/// not know them until the whole reply is there. If it arrives slowly, the
/// leases of its streams must be renewed meanwhile.
class late_replies {
public:
  using time_point = caf::actor_clock::time_point;

  struct command {
    std::vector<uint32_t> streams;
    /// Time since boot at which the command was sent.
    std::chrono::nanoseconds sent{};
    /// After this time the reply is late.
    time_point late_at;
    std::shared_ptr<reply_progress> progress
      = std::make_shared<reply_progress>();

    /// @returns whether the leases of the streams must be renewed. A reply of
    /// which nothing arrives may be missing because Redis is away.
    [[nodiscard]] bool is_arriving(time_point now) const {
      return late_at <= now && progress->arriving;
    }
  };

  /// Notes that a command is being sent.
  /// @returns its number.
  uint64_t add(command x) {
    all_.emplace(++last_, std::move(x));
    return last_;
  }

  /// The command has ended.
  void remove(uint64_t number) {
    all_.erase(number);
  }

  /// Calls `fn` with each command whose late reply is arriving.
  template <class F>
  void for_each_arriving(time_point now, F fn) const {
    for (const auto& [number, x] : all_)
      if (x.is_arriving(now))
        fn(x);
  }

  /// @returns whether the late reply of a command arrives that may bring events
  /// of `stream`.
  [[nodiscard]] bool is_arriving(uint32_t stream, time_point now) const {
    return std::any_of(all_.begin(), all_.end(), [=](const auto& x) {
      const auto& from = x.second.streams;
      return x.second.is_arriving(now)
             && std::find(from.begin(), from.end(), stream) != from.end();
    });
  }

  /// @returns when a reply becomes late that is not late at `now`.
  [[nodiscard]] time_point next_late(time_point now) const {
    auto result = time_point::max();
    for (const auto& [number, x] : all_)
      if (x.late_at > now)
        result = std::min(result, x.late_at);
    return result;
  }

  /// @returns whether a reply is late, so that the sink has to look often
  /// whether it arrives.
  [[nodiscard]] bool any_late(time_point now) const {
    return std::any_of(all_.begin(), all_.end(), [now](const auto& x) {
      return x.second.late_at <= now;
    });
  }

private:
  std::map<uint64_t, command> all_;
  uint64_t last_ = 0;
};

} // namespace pulse::internal
