#include "pulse-cli/session.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/core/log.hpp"

#include "common/output/event_json.hpp"
#include "common/output/event_text.hpp"
#include "common/units.hpp"

#include <iostream>

namespace pulse::apps {

session::session(const common_options& options) : options_(options) {
  // nop
}

int session::connect() {
  redis_options redis;
  redis.url = options_.url;
  redis.tls_ca_file = options_.tls_ca_file;
  redis.tls_cert_file = options_.tls_cert_file;
  redis.tls_key_file = options_.tls_key_file;
  redis.tls_server_name = options_.tls_server_name;
  if (const auto* password = std::getenv("PULSE_REDIS_PASSWORD"))
    redis.password = password;
  redis.connect_timeout = options_.timeout;
  redis.command_timeout = options_.timeout;
  redis.client_name = "pulse-cli";
  // Short commands print their result only. Commands that run for long call
  // start logging themselves.
  set_log_function(nullptr);
  actors_.emplace(config_);
  auto connected = pulse::system::connect(*actors_, redis);
  if (!connected)
    return report_error(connected.error());
  redis_.emplace(std::move(*connected));
  return exit_ok;
}

int report_error(const failure& why, const std::string& where) {
  std::cerr << "pulse: " << where << to_string(why);
  if (why.code == errc::auth_failed)
    std::cerr << "; the password comes from PULSE_REDIS_PASSWORD, or else from "
                 "the URL";
  std::cerr << '\n';
  switch (why.code) {
    case errc::invalid_name:
    case errc::invalid_option:
    case errc::invalid_pattern:
    case errc::invalid_endpoint:
    case errc::invalid_event_id:
      return exit_usage;
    case errc::no_such_stream:
      return exit_not_found;
    case errc::connect_failed:
    case errc::connection_lost:
    case errc::timed_out:
    case errc::auth_failed:
    case errc::tls_failed:
    case errc::loading:
      return exit_unreachable;
    default:
      return exit_failed;
  }
}

int report_error(const caf::error& why) {
  return report_error(to_failure(why));
}

int misused(const std::string& why) {
  std::cerr << "pulse: " << why << "; see pulse --help\n";
  return exit_usage;
}

CLI::Validator not_negative() {
  auto check = [](const std::string& text) {
    return text.compare(0, 1, "-") == 0 ? text + ": expected a number from 0"
                                        : std::string{};
  };
  return CLI::Validator{check, ""};
}

CLI::Option* add_duration(CLI::App& app, const std::string& option,
                          std::function<void(milliseconds)> set,
                          const std::string& help, const std::string& initial) {
  auto read = [option, set = std::move(set)](const std::string& text) {
    auto value = parse_duration(text);
    if (!value)
      throw CLI::ValidationError(option, value.error().what);
    set(*value);
  };
  auto* result = app.add_option_function<std::string>(option, std::move(read),
                                                      help);
  result->type_name("TIME");
  if (!initial.empty())
    result->default_str(initial);
  return result;
}

void selection::describe(CLI::App& command, const std::string& default_from) {
  from = default_from;
  command.add_option("STREAM", streams, "Streams to read")
    ->required()
    ->type_name("");
  command
    .add_option("--from", from,
                "Where to begin: newest, oldest, after an event\nID, at @<unix "
                "seconds> or at"
                "\n2026-11-23T10:00:00Z")
    ->type_name("POSITION")
    ->capture_default_str()
    ->check(
      [](const std::string& text) {
        auto position = parse_start_position(text);
        return position ? std::string{} : position.error().what;
      },
      "");
  command.add_option("--topic", topic, "Only events of this topic")
    ->type_name("TOPIC");
  command
    .add_option("--pattern", pattern,
                "Only events whose topic matches this (RE2)")
    ->type_name("REGEX")
    ->excludes("--topic");
}

event_handler printer(const common_options& options) {
  // This cannot fail for standard output.
  auto out = line_writer::open("").value();
  if (options.json)
    return write_lines(out, [](const event& x) { return json_line(x, {}); });
  return write_lines(out, text_line);
}

} // namespace pulse::apps
