#include "chaos/runner/run_options.hpp"

#include "common/process/child_process.hpp"
#include <CLI/CLI.hpp>

#include <cstdio>
#include <random>

namespace pulse::chaos {

namespace {

void add_faults(CLI::App& app, run_options& x, std::string& faults,
                std::string& misdeeds) {
  app
    .add_option("--duration", x.duration_ms, "Time with faults, e.g. 90s, 10m")
    ->transform(CLI::AsNumberWithUnit(
      std::map<std::string, int64_t>{{"ms", 1}, {"s", 1'000}, {"m", 60'000}}));
  app.add_option("--seed", x.seed, "Repeats a run's faults; default: random");
  app.add_option("--fsync", x.fsync_always, "appendfsync: everysec or always")
    ->transform(CLI::CheckedTransformer(
      std::map<std::string, bool>{{"everysec", false}, {"always", true}}));
  app.add_option("--faults", faults,
                 "Only these, comma separated; \"none\": no faults");
  app.add_option("--shortest-pause", x.shortest_pause_ms,
                 "Least ms from one fault to the next");
  app.add_option("--longest-pause", x.longest_pause_ms,
                 "Most ms from one fault to the next");
  app.add_option("--outage", x.outage_ms, "One outage of so many ms; 0: none");
  app.add_option(
    "--misdeeds", misdeeds,
    "How workers misbehave, comma separated; \"none\": not at all");
}

void add_load(CLI::App& app, run_options& x) {
  app.add_option("--events", x.events,
                 "Events in all; default: what fits into the duration");
  app.add_option("--rate", x.rate, "Events a second");
  app.add_option("--large", x.large,
                 "One event in this many has 64 KiB to 8 MiB; 0: none");
  app.add_option("--work", x.work_us, "Microseconds that a handler works");
  app.add_option("--producers", x.producers, "Processes that add");
  app.add_option("--audit", x.audit, "Processes of the sink \"audit\"");
  app.add_option("--billing", x.billing,
                 "Processes of the sink \"billing\" (keyed)");
  app.add_option("--readers", x.readers, "Processes that read");
  app.add_flag("--mixed-leases", x.mixed_leases,
               "Every second member of a sink has a lease three times as long");
  app.add_option("--workers", x.workers, "Workers of a sink's process");
}

void add_judgement(CLI::App& app, run_options& x) {
  app.add_option("--drain", x.drain_ms, "Most ms until all is delivered");
  app.add_flag("--judge-times", x.judge_times,
               "Fail if recovery takes longer than promised");
  app.add_option("--memory-slack", x.memory_slack_kb,
                 "kB that a process may grow beside half of what it was");
  app.add_option("--node", x.node, "Program of the nodes");
  app.add_option("--dir", x.directory, "Where journals go, and stay");
  app.add_flag("--keep", x.keep, "Keep the journals of a good run");
  app.add_option("--expect", x.expect,
                 "Succeed only if this rule is violated (broken nodes)");
}

} // namespace

int parse(int argc, char** argv, run_options& x) {
  CLI::App app{"Breaks processes, connections and Redis under load, and judges "
               "what became of the events."};
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  std::random_device random;
  x.seed = uint64_t{random()} << 16 ^ random();
  x.node = apps::sibling_program("pulse-chaos-node");
  std::string faults;
  std::string misdeeds;
  add_faults(app, x, faults, misdeeds);
  add_load(app, x);
  add_judgement(app, x);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& err) {
    return app.exit(err) == 0 ? 0 : 2;
  }
  x.kinds = random_faults();
  if (faults == "none")
    x.kinds.clear();
  else if (!faults.empty() && !from_string(faults, x.kinds)) {
    std::fprintf(stderr, "--faults %s: there is no such fault\n",
                 faults.c_str());
    return 2;
  }
  x.misdeeds = all_misdeeds();
  if (misdeeds == "none")
    x.misdeeds.clear();
  else if (!misdeeds.empty() && !from_string(misdeeds, x.misdeeds)) {
    std::fprintf(stderr, "--misdeeds %s: there is no such misdeed\n",
                 misdeeds.c_str());
    return 2;
  }
  if (x.events > 0) // a tenth less time than there is: faults cost some
    x.rate = std::max<uint64_t>(
      x.events * 1'100 / static_cast<uint64_t>(x.duration_ms), 1);
  return -1;
}

} // namespace pulse::chaos
