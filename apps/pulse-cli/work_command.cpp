#include "pulse/core/log.hpp"

#include "common/output/log_setup.hpp"
#include "common/units.hpp"
#include "pulse-cli/session.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace pulse::apps {

namespace {

struct work_options {
  sink_options sink;
  selection what;
  uint32_t workers = 1;
  uint64_t count = 0;
  std::vector<std::string> command;
};

/// How far the workers are.
struct progress {
  /// Raised when all events that --count wants were handled.
  stop_flag done;
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> succeeded{0};
  std::atomic<uint64_t> ended{0};
  /// No more events are handled.
  std::atomic<bool> is_over{false};
  /// The sink is closed.
  std::atomic<bool> is_closed{false};
};

/// Gives at most `count` events to `handler`. Workers that have more events
/// wait until the sink is closed: then it has given these events back, and none
/// of them has failed.
event_handler limited(const event_handler& handler, uint64_t count,
                      const std::shared_ptr<progress>& how) {
  return [=](const event& x) -> status {
    if (how->is_over || how->begun.fetch_add(1) >= count) {
      while (!how->is_closed)
        std::this_thread::sleep_for(milliseconds{5});
      return failure{errc::closed, "the worker has ended"};
    }
    auto result = handler(x);
    how->succeeded += result ? 1 : 0;
    if (how->ended.fetch_add(1) + 1 == count)
      how->done.raise();
    return result;
  };
}

/// Waits until all events that were begun have ended and their acks are
/// confirmed, 10 s at most.
/// @returns whether that is so.
bool drain(sink& from, progress& how, uint64_t count) {
  how.is_over = true;
  for (int i = 0; i < 1'000; ++i) {
    const bool all_ended = how.ended >= std::min(how.begun.load(), count);
    const auto info = from.info();
    if (!info)
      return false;
    if (all_ended && info->acked >= how.succeeded)
      return true;
    std::this_thread::sleep_for(milliseconds{10});
  }
  return false;
}

event_handler logged(event_handler handler) {
  return [handler = std::move(handler)](const event& x) -> status {
    auto result = handler(x);
    if (!result)
      log(log_level::warning, "work",
          result.error().what + "; the sink delivers the event again later");
    return result;
  };
}

int work(session& in, work_options options) {
  held_log early;
  if (auto result = options.what.apply(options.sink); !result)
    return report_error(result.error());
  // When drain() has ended, nobody needs to wait for workers that have events
  // which they do not handle.
  if (options.count > 0)
    options.sink.drain_timeout = milliseconds{1'000};
  auto sink = in.redis().sink(options.sink);
  if (!sink)
    return report_error(sink.error());
  auto how = std::make_shared<progress>();
  auto handler = options.command.empty()
                   ? printer(in.options())
                   : run_commands({options.command,
                                   options.sink.ack_wait,
                                   {},
                                   {},
                                   false,
                                   std::make_shared<stop_flag>()});
  handler = logged(handler);
  if (options.count > 0)
    handler = limited(handler, options.count, how);
  int status = exit_ok;
  // Each worker gets one event at a time. Events that wait behind a long one
  // could be handled by another process instead.
  if (auto result = sink->handle(handler, {options.workers, 1}); !result) {
    status = report_error(result.error());
  } else {
    early.release(pulse::log_level::warning);
    in.signals().wait(&how->done);
  }
  in.signals().exit_on_next(kill_running_commands);
  // The sink would warn of the workers whose events are not handled.
  std::optional<held_log> silence;
  if (options.count > 0 && drain(*sink, *how, options.count))
    silence.emplace();
  if (auto closed = sink->close(); !closed && status == exit_ok)
    status = report_error(closed.error());
  how->is_closed = true;
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
    ->type_name("N")
    ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62));
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
