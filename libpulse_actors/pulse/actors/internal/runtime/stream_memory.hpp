#pragma once

#include "pulse/core/reading/cursor_set.hpp"
#include "pulse/core/start_position.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace pulse::internal {

/// The streams of a reader or sink, which it notes here when it terminates. The
/// one that replaces it after a defect goes on with them. The supervisor owns
/// the memory; any thread may use it.
class stream_memory {
public:
  struct content {
    /// Streams whose position is not known or is stored in Redis: where to
    /// begin if nothing else is known.
    std::map<std::string, start_position> starts;
    /// The name that a sink has in Redis as a consumer; empty for a reader.
    std::string consumer;
    /// Streams of a reader: up to where its subscribers have got the events.
    cursor_set::map_type cursors;
  };

  void put(content x) {
    std::lock_guard<std::mutex> guard{mutex_};
    content_ = std::move(x);
  }

  /// @returns what was put last; nullopt if nothing was put since the last
  /// call.
  std::optional<content> take() {
    std::lock_guard<std::mutex> guard{mutex_};
    return std::exchange(content_, std::nullopt);
  }

private:
  std::mutex mutex_;
  std::optional<content> content_;
};

} // namespace pulse::internal
