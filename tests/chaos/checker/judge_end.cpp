#include "chaos/checker/checker.hpp"

#include <algorithm>
#include <cstdio>

namespace pulse::chaos {

namespace {

// The part of a processor that ticks and logging may use.
constexpr double max_idle_cpu = 0.1;

// In the time before this, a process still allocates what it needs to start.
constexpr size_t least_samples = 40;

int64_t mean(const std::vector<sample>& xs, size_t from, size_t to) {
  int64_t sum = 0;
  for (size_t i = from; i < to; ++i)
    sum += xs[i].rss_kb;
  return sum / static_cast<int64_t>(to - from);
}

void judge_groups(const history& run, verdict& out) {
  for (const auto& [sink, unused] : run.sinks) {
    const auto i = run.end.groups.find(sink);
    if (i == run.end.groups.end()) {
      out.violated("stuck", "sink " + sink + " has no consumer group");
      continue;
    }
    const auto& x = i->second;
    if (x.pending == 0 && x.through && x.consumers.empty())
      continue;
    std::string names;
    for (const auto& name : x.consumers)
      names += " " + name;
    out.violated(
      "stuck", "sink " + sink + " is left with " + std::to_string(x.pending)
                 + " pending events, " + (x.through ? "" : "undelivered ones, ")
                 + std::to_string(x.consumers.size()) + " consumers" + names);
  }
}

void judge_memory(const history& run, verdict& out) {
  for (const auto& [slot, xs] : run.samples) {
    if (xs.size() < least_samples)
      continue;
    const auto n = xs.size();
    const auto first = mean(xs, 0, n / 4);
    const auto last = mean(xs, n - n / 4, n);
    out.notes.push_back("memory of " + slot + ": " + std::to_string(first)
                        + " kB in the first quarter, " + std::to_string(last)
                        + " kB in the last");
    if (last > first + first / 2 + run.how.memory_slack_kb)
      out.violated("memory", out.notes.back());
  }
}

void judge_outages(const history& run, verdict& out) {
  for (const auto& x : run.outages) {
    const auto each = x.connections > 0 && x.seconds > 0
                        ? static_cast<double>(x.attempts)
                            / static_cast<double>(x.connections) / x.seconds
                        : 0;
    char text[256];
    std::snprintf(text, sizeof(text),
                  "outage of %.1f s, %s: %lld connections, %lld attempts "
                  "(%.2f a second each), %.1f %% CPU",
                  x.seconds, x.slot.c_str(),
                  static_cast<long long>(x.connections),
                  static_cast<long long>(x.attempts), each,
                  x.seconds > 0 ? 100 * x.cpu_seconds / x.seconds : 0);
    out.notes.push_back(text);
    // One more attempt is allowed, because the time may begin just before one.
    const auto most = static_cast<double>(x.connections) * (x.seconds + 1);
    if (static_cast<double>(x.attempts) > most
        || (run.how.judge_times && x.cpu_seconds > max_idle_cpu * x.seconds))
      out.violated("busy outage", text);
  }
}

} // namespace

void judge_end(const history& run, verdict& out) {
  judge_groups(run, out);
  for (const auto& x : run.bad_ends)
    out.violated("bad end", x);
  judge_memory(run, out);
  judge_outages(run, out);
}

} // namespace pulse::chaos
