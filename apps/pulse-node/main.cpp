#include "pulse/actors/config.hpp"

#include "common/output/log_setup.hpp"
#include "common/process/signals.hpp"
#include "pulse-node/config/dump.hpp"
#include "pulse-node/config/file.hpp"
#include "pulse-node/node.hpp"
#include <CLI/CLI.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <thread>

using namespace pulse;
using namespace pulse::apps;

namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;

struct arguments {
  std::string file;
  bool check = false;
  bool dump = false;
  bool no_wait = false;
  bool exit_with_parent = false;
  std::vector<setting> settings;
};

/// An option that overrides a key of the file.
void add_setting(CLI::App& app, arguments& args, const std::string& option,
                 const std::string& section, const std::string& key,
                 const std::string& help) {
  app
    .add_option_function<std::string>(
      option,
      [&args, option, section, key](const std::string& value) {
        args.settings.push_back({section, key, value, option});
      },
      help)
    ->type_name("TEXT");
}

void describe_arguments(CLI::App& app, arguments& args) {
  app.add_option("-c,--config", args.file, "Configuration file (TOML)")
    ->required()
    ->type_name("FILE");
  app.add_flag("--check", args.check, "Check the configuration and exit");
  app.add_flag("--dump-config", args.dump,
               "Print the effective configuration and exit");
  app.add_flag("--no-wait", args.no_wait,
               "Fail if Redis does not answer;\ndefault: wait for it");
  app.add_flag("--exit-with-parent", args.exit_with_parent,
               "Stop as on SIGTERM when the parent process ends");
  app.set_version_flag("--version", "pulse-node " PULSE_VERSION);
  add_setting(app, args, "--redis-url", "redis", "url", "[redis] url");
  add_setting(app, args, "--name", "node", "name", "[node] name");
  add_setting(app, args, "--listen", "node", "listen", "[node] listen");
  add_setting(app, args, "--log-level", "node", "log_level",
              "[node] log_level");
  app.footer(
    R"(Every key of [redis], [node] and [caf] can also be set in the environment:
PULSE_REDIS_URL, PULSE_NODE_NAME, PULSE_CAF_THREADS and so on; the password is
PULSE_REDIS_PASSWORD. The command line wins over the environment, which wins
over the file. JSON lines go to standard output, logs to standard error.

On SIGTERM or SIGINT the node stops reading, waits for the running handlers,
acknowledges their events, leaves the other events to other nodes, and exits.
A second signal ends it at once.

Exit status: 0 if the node ended well, 1 if it failed while it ran, 2 if the
usage or the configuration is wrong (nothing was started), 130 or 143 after a
second signal.

Examples:
  pulse-node --config /etc/pulse/node.toml --check
  PULSE_REDIS_URL=redis://10.0.0.5:6379 pulse-node -c node.toml --name web-1)");
}

std::string host_name() {
  char buffer[256] = {};
  if (gethostname(buffer, sizeof(buffer) - 1) != 0 || buffer[0] == '\0')
    return "localhost";
  return buffer;
}

pulse::config make_caf_config(const caf_section& x) {
  pulse::config result;
  if (x.threads > 0)
    result.set(PULSE_CAF_OPTION("scheduler.max-threads"),
               static_cast<size_t>(x.threads));
  result.set(PULSE_CAF_OPTION("middleman.heartbeat-interval"),
             caf::timespan{x.heartbeat_interval});
  result.set(PULSE_CAF_OPTION("middleman.connection-timeout"),
             caf::timespan{x.connection_timeout});
  return result;
}

int fail(const failure& why) {
  log(log_level::error, "node", to_string(why));
  return exit_failure;
}

/// Runs until a signal comes or the start fails.
int run(const node_config& config, bool wait_for_redis, stop_signals& signals) {
  auto caf_config = make_caf_config(config.caf);
  caf::actor_system sys{caf_config};
  auto made = node::make(sys, config);
  if (!made)
    return fail(made.error());
  auto& running = **made;
  // The start may wait for Redis for a long time. It runs in a thread, so that
  // a signal can end the wait.
  status started;
  stop_flag start_ended;
  std::thread starter{[&] {
    started = running.start(wait_for_redis);
    start_ended.raise();
  }};
  int signal = signals.wait(&start_ended);
  if (signal == 0) {
    starter.join();
    if (!started)
      return fail(started.error());
    while (signal == 0)
      signal = signals.wait();
  }
  log(log_level::info, "node " + config.node.name,
      std::string{signal == SIGINT ? "SIGINT" : "SIGTERM"} + ": draining");
  signals.exit_on_next(kill_running_commands);
  const auto closed = running.close();
  if (starter.joinable())
    starter.join();
  if (!closed) {
    fail({closed.error().code,
          "the drain did not end within drain_timeout; other nodes get the "
          "events whose handlers still run: "
            + closed.error().what});
    // A handler that hangs would also block the destructors.
    _exit(exit_failure);
  }
  log(log_level::info, "node " + config.node.name, "drained");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs the streams, sinks and readers that a file describes.",
               "pulse-node"};
  arguments args;
  describe_arguments(app, args);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  if (args.exit_with_parent)
    prctl(PR_SET_PDEATHSIG, SIGTERM);
  auto settings = environment_settings();
  settings.insert(settings.end(), args.settings.begin(), args.settings.end());
  auto [config, errors] = load_config(args.file, settings);
  for (const auto& x : errors)
    std::cerr << x << '\n';
  if (!errors.empty())
    return exit_usage;
  if (config.node.name.empty())
    config.node.name = host_name();
  if (args.dump || args.check) {
    if (args.dump)
      std::cout << dump(config);
    else
      std::cout << args.file << ": the configuration is valid\n";
    return 0;
  }
  // It blocks signals for this thread and for the threads that this thread
  // starts, so it must be made before the first thread starts.
  stop_signals signals;
  start_logging(config.node.log_level);
  return run(config, !args.no_wait, signals);
}
