#include "common/output/log_setup.hpp"
#include "pulse-cli/session.hpp"

namespace pulse::apps {

namespace {

struct tail_options {
  selection what;
  uint64_t count = 0;
};

int tail(session& in, const tail_options& options) {
  held_log early;
  reader_options how;
  if (auto result = options.what.apply(how); !result)
    return report_error(result.error());
  auto reader = in.redis().reader(how);
  if (!reader)
    return report_error(reader.error());
  // The thread of the worker may run longer than this function, so it shares
  // the ownership of the flag.
  auto done = std::make_shared<stop_flag>();
  auto print = [print = printer(in.options()), done, printed = uint64_t{0},
                count = options.count](const event& x) mutable -> status {
    if (count > 0 && printed == count)
      return {};
    // The write fails when nobody reads the output any more, as in
    // `pulse tail … | head`. Then the command ends.
    if (!print(x) || ++printed == count)
      done->raise();
    return {};
  };
  auto worker = spawn_worker(in.actors(), print);
  if (auto result = reader->subscribe(worker); !result) {
    caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
    return report_error(result.error());
  }
  early.release(pulse::log_level::warning);
  in.signals().wait(done.get());
  in.signals().exit_on_next([] {});
  auto closed = reader->close();
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  return closed ? int{exit_ok} : report_error(closed.error());
}

} // namespace

void describe_tail(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("tail", "Print events as they are added");
  auto options = std::make_shared<tail_options>();
  options->what.describe(*command, "newest");
  command->add_option("-n,--count", options->count, "End after N events")
    ->type_name("N")
    ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62));
  command->footer(R"(Prints until Ctrl-C, which ends it with status 0.

Examples:
  pulse tail orders refunds
  pulse tail orders --from oldest --count 10 --json
  pulse tail orders --from @1700000000 --pattern 'eu|us')");
  command->callback([options, &chosen] {
    chosen = [options](session& in) { return tail(in, *options); };
  });
}

} // namespace pulse::apps
