#pragma once

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system.hpp>

#include "common/event_worker.hpp"
#include "pulse-node/config/node_config.hpp"

#include <memory>
#include <vector>

namespace pulse::apps {

/// Runs what a configuration describes. Its functions block. `close()` may be
/// called while another thread is in `start()`, which then fails.
class node {
public:
  /// @param config Must be valid. Its node has a name.
  /// Error: as spawn_root().
  static outcome<std::unique_ptr<node>> make(caf::actor_system& sys,
                                             node_config config);

  /// Ends all actors. Does not drain; close() does.
  ~node();

  /// Waits for Redis, then opens everything, subscribes the workers and
  /// publishes the root.
  /// @param wait_for_redis Whether to try again while Redis cannot be reached;
  /// otherwise one failed attempt is an error.
  status start(bool wait_for_redis);

  /// Drains within `drain_timeout`, then kills the commands that still run.
  /// Error: `errc::timed_out` if the deadline passed.
  status close();

private:
  node(caf::actor_system& sys, node_config config, root_actor root);

  status reach_redis(bool wait);
  status open_streams();
  status open_sink(const sink_section& x);
  status open_reader(const reader_section& x);
  status publish();

  /// What the workers of a target do with an event.
  outcome<event_handler> handler_of(const target_options& target,
                                    const std::string& reader,
                                    milliseconds timeout);

  /// Spawns the workers of a target and subscribes them.
  status subscribe(const reader_actor& to, const target_options& target,
                   const event_handler& handler);

  caf::actor_system& sys_;
  node_config config_;
  root_actor root_;
  std::shared_ptr<stop_flag> stop_commands_ = std::make_shared<stop_flag>();
  // All workers that write to standard output share one writer, so that their
  // lines do not mix.
  std::shared_ptr<line_writer> output_;
  std::vector<event_listener> workers_;
};

} // namespace pulse::apps
