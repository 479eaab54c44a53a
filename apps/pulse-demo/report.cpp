#include "pulse-demo/report.hpp"

#include <unistd.h>

#include <cstdio>

namespace pulse::apps {

namespace {

/// Number of topics that are shown; the other topics are added up.
constexpr size_t shown_topics = 8;

void row(const char* label, uint64_t value, const std::string& note = {}) {
  std::printf("  %-24s %10llu%s%s\n", label,
              static_cast<unsigned long long>(value), note.empty() ? "" : "   ",
              note.c_str());
}

std::string node_name(size_t index) {
  return "node-" + std::to_string(index + 1);
}

std::string topics_text(const tally& totals) {
  std::string result;
  uint64_t others = 0;
  size_t shown = 0;
  const auto topics = totals.topics();
  for (const auto& [topic, count] : topics) {
    if (shown == shown_topics) {
      others += count;
      continue;
    }
    ++shown;
    result += (result.empty() ? "" : ", ") + topic + " "
              + std::to_string(count);
  }
  if (topics.size() > shown)
    result += ", " + std::to_string(topics.size() - shown) + " others "
              + std::to_string(others);
  return result;
}

} // namespace

report::report(size_t total)
  : total_(total), terminal_(isatty(STDOUT_FILENO) != 0) {
  // nop
}

void report::print(const std::string& text) {
  std::lock_guard<std::mutex> guard{mutex_};
  clear_line();
  std::printf("%s  %s\n", elapsed().c_str(), text.c_str());
  std::fflush(stdout);
}

void report::progress(const tally_counts& counts, const sink_state& sink) {
  std::lock_guard<std::mutex> guard{mutex_};
  const auto now = clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds{50}
                               : std::chrono::milliseconds{1'000};
  if (now - last_line_ < pause)
    return;
  last_line_ = now;
  clear_line();
  std::printf("%s  added %llu/%llu", elapsed().c_str(),
              static_cast<unsigned long long>(counts.added),
              static_cast<unsigned long long>(total_));
  for (size_t i = 0; i < counts.by_node.size(); ++i)
    std::printf("  %s %llu", node_name(i).c_str(),
                static_cast<unsigned long long>(counts.by_node[i]));
  std::printf("  reader %llu  acked %llu",
              static_cast<unsigned long long>(counts.read),
              static_cast<unsigned long long>(sink.acked));
  if (terminal_)
    line_shown_ = true;
  else
    std::printf("\n");
  std::fflush(stdout);
}

void report::end_progress() {
  std::lock_guard<std::mutex> guard{mutex_};
  clear_line();
  std::fflush(stdout);
}

bool report::summary(const tally& totals, const sink_state& sink) {
  std::lock_guard<std::mutex> guard{mutex_};
  clear_line();
  const auto counts = totals.counts();
  const auto last = counts.by_node.size() - 1;
  std::printf("\n");
  row("events added", counts.added);
  for (size_t i = 0; i <= last; ++i)
    row(("delivered by " + node_name(i)).c_str(), counts.by_node[i],
        i == last ? "killed in the middle" : "");
  row("redelivered", counts.redelivered,
      counts.redelivered > 0
        ? "because of the crash: " + node_name(last) + " held them"
        : node_name(last) + " held none when it was killed");
  if (counts.twice > 0)
    row("delivered twice", counts.twice,
        "of those, because " + node_name(last)
          + " died between output and ack");
  row("acknowledged", sink.acked);
  row("lost", counts.missing());
  row("pending", sink.pending);
  row("counted by the reader", counts.read, topics_text(totals));
  std::printf("  %-24s %10s\n\n", "time", elapsed().c_str());
  const bool good = counts.added == total_ && counts.missing() == 0
                    && sink.pending == 0 && sink.acked == counts.added
                    && counts.read == counts.added;
  std::printf("%s\n",
              good ? "Good: every event was handled and acknowledged."
                   : "FAILED: compare lost, pending and acknowledged above.");
  std::fflush(stdout);
  return good;
}

void report::clear_line() {
  if (line_shown_)
    std::printf("\r\033[K");
  line_shown_ = false;
}

std::string report::elapsed() const {
  const auto seconds
    = std::chrono::duration<double>(clock::now() - begin_).count();
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%6.2f s", seconds);
  return buffer;
}

} // namespace pulse::apps
