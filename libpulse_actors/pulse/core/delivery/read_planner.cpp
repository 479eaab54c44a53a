#include "pulse/core/delivery/read_planner.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace pulse {

namespace {

// Streams without a backlog are asked at least after this many reads.
constexpr uint32_t most_in_a_row = 4;

// If not all streams can be asked at a time, a read cannot wait for events of
// all of them. The pause after a read without events is this long per stream,
// which is about 20 times as long as the server works on it.
constexpr std::chrono::microseconds pause_per_stream{20};
// One event makes up for so many streams without events.
constexpr size_t streams_per_event = 50;

uint32_t clamp_count(size_t x) {
  return static_cast<uint32_t>(std::clamp<size_t>(x, 1, UINT32_MAX));
}

} // namespace

read_planner::read read_planner::next(const std::vector<index>& open,
                                      size_t wanted, size_t room,
                                      uint32_t page) {
  note_results();
  auto is_closed = [&](index x) {
    return !std::binary_search(open.begin(), open.end(), x);
  };
  backlogged_.erase(std::remove_if(backlogged_.begin(), backlogged_.end(),
                                   is_closed),
                    backlogged_.end());
  const bool some_wait = !backlogged_.empty()
                         && backlogged_.size() < open.size();
  if (some_wait && in_a_row_ < most_in_a_row) {
    ++in_a_row_;
    is_part_ = false;
    last_ = next_backlogged(wanted, room);
  } else {
    in_a_row_ = 0;
    last_ = open.size() > room ? next_part(open, room)
                               : next_of_all(open, wanted, room);
    if (some_wait)
      last_.block.reset();
    is_part_ = open.size() > room;
  }
  last_.count = std::min(last_.count, page);
  return last_;
}

// A stream that was asked and returned less than it was asked for has no
// backlog any more.
void read_planner::note_results() {
  if (last_.streams.empty())
    return;
  const auto results = std::exchange(returned_, {});
  const auto asked = std::exchange(last_.streams, {});
  const std::unordered_set<index> was_asked(asked.begin(), asked.end());
  auto is_asked = [&](index x) { return was_asked.count(x) > 0; };
  backlogged_.erase(std::remove_if(backlogged_.begin(), backlogged_.end(),
                                   is_asked),
                    backlogged_.end());
  for (auto x : asked)
    if (const auto i = results.find(x);
        i != results.end() && i->second >= last_.count)
      backlogged_.push_back(x);
  if (!results.empty())
    active_ = results.size();
}

std::chrono::microseconds read_planner::pause() const {
  if (!is_part_ || !backlogged_.empty())
    return {};
  size_t events = 0;
  for (const auto& [stream, n] : returned_) {
    if (n >= last_.count)
      return {}; // the stream has a backlog
    events += n;
  }
  const auto silent = last_.streams.size()
                      - std::min(last_.streams.size(),
                                 streams_per_event * events);
  return silent * pause_per_stream;
}

read_planner::read read_planner::next_of_all(const std::vector<index>& open,
                                             size_t wanted, size_t room) const {
  read result;
  result.streams = open;
  result.count = clamp_count(std::min(wanted / active_, room / open.size()));
  result.block = block_;
  return result;
}

read_planner::read read_planner::next_backlogged(size_t wanted, size_t room) {
  const auto n = std::min({backlogged_.size(), wanted, room});
  read result;
  result.streams.assign(backlogged_.begin(),
                        backlogged_.begin() + static_cast<std::ptrdiff_t>(n));
  result.count = clamp_count(std::min(wanted, room) / n);
  return result;
}

read_planner::read read_planner::next_part(const std::vector<index>& open,
                                           size_t room) {
  read result;
  const auto size = std::min(room, open.size());
  for (size_t i = 0; i < size; ++i)
    result.streams.push_back(open[(next_ + i) % open.size()]);
  next_ = (next_ + size) % open.size();
  return result;
}

} // namespace pulse
