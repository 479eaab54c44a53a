#include "pulse/core/log.hpp"

#include "simulation/world/run.hpp"
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

// pulse-simulate: random runs of the library over a model of Redis, see
// docs/simulation.md.

namespace {

namespace sim = pulse::simulation;
using clock_type = std::chrono::steady_clock;

struct options {
  uint64_t seed = 1;
  uint64_t seeds = 0;
  uint64_t seconds = 0;
  size_t steps = 60;
  std::vector<std::string> expect;
  bool verbose = false;
  bool twice = false;
  bool no_faults = false;
  bool no_misbehaviour = false;
};

// What all seeds together came to.
struct summary {
  uint64_t seeds = 0;
  uint64_t steps = 0;
  std::chrono::milliseconds time{0};
  clock_type::time_point start = clock_type::now();
  clock_type::time_point next_report = start + std::chrono::seconds{10};
};

sim::plan plan_of(const options& how, uint64_t seed) {
  sim::plan_limits limits;
  limits.faults = !how.no_faults;
  limits.misbehaviour = !how.no_misbehaviour;
  return sim::make_plan(seed, limits);
}

std::string command_of(const options& how, uint64_t seed) {
  auto result = "pulse-simulate --seed " + std::to_string(seed);
  if (how.no_faults)
    result += " --no-faults";
  if (how.no_misbehaviour)
    result += " --no-misbehaviour";
  return result;
}

std::string text_of(const sim::run_result& x) {
  char digest[17];
  std::snprintf(digest, sizeof(digest), "%016llx",
                static_cast<unsigned long long>(x.digest));
  return std::to_string(x.steps) + " steps, digest " + digest;
}

void print_line(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

void print(const summary& x) {
  const std::chrono::duration<double> real = clock_type::now() - x.start;
  const std::chrono::duration<double> simulated = x.time;
  std::printf("%llu seeds, %llu steps, %.0f s of their time in %.1f s: %.0f "
              "seeds a minute\n",
              static_cast<unsigned long long>(x.seeds),
              static_cast<unsigned long long>(x.steps), simulated.count(),
              real.count(), static_cast<double>(x.seeds) / real.count() * 60);
  std::fflush(stdout);
}

sim::run_result run_again(const options& how, uint64_t seed, size_t keep) {
  sim::run_options again;
  again.keep = keep;
  return sim::run(plan_of(how, seed), again);
}

void report(const options& how, const sim::run_result& failed) {
  const auto again = run_again(how, failed.seed, how.steps);
  std::printf("\nseed %llu, the last steps:\n",
              static_cast<unsigned long long>(failed.seed));
  for (const auto& line : again.last_steps)
    print_line(line);
  for (const auto& x : failed.found)
    print_line("BROKEN: " + x.rule + ": " + x.what);
  print_line("repeat it: " + command_of(how, failed.seed) + " --verbose");
}

enum class verdict : uint8_t { good, broken, found };

// Found: the rule is broken that was expected to be.
verdict run_one(const options& how, uint64_t seed, summary& all) {
  sim::run_options live;
  if (how.verbose)
    live.print = print_line;
  const auto result = sim::run(plan_of(how, seed), live);
  ++all.seeds;
  all.steps += result.steps;
  all.time += result.time;
  if (how.verbose)
    print_line(text_of(result));
  if (!result.found.empty()) {
    report(how, result);
    const auto& rule = result.found.front().rule;
    const bool expected = std::find(how.expect.begin(), how.expect.end(), rule)
                          != how.expect.end();
    return expected ? verdict::found : verdict::broken;
  }
  if (!how.twice)
    return verdict::good;
  const auto again = run_again(how, seed, 0);
  if (again.digest == result.digest)
    return verdict::good;
  std::printf("BROKEN: seed %llu is not the same twice: %s, then %s\n",
              static_cast<unsigned long long>(seed), text_of(result).c_str(),
              text_of(again).c_str());
  return verdict::broken;
}

bool is_over(const options& how, const summary& all) {
  if (how.seconds > 0)
    return clock_type::now() - all.start >= std::chrono::seconds{how.seconds};
  return all.seeds >= std::max<uint64_t>(how.seeds, 1);
}

int simulate(const options& how) {
  summary all;
  auto how_it_is = verdict::good;
  for (auto seed = how.seed; how_it_is == verdict::good && !is_over(how, all);
       ++seed) {
    how_it_is = run_one(how, seed, all);
    if (clock_type::now() >= all.next_report) {
      print(all);
      all.next_report += std::chrono::seconds{10};
    }
  }
  print(all);
  const auto wanted = how.expect.empty() ? verdict::good : verdict::found;
  if (how_it_is == verdict::good && wanted == verdict::found)
    print_line("The rule \"" + how.expect.front() + "\" was not broken.");
  return how_it_is == wanted ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  options how;
  CLI::App app{"Random runs of the library over a model of Redis"};
  app.add_option("--seed", how.seed, "first seed")->capture_default_str();
  app.add_option("--seeds", how.seeds, "how many seeds to run");
  app.add_option("--seconds", how.seconds, "how long to run");
  app.add_option("--steps", how.steps, "last steps to show of a failure")
    ->capture_default_str();
  app
    .add_option(
      "--expect", how.expect,
      "the rules, comma separated, of which one must be found broken, "
      "for faults that were planted")
    ->delimiter(',');
  app.add_flag("--verbose", how.verbose, "print each step");
  app.add_flag("--twice", how.twice, "run each seed twice and compare");
  app.add_flag("--no-faults", how.no_faults, "no faults of nodes and links");
  app.add_flag("--no-misbehaviour", how.no_misbehaviour,
               "workers handle all events");
  CLI11_PARSE(app, argc, argv);
  pulse::set_log_function(nullptr);
  return simulate(how);
}
