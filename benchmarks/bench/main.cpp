// pulse-bench: how fast the library is, beside plain hiredis programs that do
// the same in the same run. See docs/performance.md.

#include "bench/report.hpp"
#include "bench/rounds.hpp"
#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace pulse::bench;

std::vector<scenario> all_scenarios() {
  std::vector<scenario> result;
  for (auto part : {add_scenarios, sink_scenarios, reader_scenarios,
                    together_scenarios, latency_scenarios, many_scenarios}) {
    auto xs = part();
    std::move(xs.begin(), xs.end(), std::back_inserter(result));
  }
  return result;
}

struct arguments {
  settings how;
  std::vector<std::string> names;
  std::string json;
  bool lists = false;
  bool unix_socket = false;
};

// A name stands for itself, and for all scenarios that begin with it and a
// hyphen.
bool is_chosen(const scenario& x, const std::string& name) {
  return x.name == name || x.name.rfind(name + "-", 0) == 0;
}

std::vector<scenario> chosen(const std::vector<std::string>& names) {
  auto all = all_scenarios();
  if (names.empty())
    return all;
  std::vector<scenario> result;
  for (const auto& name : names) {
    const auto before = result.size();
    for (const auto& x : all)
      if (is_chosen(x, name))
        result.push_back(x);
    if (result.size() == before)
      throw CLI::ValidationError("scenario " + name
                                 + " does not exist; --list shows all");
  }
  return result;
}

void list() {
  for (const auto& x : all_scenarios())
    std::printf("%-20s %s\n", x.name.c_str(), x.about.c_str());
}

// Replaces the progress line on a terminal.
void show_progress(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0)
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
}

void run(const arguments& args) {
  const auto scenarios = chosen(args.names);
  stage at{args.how};
  std::cout << table_head(args.how) << std::flush;
  std::vector<measured> results;
  for (const auto& x : scenarios) {
    results.push_back(measure(at, x, show_progress));
    show_progress("");
    std::cout << table_lines(results.back()) << std::flush;
  }
  if (args.json.empty())
    return;
  std::ofstream file{args.json};
  if (!(file << to_json(args.how, results) << std::flush))
    throw std::runtime_error("cannot write " + args.json);
}

void declare(CLI::App& app, arguments& args) {
  app.add_option("scenario", args.names,
                 "What to measure: names of --list, or their beginnings, such "
                 "as \"sink\"; default: everything");
  app.add_flag("--list", args.lists, "Show the scenarios and do nothing");
  app.add_option("--rounds", args.how.rounds, "How often each is measured")
    ->check(CLI::Range(1, 1'000))
    ->capture_default_str();
  app
    .add_option("--seconds", args.how.seconds,
                "About how long each measurement takes")
    ->check(CLI::Range(0.01, 600.0))
    ->capture_default_str();
  app.add_option("--payload", args.how.payload, "Bytes of each payload")
    ->check(CLI::Range(size_t{0}, size_t{1} << 24))
    ->capture_default_str();
  app.add_flag("--unix", args.unix_socket,
               "Connect by a Unix socket, not by TCP");
  app
    .add_option("--threads", args.how.threads,
                "Threads of CAF's scheduler; default: as CAF chooses")
    ->check(CLI::Range(size_t{1}, size_t{1'024}));
  app.add_option("--json", args.json, "Also write all values to this file");
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures the library beside plain hiredis programs on a "
               "private Redis.\nA ratio is that of the same round; only ratios "
               "can be compared between runs.\n\"cores\" is how busy Redis and "
               "this process were.",
               "pulse-bench"};
  arguments args;
  declare(app, args);
  try {
    app.parse(argc, argv);
    args.how.tcp = !args.unix_socket;
    if (args.lists)
      list();
    else
      run(args);
  } catch (const CLI::Error& err) {
    return app.exit(err);
  } catch (const std::exception& err) {
    show_progress("");
    std::fprintf(stderr, "pulse-bench: %s\n", err.what());
    return EXIT_FAILURE;
  }
}
