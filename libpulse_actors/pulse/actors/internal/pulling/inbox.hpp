#pragma once

#include "pulse/actors/inbox.hpp"
#include "pulse/actors/internal/pulling/source.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace pulse::internal {

/// The reader or sink of an inbox.
struct pull_endpoint {
  /// Returns its actor. After a restart that is another one.
  std::function<caf::actor()> find;
  /// Subscribes the source of the inbox.
  std::function<caf::expected<void>(const event_listener&)> subscribe;
};

/// What the inboxes of sinks and readers have in common.
class inbox_core {
public:
  /// Creates an inbox that is not subscribed. Error: `internal`, if the process
  /// has no free file descriptor.
  /// @param options Without `from`.
  static caf::expected<std::unique_ptr<inbox_core>>
  make(caf::actor_system& sys, pull_source_options options, pull_endpoint from);

  inbox_core(caf::actor_system& sys, pull_source_options options,
             pull_endpoint from, std::shared_ptr<pull_queue> queue);
  inbox_core(const inbox_core&) = delete;
  inbox_core& operator=(const inbox_core&) = delete;

  ~inbox_core() {
    close();
  }

  /// Starts a source.
  caf::expected<void> subscribe();

  caf::expected<std::vector<delivery>> get(size_t most, milliseconds limit);
  void close();

  [[nodiscard]] const pull_queue& queue() const noexcept {
    return *queue_;
  }

private:
  caf::actor_system& sys_;
  pull_source_options options_;
  pull_endpoint from_;
  std::shared_ptr<pull_queue> queue_;
  std::mutex mutex_;
  pull_source source_;
};

} // namespace pulse::internal
