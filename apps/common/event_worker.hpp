#pragma once

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system.hpp>

#include "common/output/line_writer.hpp"
#include "common/process/command.hpp"

#include <functional>
#include <memory>

namespace pulse::apps {

/// What a worker does with an event: success acknowledges it, a failure makes
/// the sink deliver it again later. May block.
using event_handler = std::function<status(const event&)>;

/// Spawns a subscriber that calls `handler` on a thread of its own, one event
/// at a time.
event_listener spawn_worker(caf::actor_system& sys, event_handler handler);

/// Turns an event into what is written about it, with its newline.
using event_format = std::function<std::string(const event&)>;

/// Writes a line per event.
event_handler write_lines(std::shared_ptr<line_writer> out,
                          event_format format);

/// How commands are run for events.
struct command_options {
  std::vector<std::string> argv;
  std::chrono::milliseconds timeout{30'000};
  /// Name of the reader; empty if a sink delivers.
  std::string reader;
  /// Name of the node; empty: none.
  std::string node;
  bool output_to_stderr = false;
  /// Kills the command when raised. Never null.
  std::shared_ptr<const stop_flag> stop;
};

/// Runs a command per event: payload on standard input; stream, ID, name,
/// topic, sink (or reader), deliveries and node in the environment; exit
/// status 0 is success.
event_handler run_commands(command_options options);

} // namespace pulse::apps
