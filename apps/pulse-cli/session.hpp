#pragma once

#include "pulse/actors/config.hpp"
#include "pulse/actors/system.hpp"

#include <caf/send.hpp>

#include "common/event_worker.hpp"
#include "common/process/signals.hpp"
#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

// What all subcommands share: the connection, the exit statuses and how
// mistakes and events are printed.

namespace pulse::apps {

/// Exit statuses, for scripts.
enum exit_status : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_not_found = 3,
  exit_unreachable = 4,
};

/// Options that stand before or after any subcommand.
struct common_options {
  std::string url;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_server_name;
  milliseconds timeout{5'000};
  bool json = false;
};

/// A connection to Redis for the time of one subcommand.
class session {
public:
  explicit session(const common_options& options);

  /// Connects. @returns an exit status; if it is not `exit_ok`, the reason was
  /// printed.
  int connect();

  /// @pre connected
  [[nodiscard]] pulse::system& redis() {
    return *redis_;
  }

  [[nodiscard]] caf::actor_system& actors() {
    return *actors_;
  }

  [[nodiscard]] const common_options& options() const {
    return options_;
  }

  [[nodiscard]] stop_signals& signals() {
    return signals_;
  }

private:
  // The order matters: signals are blocked before threads start, and Redis is
  // left before the actor system ends.
  stop_signals signals_;
  const common_options& options_;
  pulse::config config_;
  std::optional<caf::actor_system> actors_;
  std::optional<pulse::system> redis_;
};

/// What a subcommand does after the command line was read; returns the exit
/// status.
using action = std::function<int(session&)>;

/// Adds an option that takes a duration such as "15s" and passes it to `set`.
/// Help shows `initial` as the default if it is not empty.
CLI::Option* add_duration(CLI::App& app, const std::string& option,
                          std::function<void(milliseconds)> set,
                          const std::string& help,
                          const std::string& initial = {});

/// @returns a check for options that take a number from 0. Without it, CLI11
/// reads a negative number as a very large one.
CLI::Validator not_negative();

/// Each function adds one subcommand, which sets `chosen` if it is used.
void describe_add(CLI::App& app, action& chosen);
void describe_tail(CLI::App& app, action& chosen);
void describe_work(CLI::App& app, const std::vector<std::string>& command,
                   action& chosen);
void describe_info(CLI::App& app, action& chosen);
void describe_retention(CLI::App& app, action& chosen);
void describe_dead(CLI::App& app, action& chosen);

/// Prints "pulse: …" on standard error. @returns the exit status for that
/// failure.
int report_error(const failure& why, const std::string& where = {});
int report_error(const caf::error& why);

/// Prints a mistake of usage. @returns `exit_usage`.
int misused(const std::string& why);

/// Which events to read, from where: the options of `tail` and `work`.
struct selection {
  std::vector<std::string> streams;
  std::string from;
  std::string topic;
  std::string pattern;

  void describe(CLI::App& command, const std::string& default_from);

  /// Fills in the options of a reader or a sink. Error: `invalid_option`.
  template <class Options>
  status apply(Options& to) const {
    auto start = parse_start_position(from);
    if (!start)
      return start.error();
    to.streams = streams;
    to.start = *start;
    to.filter.topic = topic;
    to.filter.topic_pattern = pattern;
    return validate(to);
  }
};

/// Prints events on standard output, as JSON or for people.
event_handler printer(const common_options& options);

} // namespace pulse::apps
