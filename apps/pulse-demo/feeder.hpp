#pragma once

#include "pulse/actors/type_ids.hpp"

#include "pulse-demo/tally.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pulse::apps {

/// Adds lines to a stream, on a thread of its own: in batches, a few of them
/// under way at a time, up to a limit that is raised step by step.
class feeder {
public:
  /// @param lines Must outlive this object; so must `totals`.
  feeder(caf::actor_system& sys, stream_actor stream,
         const std::vector<std::string>& lines, tally& totals);

  /// Stops adding.
  ~feeder();

  /// Lets that many more lines be added.
  void release(size_t lines);

  /// Lines that are not released yet.
  [[nodiscard]] size_t held_back() const;

  /// @returns whether it has ended: all lines were added, or there is an
  /// error().
  [[nodiscard]] bool done() const {
    return done_.load();
  }

  /// Why it ended early. @pre done()
  [[nodiscard]] const status& error() const {
    return error_;
  }

private:
  void run(caf::actor_system& sys, const stream_actor& stream);
  status add(caf::actor_system& sys, const stream_actor& stream, size_t begin,
             size_t end);

  const std::vector<std::string>& lines_;
  tally& tally_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  size_t limit_ = 0;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> done_{false};
  status error_;
  std::thread thread_;
};

} // namespace pulse::apps
