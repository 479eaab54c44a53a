#include "pulse/core/nearest.hpp"

#include "common/units.hpp"
#include "pulse-cli/session.hpp"

#include <algorithm>
#include <iostream>

using namespace pulse::apps;

namespace {

void describe_tls(CLI::App& app, common_options& options) {
  auto add = [&](const char* option, std::string& value, const char* variable,
                 const char* type, const char* help) {
    app.add_option(option, value, help)->envname(variable)->type_name(type);
  };
  add("--tls-ca", options.tls_ca_file, "PULSE_REDIS_TLS_CA_FILE", "FILE",
      "Certificate authorities to trust (PEM);\ndefault: the system's");
  add("--tls-cert", options.tls_cert_file, "PULSE_REDIS_TLS_CERT_FILE", "FILE",
      "Certificate to show to the server (PEM)");
  add("--tls-key", options.tls_key_file, "PULSE_REDIS_TLS_KEY_FILE", "FILE",
      "Key of that certificate (PEM, not encrypted)");
  add("--tls-server-name", options.tls_server_name,
      "PULSE_REDIS_TLS_SERVER_NAME", "NAME",
      "Name in the server's certificate;\ndefault: the host of the URL");
}

void describe_common(CLI::App& app, common_options& options) {
  app
    .add_option(
      "--url", options.url,
      "redis://user:password@host:port/db,\nrediss://... for TLS, or\n"
      "unix:///path?db=n")
    ->envname("PULSE_REDIS_URL")
    ->type_name("URL")
    ->capture_default_str();
  describe_tls(app, options);
  add_duration(
    app, "--timeout",
    [&](std::chrono::milliseconds x) {
      if (x.count() <= 0)
        throw CLI::ValidationError("--timeout", "expected at least 1ms");
      options.timeout = x;
    },
    "How long to wait for Redis", duration_text(options.timeout));
  app.add_flag("--json", options.json, "Print JSON, one object per line");
  app.set_version_flag("--version", "pulse " PULSE_VERSION);
  app.require_subcommand(1);
  app.footer(R"(The password may also come from PULSE_REDIS_PASSWORD.

Exit status: 0 success, 1 failure, 2 wrong usage, 3 the stream does not exist,
4 Redis cannot be reached or refuses the login.

Run `pulse COMMAND --help` for options and examples.)");
}

/// CLI11 only says that a subcommand is missing if there is a wrong one.
std::string unknown_command(const CLI::App& app) {
  const auto words = app.remaining();
  if (words.empty() || !app.get_subcommands().empty())
    return "";
  std::vector<std::string> known;
  for (const auto* x : app.get_subcommands({}))
    known.push_back(x->get_name());
  const auto meant = pulse::nearest(words.front(), known);
  return "\"" + words.front() + "\" is not a command"
         + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?") + "\n";
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Adds, reads and handles events of durable streams in Redis.",
               "pulse"};
  // The words after "--" are a command that `pulse work` runs.
  auto* const* end = argv + argc;
  auto* const* split = std::find(argv, argv + argc, std::string_view{"--"});
  std::vector<std::string> command{split == end ? split : split + 1, end};
  common_options options;
  options.url = "redis://127.0.0.1:6379";
  describe_common(app, options);
  action chosen;
  describe_add(app, chosen);
  describe_tail(app, chosen);
  describe_work(app, command, chosen);
  describe_info(app, chosen);
  describe_retention(app, chosen);
  describe_dead(app, chosen);
  for (auto* sub : app.get_subcommands({})) {
    sub->fallthrough();
    for (auto* nested : sub->get_subcommands({}))
      nested->fallthrough();
  }
  try {
    app.parse(static_cast<int>(split - argv), argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0)
      return app.exit(e);
    return misused(unknown_command(app) + e.what());
  }
  if (split != end && !app.got_subcommand("work"))
    return misused("only `pulse work` takes a command after --");
  session in{options};
  if (const int status = in.connect(); status != exit_ok)
    return status;
  return chosen(in);
}
