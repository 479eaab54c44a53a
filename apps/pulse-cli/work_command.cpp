#include "pulse/core/log.hpp"

#include "common/log_setup.hpp"
#include "common/units.hpp"
#include "pulse-cli/session.hpp"

#include <atomic>

namespace pulse::apps {

namespace {

struct work_options {
  sink_options sink;
  selection what;
  std::string ack_wait = "30s";
  uint32_t workers = 1;
  uint64_t count = 0;
  std::vector<std::string> command;
};

/// Lets `handler` have `count` events (0: all), then raises `done`; what comes
/// later goes back to the sink.
event_handler limited(event_handler handler, uint64_t count,
                      std::shared_ptr<stop_flag> done) {
  auto taken = std::make_shared<std::atomic<uint64_t>>(0);
  auto ended = std::make_shared<std::atomic<uint64_t>>(0);
  return [=](const event& x) -> status {
    if (count > 0 && taken->fetch_add(1) >= count)
      return failure{errc::handler_failed, "this worker had its --count"};
    auto result = handler(x);
    if (!result)
      log(log_level::warning, "work",
          result.error().what + "; it is delivered again later");
    if (ended->fetch_add(1) + 1 == count)
      done->raise();
    return result;
  };
}

int work(session& in, work_options options) {
  start_logging(pulse::log_level::warning);
  auto ack_wait = parse_duration(options.ack_wait);
  if (!ack_wait)
    return misused("--ack-wait: " + ack_wait.error().what);
  options.sink.ack_wait = *ack_wait;
  if (auto result = options.what.apply(options.sink); !result)
    return complain(result.error());
  // One at a time per worker: what waits behind a long event could be with
  // another process instead.
  options.sink.credit = 1;
  auto sink = in.redis().sink(options.sink);
  if (!sink)
    return complain(sink.error());
  auto done = std::make_shared<stop_flag>();
  auto handler = options.command.empty()
                   ? printer(in.options())
                   : run_commands({options.command,
                                   *ack_wait,
                                   {},
                                   {},
                                   false,
                                   std::make_shared<stop_flag>()});
  handler = limited(handler, options.count, done);
  std::vector<event_listener> workers;
  int status = exit_ok;
  for (uint32_t i = 0; i < options.workers && status == exit_ok; ++i) {
    workers.push_back(spawn_worker(in.actors(), handler));
    if (auto result = sink->subscribe(workers.back()); !result)
      status = complain(result.error());
  }
  if (status == exit_ok)
    in.signals().wait(done.get());
  in.signals().exit_on_next(kill_running_commands);
  if (auto closed = sink->close(); !closed && status == exit_ok)
    status = complain(closed.error());
  kill_running_commands();
  for (auto& x : workers)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return status;
}

} // namespace

void describe_work(CLI::App& app, const std::vector<std::string>& command,
                   action& chosen) {
  auto* sub = app.add_subcommand(
    "work", "Take events of a sink: print, or run a command");
  auto options = std::make_shared<work_options>();
  sub
    ->add_option("SINK", options->sink.name,
                 "Sink: workers of the same one share its events")
    ->required()
    ->type_name("");
  options->what.describe(*sub, "newest");
  sub
    ->add_option("-w,--workers", options->workers,
                 "Events handled at the same time")
    ->type_name("N")
    ->check(CLI::Range(1u, 1000u))
    ->capture_default_str();
  sub
    ->add_option("--ack-wait", options->ack_wait,
                 "When a command is killed and its event\nis given to another")
    ->type_name("TIME")
    ->capture_default_str();
  sub
    ->add_option("--max-deliveries", options->sink.max_deliveries,
                 "Deliveries after which an event becomes a dead\n"
                 "letter (see pulse dead); 0: never")
    ->type_name("N")
    ->capture_default_str();
  sub->add_option("-n,--count", options->count, "End after that many events")
    ->type_name("N");
  sub->footer(
    R"(An event is acknowledged when it was printed, or when the command exited with
status 0; otherwise it is delivered again, to any worker of the sink. --from
counts only when the sink is new.

The command gets the payload on standard input, and PULSE_STREAM, PULSE_ID,
PULSE_NAME, PULSE_TOPIC, PULSE_SINK and PULSE_DELIVERIES in its environment.

SIGTERM or Ctrl-C: let running commands end (10s at most), acknowledge, exit
with status 0. A second one exits at once.

Examples:
  pulse work billing orders --from oldest
  pulse work mailer orders --workers 4 -- /usr/local/bin/send-mail --quiet
  pulse work images uploads --ack-wait 5m -- sh -c 'convert - "$PULSE_ID.png"')");
  sub->callback([options, &command, &chosen] {
    options->command = command;
    chosen = [options](session& in) { return work(in, *options); };
  });
}

} // namespace pulse::apps
