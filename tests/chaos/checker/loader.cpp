#include "chaos/checker/loader.hpp"

#include "chaos/checker/checker.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace pulse::chaos {

namespace {

int64_t number(std::string_view text) {
  int64_t result = -1;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

// Reads milliseconds as in "1000,5000".
std::vector<int64_t> pauses(std::string_view text) {
  std::vector<int64_t> result;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    result.push_back(number(text.substr(0, end)) * 1'000);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

double real(std::string_view text) {
  return std::strtod(std::string{text}.c_str(), nullptr);
}

event_id id_of(std::string_view text) {
  auto id = parse_event_id(text);
  return id ? *id : event_id{};
}

// Calls f(words) for each complete line with at least `least` words. An
// incomplete last line of a killed process is ignored.
template <class F>
status for_each_line(std::string_view text, size_t least, F f) {
  std::vector<std::string_view> line;
  for (size_t n = 1;; ++n) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos)
      return {};
    line.clear();
    for (size_t at = 0; at < end;) {
      const auto stop = std::min(text.find(' ', at), end);
      if (stop > at)
        line.push_back(text.substr(at, stop - at));
      at = stop + 1;
    }
    if (line.size() < least)
      return failure{errc::internal,
                     "line " + std::to_string(n) + ": " + std::to_string(least)
                       + " words are the least: \""
                       + std::string{text.substr(0, end)} + '"'};
    f(line);
    text.remove_prefix(end + 1);
  }
}

} // namespace

struct loader::sink_journal {
  std::string slot;
  std::string sink;
  bool keyed = false;
  std::vector<int64_t> backoff_us;
  int64_t lease_us = 0;
  uint32_t instance = 0;
  int64_t closing_since = 0;
  int64_t last = 0;
  // For each worker the index of its current execution in the list of the sink.
  std::map<uint32_t, size_t> at;
  std::map<uint32_t, int64_t> hangs_since;
};

uint32_t loader::event_of(std::string_view label, const std::string& where) {
  const auto result = result_.find(label);
  if (result == history::nobody)
    result_.phantoms.push_back(std::string{label} + " (" + where + ")");
  return result;
}

status loader::add_journal(const std::string& name, std::string_view text) {
  const auto slot = name.substr(0, name.rfind('.'));
  std::string role;
  uint32_t first = static_cast<uint32_t>(result_.adds.size());
  sink_journal sink;
  auto result = for_each_line(text, 2, [&](const words& line) {
    const auto at = number(line[0]);
    sink.last = at;
    if (line[1] == "role" && line.size() > 2) {
      role = line[2];
      if (role == "producer")
        result_.producers.push_back({name, first, 0});
      if (role == "reader")
        result_.readers.push_back(
          {slot, line.size() > 3 && line[3] == "oldest", false, {}, {}, {}});
      if (role == "sink" && line.size() > 4) {
        sink.slot = slot;
        sink.sink = line[3];
        sink.keyed = line[4] == "keyed";
        if (line.size() > 5)
          sink.backoff_us = pauses(line[5]);
        if (line.size() > 6)
          sink.lease_us = number(line[6]) * 1'000;
        result_.sinks[sink.sink];
      }
    } else if (line[1] == "z" && line.size() > 2) {
      result_.faults.push_back(
        {at, at + number(line[2]) * 1'000, "starve", slot, 0, 0, {}, {}});
    } else if (role == "producer") {
      producer_line(at, line, first);
    } else if (role == "sink") {
      sink_line(at, line, sink);
    } else if (role == "reader" && line[1] == "x") {
      result_.readers.back().finished = true;
    } else if (role == "reader" && line[1] == "v" && line.size() > 3) {
      auto& reader = result_.readers.back();
      reader.events.push_back(event_of(line[2], "read by " + slot));
      reader.ids.push_back(id_of(line[3]));
      reader.times.push_back(at);
    }
  });
  closed(sink.last, sink);
  for (const auto& [worker, since] : sink.hangs_since)
    result_.faults.push_back({since, sink.last, "hang", slot, 0, 0, {}, {}});
  return result;
}

void loader::producer_line(int64_t at, const words& line, uint32_t first) {
  if (line.size() < 3)
    return;
  const auto n = static_cast<size_t>(number(line[2]));
  if (line[1] == "i") {
    // The numbers of a producer are consecutive, because each number is written
    // before the add.
    result_.adds.push_back({at, 0, {}, add::outcome::open});
    ++result_.producers.back().count;
    return;
  }
  if (first + n >= result_.adds.size())
    return;
  auto& x = result_.adds[first + n];
  x.answered = at;
  if (line[1] == "o" && line.size() > 3) {
    x.id = id_of(line[3]);
    x.how = add::outcome::ok;
  } else if (line[1] == "f") {
    x.how = add::outcome::failed;
  } else if (line[1] == "u") {
    x.how = add::outcome::unknown;
  }
}

void loader::sink_line(int64_t at, const words& line, sink_journal& state) {
  auto& executions = result_.sinks[state.sink];
  const auto what = line[1];
  if (what == "g") {
    closed(at, state);
    state.instance = static_cast<uint32_t>(result_.instances.size());
    result_.instances.push_back({state.slot, state.sink, state.keyed,
                                 state.backoff_us, state.lease_us, at});
  } else if (what == "n" && line.size() > 4) {
    result_.notices.push_back({at, state.slot, state.sink, std::string{line[2]},
                               line[3] == "loss", number(line[4])});
  } else if (what == "k") {
    state.closing_since = at;
  } else if (line.size() > 2) {
    const auto worker = static_cast<uint32_t>(number(line[2]));
    if (what == "s" && line.size() > 5) {
      execution x;
      x.event = event_of(line[3], "at " + state.slot);
      if (x.event == history::nobody)
        return;
      x.at = state.instance;
      x.worker = worker;
      x.id = id_of(line[4]);
      x.deliveries = static_cast<uint32_t>(number(line[5]));
      if (line.size() > 7) {
        x.failures = static_cast<uint32_t>(number(line[6]));
        x.crashes = static_cast<uint32_t>(number(line[7]));
      }
      x.began = at;
      state.at[worker] = executions.size();
      executions.push_back(x);
      return;
    }
    if (what == "r") {
      result_.faults.push_back({at, at, "retire", state.slot, 0, 0, {}, {}});
      return;
    }
    if (what == "h") {
      state.hangs_since[worker] = at;
      return;
    }
    const auto i = state.at.find(worker);
    if (i == state.at.end())
      return;
    auto& x = executions[i->second];
    x.ended = at;
    x.how = what == "d"   ? execution::end::done
            : what == "e" ? execution::end::failed
            : what == "l" ? execution::end::left
                          : execution::end::crashed;
    state.at.erase(i);
    if (auto h = state.hangs_since.find(worker); h != state.hangs_since.end()) {
      result_.faults.push_back(
        {h->second, at, "hang", state.slot, 0, 0, {}, {}});
      state.hangs_since.erase(h);
    }
  }
}

void loader::closed(int64_t at, sink_journal& state) {
  if (state.closing_since > 0)
    result_.faults.push_back(
      {state.closing_since, at, "close", state.slot, 0, 0, {}, {}});
  state.closing_since = 0;
}

status loader::add_faults(std::string_view text) {
  return for_each_line(text, 4, [this](const words& line) {
    fault x;
    x.begin = number(line[0]);
    x.end = number(line[1]);
    x.kind = line[2];
    if (line[3] != "*")
      x.slot = line[3];
    if (line.size() > 4)
      x.taken = number(line[4]);
    if (line.size() > 6) {
      x.from = id_of(line[5]);
      x.to = id_of(line[6]);
    }
    result_.faults.push_back(std::move(x));
  });
}

status loader::add_samples(std::string_view text) {
  return for_each_line(text, 3, [this](const words& line) {
    result_.samples[std::string{line[1]}].push_back(
      {number(line[0]), number(line[2])});
  });
}

status loader::add_settings(std::string_view text) {
  auto& how = result_.how;
  return for_each_line(text, 2, [&how](const words& line) {
    const auto value = number(line[1]);
    if (line[0] == "lease_us")
      how.lease_us = value;
    else if (line[0] == "ack_wait_us")
      how.ack_wait_us = value;
    else if (line[0] == "sweep_us")
      how.sweep_us = value;
    else if (line[0] == "keys")
      how.keys = static_cast<uint32_t>(std::max<int64_t>(value, 1));
    else if (line[0] == "judge_times")
      how.judge_times = value == 1;
    else if (line[0] == "memory_slack_kb")
      how.memory_slack_kb = value;
    else if (line[0] == "fsync")
      how.fsync_always = line[1] == "always";
  });
}

status loader::add_final(std::string_view text) {
  auto& end = result_.end;
  return for_each_line(text, 3, [&](const words& line) {
    if (line[0] == "entry") {
      end.stream.push_back(
        {id_of(line[1]), event_of(line[2], "stored " + std::string{line[1]})});
    } else if (line[0] == "dead") {
      const std::string sink{line[1]};
      end.dead[sink].push_back(event_of(line[2], "dead in " + sink));
    } else if (line[0] == "bad") {
      std::string text_of_it;
      for (size_t i = 1; i < line.size(); ++i)
        text_of_it += (i > 1 ? " " : "") + std::string{line[i]};
      result_.bad_ends.push_back(std::move(text_of_it));
    } else if (line[0] == "group" && line.size() > 3) {
      auto& x = end.groups[std::string{line[1]}];
      x.pending = number(line[2]);
      x.through = line[3] == "through";
      for (size_t i = 4; i < line.size(); ++i)
        x.consumers.emplace_back(line[i]);
    } else if (line[0] == "outage" && line.size() > 5) {
      result_.outages.push_back({std::string{line[1]}, real(line[2]),
                                 real(line[3]), number(line[4]),
                                 number(line[5])});
    }
  });
}

history loader::finish() {
  std::sort(result_.faults.begin(), result_.faults.end(),
            [](const fault& a, const fault& b) { return a.begin < b.begin; });
  find_aftermaths(result_, result_.faults);
  return std::move(result_);
}

} // namespace pulse::chaos
