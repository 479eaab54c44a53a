#include "chaos/checker/verdict.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace pulse::chaos {

namespace {

constexpr size_t max_examples = 8;

void row(std::string& out, const std::string& what, const std::string& value) {
  char line[512];
  std::snprintf(line, sizeof(line), "  %-34s %s\n", what.c_str(),
                value.c_str());
  out += line;
}

void row(std::string& out, const std::string& what, uint64_t value) {
  row(out, what, std::to_string(value));
}

std::string by_kind(const std::map<std::string, uint64_t>& counts) {
  auto sum = [](uint64_t n, const auto& x) { return n + x.second; };
  const auto total = std::accumulate(counts.begin(), counts.end(), uint64_t{0},
                                     sum);
  auto result = std::to_string(total);
  for (const auto& [kind, n] : counts)
    result += (result.find('(') == std::string::npos ? "  (" : ", ") + kind
              + " " + std::to_string(n);
  return counts.empty() ? result : result + ")";
}

std::string in_ms(const times& x) {
  if (x.size() == 0)
    return "-";
  char text[128];
  auto ms = [&](double part) {
    return static_cast<double>(x.percentile(part)) / 1e3;
  };
  std::snprintf(text, sizeof(text),
                "p50 %.1f ms, p99 %.1f ms, max %.1f ms  (%zu)", ms(0.5),
                ms(0.99), ms(1), x.size());
  return text;
}

} // namespace

int64_t times::percentile(double part) const {
  if (values_.empty())
    return 0;
  auto sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(part * last + 0.5)];
}

void verdict::violated(const std::string& rule, const std::string& example) {
  auto& x = violations[rule];
  if (++x.count <= max_examples)
    x.examples.push_back(example);
}

std::string to_string(const verdict& x) {
  std::string out;
  row(out, "faults", by_kind(x.faults));
  row(out, "adds", x.invoked);
  row(out, "  confirmed", x.confirmed);
  row(out, "  failed (nothing stored)", x.failed);
  row(out, "  outcome unknown",
      std::to_string(x.unknown) + "  (stored "
        + std::to_string(x.unknown_stored) + ")");
  row(out, "stored", x.stored);
  row(out, "lost by Redis (everysec)", x.lost_by_redis);
  row(out, "deleted by a fault", x.deleted);
  for (const auto& [name, sink] : x.sinks) {
    row(out, "sink " + name, "");
    row(out, "  executions", sink.executions);
    row(out, "  dead letters", sink.dead_letters);
    if (const auto i = x.losses.find(name); i != x.losses.end()) {
      row(out, "  deleted before handled", i->second.first);
      row(out, "  notices of a loss", i->second.second);
    }
    row(out, "  tried again after", by_kind(sink.retries));
    row(out, "  duplicates across faults", by_kind(sink.duplicates));
  }
  row(out, "add to first delivery", in_ms(x.add_to_delivery));
  row(out, "worker crash to redelivery", in_ms(x.crash_to_redelivery));
  row(out, "worker quit to redelivery", in_ms(x.quit_to_redelivery));
  row(out, "end of pause to redelivery", in_ms(x.pause_overrun));
  row(out, "node kill to redelivery", in_ms(x.kill_to_redelivery));
  row(out, "Redis back to next add", in_ms(x.redis_back_to_add));
  row(out, "Redis back to next delivery", in_ms(x.redis_back_to_delivery));
  for (const auto& note : x.notes)
    out += "  " + note + "\n";
  for (const auto& [rule, found] : x.violations) {
    out += "VIOLATED: " + rule + ", " + std::to_string(found.count)
           + (found.count == 1 ? " time:\n" : " times:\n");
    for (const auto& example : found.examples)
      out += "    " + example + "\n";
  }
  out += x.good() ? "Good: every guarantee held.\n"
                  : "FAILED: guarantees were violated.\n";
  return out;
}

} // namespace pulse::chaos
