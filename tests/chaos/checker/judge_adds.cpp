#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

namespace {

// Redis writes to its append-only file before it answers. But if the disk is
// still busy with the data of the last second, Redis delays the write by up to
// two seconds.
constexpr int64_t everysec_window_us = 2'500'000;

bool redis_may_have_lost(const history& run, int64_t answered) {
  return !run.how.fsync_always
         && std::any_of(run.faults.begin(), run.faults.end(),
                        [=](const fault& x) {
                          return x.kind == "redis-kill" && x.end >= answered
                                 && x.begin <= answered + everysec_window_us;
                        });
}

// A reader that finds that its stream was deleted begins again at the first
// event of the new stream. It may have seen some of these events before.
bool begins_again(const history& run, int64_t at) {
  return std::any_of(run.faults.begin(), run.faults.end(), [=](const fault& x) {
    return (x.kind == "flush" || x.kind == "del") && x.begin <= at
           && at <= x.until;
  });
}

void judge_stored(const history& run, const std::vector<uint8_t>& times,
                  verdict& out) {
  for (uint32_t i = 0; i < run.adds.size(); ++i) {
    const auto& x = run.adds[i];
    switch (x.how) {
      case add::outcome::ok:
        ++out.confirmed;
        if (times[i] > 0)
          break;
        if (redis_may_have_lost(run, x.answered))
          ++out.lost_by_redis;
        else if (deletion(run, x.invoked) != nullptr)
          ++out.deleted;
        else
          out.violated("lost", run.label(i) + " was confirmed as "
                                 + to_string(x.id) + " and is not in Redis");
        break;
      case add::outcome::failed:
        ++out.failed;
        if (times[i] > 0)
          out.violated("phantom",
                       run.label(i) + " was said to have failed and is stored");
        break;
      case add::outcome::open:
      case add::outcome::unknown:
        ++out.unknown;
        out.unknown_stored += times[i] > 0 ? 1 : 0;
        break;
    }
    if (times[i] > 1)
      out.violated("stored twice", run.label(i) + " is stored "
                                     + std::to_string(times[i]) + " times");
  }
}

} // namespace

void judge_adds(const history& run, verdict& out) {
  out.invoked = run.adds.size();
  out.stored = run.end.stream.size();
  std::vector<uint8_t> times(run.adds.size());
  for (const auto& x : run.end.stream)
    if (x.event < times.size() && times[x.event] < UINT8_MAX)
      ++times[x.event];
  judge_stored(run, times, out);
}

void judge_readers(const history& run, verdict& out) {
  for (const auto& reader : run.readers) {
    std::vector<bool> seen(run.adds.size());
    for (size_t i = 0; i < reader.events.size(); ++i) {
      if (i > 0 && reader.ids[i] <= reader.ids[i - 1]
          && !begins_again(run, reader.times[i]))
        out.violated("order", reader.slot + " saw " + to_string(reader.ids[i])
                                + " after " + to_string(reader.ids[i - 1]));
      if (reader.events[i] < seen.size())
        seen[reader.events[i]] = true;
    }
    if (!reader.from_oldest || !reader.finished)
      continue;
    for (const auto& x : run.end.stream)
      if (x.event < seen.size() && !seen[x.event])
        out.violated("lost", reader.slot + " did not see " + run.label(x.event)
                               + ", which is stored as " + to_string(x.id));
  }
}

} // namespace pulse::chaos
