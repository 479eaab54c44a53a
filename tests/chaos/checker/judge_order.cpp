#include "chaos/checker/checker.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace pulse::chaos {

namespace {

using end = execution::end;

std::vector<execution> in_time(std::vector<execution> xs) {
  std::stable_sort(xs.begin(), xs.end(), [](const auto& a, const auto& b) {
    return a.began < b.began;
  });
  return xs;
}

// Events that another instance of the sink gave back when it closed come late,
// but have the counts of a first delivery.
bool handed_back_before(const history& run, const std::string& sink,
                        int64_t at) {
  return std::any_of(run.faults.begin(), run.faults.end(), [&](const fault& f) {
    return f.kind == "close" && f.begin <= at && f.until >= at
           && f.slot.compare(0, sink.size() + 1, sink + "-") == 0;
  });
}

// First deliveries must reach each worker in the order of the stream, unless
// the sink is keyed: then the events of a topic wait for each other.
void judge_first_deliveries(const history& run, const std::string& sink,
                            const std::vector<execution>& xs, verdict& out) {
  std::map<std::pair<uint32_t, uint32_t>, event_id> newest;
  for (const auto& x : xs) {
    if (x.deliveries != 1 || run.instances[x.at].keyed)
      continue;
    auto& last = newest[{x.at, x.worker}];
    const auto& slot = run.instances[x.at].slot;
    if (x.id < last && !handed_back_before(run, sink, x.began)
        && explanation(run, slot, slot, x.began) == nullptr)
      out.violated("order", sink + ": " + slot + " worker "
                              + std::to_string(x.worker) + " got "
                              + to_string(x.id) + " after " + to_string(last)
                              + ", both for the first time");
    last = std::max(last, x.id);
  }
}

/// The newest event of one topic that a handler has begun.
struct lane {
  event_id id;
  uint32_t event = 0;
  // Which instance began it.
  uint32_t where = 0;
  int64_t began = 0;
  // When the event was finished; 0: it is not finished.
  int64_t settled = 0;
};

// Between the first attempt of an event and its end, no later event of its
// topic may begin, in whatever instance of the sink. And no event may begin for
// the first time after a later one of its topic.
void judge_keyed(const history& run, const std::string& sink,
                 const std::vector<execution>& xs,
                 const std::vector<uint32_t>& topics, verdict& out) {
  std::set<uint32_t> given_up;
  if (const auto i = run.end.dead.find(sink); i != run.end.dead.end())
    given_up.insert(i->second.begin(), i->second.end());
  std::map<uint32_t, lane> lanes;
  std::set<uint32_t> begun;
  for (const auto& x : xs) {
    if (!run.instances[x.at].keyed)
      continue;
    auto& at = lanes[topics[x.event]];
    const auto& slot = run.instances[x.at].slot;
    const bool first_time = begun.insert(x.event).second;
    const bool later = at.id < x.id;
    const bool open = (at.settled == 0 || at.settled > x.began)
                      && given_up.count(at.event) == 0;
    const auto* broken = later && open ? " was not through"
                         : !later && at.id != x.id && first_time
                           ? " had begun before"
                           : nullptr;
    if (at.began > 0 && broken != nullptr
        && explanation(run, run.instances[at.where].slot, slot, x.began)
             == nullptr)
      out.violated("keyed order",
                   sink + ": " + slot + " began " + run.label(x.event) + " ("
                     + to_string(x.id) + ") while " + to_string(at.id)
                     + " of the same topic, at " + run.instances[at.where].slot
                     + "," + broken);
    if (later || at.id == x.id)
      at = {x.id, x.event, x.at, at.id == x.id ? at.began : x.began,
            x.how == end::done ? x.ended : 0};
  }
}

} // namespace

void judge_order(const history& run, verdict& out) {
  for (const auto& [sink, executions] : run.sinks) {
    const auto xs = in_time(executions);
    judge_first_deliveries(run, sink, xs, out);
    judge_keyed(run, sink, xs, run.topics(), out);
  }
}

} // namespace pulse::chaos
