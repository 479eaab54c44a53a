#pragma once

#include "pulse/core/log.hpp"
#include "pulse/core/options.hpp"

#include <string>
#include <vector>

// What a configuration file of pulse-node describes, as plain structs. Names
// and defaults of streams, readers and sinks are those of core/options.hpp;
// the keys of the file are listed in keys.hpp.

namespace pulse::apps {

/// [redis]
struct redis_section {
  redis_options options;
};

/// [node]
struct node_section {
  /// In logs and JSON lines; empty: the host's name.
  std::string name;
  /// "host:port" where actors of other CAF nodes find the root; empty:
  /// nowhere. "" as host: all interfaces.
  std::string listen;
  pulse::log_level log_level = pulse::log_level::info;
  /// How long SIGTERM may take, all in all.
  milliseconds drain_timeout{15'000};
};

/// [caf]
struct caf_section {
  /// Threads that run actors; 0: one per core, at least four.
  uint32_t threads = 0;
  /// Between CAF nodes: how often a sign of life is sent, and after how long
  /// without one a node counts as lost.
  milliseconds heartbeat_interval{1'000};
  milliseconds connection_timeout{5'000};
};

enum class target_kind : uint8_t {
  /// Writes one JSON line per event.
  log,
  /// Runs a command per event.
  exec,
  /// Actors of other nodes subscribe; nothing happens here.
  remote,
};

std::string to_string(target_kind x);
status from_string(std::string_view text, target_kind& x);
status from_string(std::string_view text, pulse::log_level& x);

/// Where the events of a sink or a reader go.
struct target_options {
  target_kind kind = target_kind::log;
  /// log: appended to; empty: standard output.
  std::string file;
  /// exec: program and arguments; searched in PATH, no shell.
  std::vector<std::string> command;
  /// log, exec: events handled at the same time.
  uint32_t workers = 1;
  /// exec of a reader: when a command is killed. (A sink has `ack_wait`.)
  milliseconds timeout{30'000};
};

/// [[sink]]
struct sink_section {
  sink_options options;
  target_options target;
};

/// [[reader]]
struct reader_section {
  reader_options options;
  target_options target;
};

struct node_config {
  redis_section redis;
  node_section node;
  caf_section caf;
  std::vector<stream_options> streams;
  std::vector<sink_section> sinks;
  std::vector<reader_section> readers;
};

/// A parsed `listen`.
struct listen_address {
  std::string host;
  uint16_t port = 0;
};

/// Error: `errc::invalid_option`.
outcome<listen_address> parse_listen(std::string_view text);

/// @returns the URL without its password, for logs and dumps.
std::string public_url(const std::string& url);

} // namespace pulse::apps
