#pragma once

#include "pulse/core/event_id.hpp"

#include "support/pending_replies.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pulse::test {

/// The events in a fake Redis that no node owns: those that wait for their next
/// attempt, and those that a node gave back.
class unowned_entries {
public:
  using argv = std::vector<std::string>;
  using time_point = std::chrono::steady_clock::time_point;

  explicit unowned_entries(std::function<time_point()> now)
    : now_(std::move(now)) {
    // nop
  }

  /// Executes the script delay: EVALSHA sha 2 stream key group consumer lease,
  /// then ID, counts and pause of each event. @returns its reply.
  std::string delay(const argv& x) {
    add(x, 8);
    return array_of(5) + state(x[3]) + array_of(0) + array_of(0) + ":0\r\n";
  }

  /// Executes the script release: EVALSHA sha 3 stream key key group consumer
  /// lease scope, then ID, counts and pause of each event. @returns its reply.
  std::string release(const argv& x) {
    add(x, 10);
    return array_of(5) + ":" + std::to_string((x.size() - 10) / 3)
           + "\r\n:1\r\n" + array_of(0) + array_of(0) + ":0\r\n";
  }

  /// Executes the script take_over in a Redis where no node died: EVALSHA sha 3
  /// stream key key group consumer lease limit scope. @returns its reply.
  std::string take_over(const argv& x) {
    std::vector<entry_at> due;
    for (const auto& y : std::exchange(all_, {})) {
      const bool taken = y.stream == x[3] && y.due <= now_()
                         && due.size() < std::stoull(x[9])
                         && (x[10] == "all" || y.consumer == "delayed");
      (taken ? due : all_).push_back(y);
    }
    std::sort(due.begin(), due.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    std::vector<pending_fact> facts;
    auto list = array_of(due.size());
    for (const auto& y : due) {
      facts.push_back({y.id.ms, y.consumer, y.counts});
      list += entry(y.id.ms);
    }
    return array_of(7) + state(x[3]) + ":0\r\n:0\r\n" + pending(facts)
           + array_of(0) + list;
  }

  /// Executes XACK stream group ID…
  void acknowledge(const argv& x) {
    auto is_acked = [&](const entry_at& y) {
      return y.stream == x[1]
             && std::count(x.begin() + 3, x.end(), to_string(y.id)) > 0;
    };
    all_.erase(std::remove_if(all_.begin(), all_.end(), is_acked), all_.end());
  }

private:
  // Three arguments for each event, from `first` on.
  void add(const argv& x, size_t first) {
    for (size_t i = first; i < x.size(); i += 3) {
      const auto pause = std::stoll(x[i + 2]);
      all_.push_back(
        {x[3], pause < 0 ? "released" : "delayed", *parse_event_id(x[i]),
         std::stoll(x[i + 1]),
         now_() + std::chrono::milliseconds{std::max(pause, 0ll)}});
    }
  }

  struct entry_at {
    std::string stream;
    std::string consumer;
    event_id id;
    int64_t counts = 0;
    time_point due;
  };

  // How many events of the stream wait, and when the next one is due.
  std::string state(const std::string& stream) {
    int64_t waiting = 0;
    int64_t next = -1;
    for (const auto& x : all_)
      if (x.stream == stream && x.consumer == "delayed") {
        ++waiting;
        const auto in
          = std::chrono::ceil<std::chrono::milliseconds>(x.due - now_())
              .count();
        next = next < 0 ? std::max<int64_t>(in, 0)
                        : std::min(next, std::max<int64_t>(in, 0));
      }
    return ":" + std::to_string(waiting) + "\r\n:" + std::to_string(next)
           + "\r\n";
  }

  std::function<time_point()> now_;
  std::vector<entry_at> all_;
};

} // namespace pulse::test
