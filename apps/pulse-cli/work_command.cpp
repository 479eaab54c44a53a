#include "pulse/core/log.hpp"

#include "common/output/log_setup.hpp"
#include "common/units.hpp"
#include "pulse-cli/session.hpp"

#include <atomic>

namespace pulse::apps {

namespace {

struct work_options {
  sink_options sink;
  selection what;
  uint32_t workers = 1;
  uint64_t count = 0;
  std::vector<std::string> command;
};

/// Gives at most `count` events (0: all) to `handler`, then raises `done`.
/// Later events fail, so that the sink delivers them again.
event_handler limited(event_handler handler, uint64_t count,
                      std::shared_ptr<stop_flag> done) {
  auto taken = std::make_shared<std::atomic<uint64_t>>(0);
  auto ended = std::make_shared<std::atomic<uint64_t>>(0);
  return [=](const event& x) -> status {
    if (count > 0 && taken->fetch_add(1) >= count)
      return failure{errc::handler_failed,
                     "this worker has handled as many events as --count says"};
    auto result = handler(x);
    if (!result)
      log(log_level::warning, "work",
          result.error().what + "; the sink delivers the event again later");
    if (ended->fetch_add(1) + 1 == count)
      done->raise();
    return result;
  };
}

int work(session& in, work_options options) {
  held_log early;
  if (auto result = options.what.apply(options.sink); !result)
    return report_error(result.error());
  auto sink = in.redis().sink(options.sink);
  if (!sink)
    return report_error(sink.error());
  auto done = std::make_shared<stop_flag>();
  auto handler = options.command.empty()
                   ? printer(in.options())
                   : run_commands({options.command,
                                   options.sink.ack_wait,
                                   {},
                                   {},
                                   false,
                                   std::make_shared<stop_flag>()});
  handler = limited(handler, options.count, done);
  int status = exit_ok;
  // Each worker gets one event at a time. Events that wait behind a long one
  // could be handled by another process instead.
  if (auto result = sink->handle(handler, {options.workers, 1}); !result) {
    status = report_error(result.error());
  } else {
    early.release(pulse::log_level::warning);
    in.signals().wait(done.get());
  }
  in.signals().exit_on_next(kill_running_commands);
  if (auto closed = sink->close(); !closed && status == exit_ok)
    status = report_error(closed.error());
  kill_running_commands();
  return status;
}

} // namespace

void describe_work(CLI::App& app, const std::vector<std::string>& command,
                   action& chosen) {
  auto* sub = app.add_subcommand(
    "work", "Handle events of a sink: print them or run a command");
  auto options = std::make_shared<work_options>();
  sub
    ->add_option("SINK", options->sink.name,
                 "Name of the sink; all its workers share the\nevents")
    ->required()
    ->type_name("");
  options->what.describe(*sub, "newest");
  sub
    ->add_option("-w,--workers", options->workers,
                 "Events handled at the same time")
    ->type_name("N")
    ->check(CLI::Range(1u, 1000u))
    ->capture_default_str();
  add_duration(
    *sub, "--ack-wait",
    [options](milliseconds x) { options->sink.ack_wait = x; },
    "A command that runs longer is killed, and its\nevent is delivered again",
    duration_text(options->sink.ack_wait));
  sub
    ->add_option("--max-deliveries", options->sink.max_deliveries,
                 "Deliveries after which an event becomes a dead\n"
                 "letter (see pulse dead); 0: never")
    ->type_name("N")
    ->capture_default_str();
  sub->add_option("-n,--count", options->count, "End after N events")
    ->type_name("N");
  sub->footer(
    R"(An event is acknowledged when it was printed, or when the command exited with
status 0. Otherwise the sink delivers it again, to any of its workers. --from
has an effect only if the sink is new.

The command gets the payload on standard input, and PULSE_STREAM, PULSE_ID,
PULSE_NAME, PULSE_TOPIC, PULSE_SINK and PULSE_DELIVERIES in its environment.

On SIGTERM or Ctrl-C it waits for running commands (10s at most), acknowledges
their events and exits with status 0. A second signal ends it at once.

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
