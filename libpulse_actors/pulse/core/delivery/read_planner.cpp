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

constexpr size_t part_growth = 8;

uint32_t clamp_count(size_t x) {
  return static_cast<uint32_t>(std::clamp<size_t>(x, 1, UINT32_MAX));
}

} // namespace

read_planner::read read_planner::next(const std::vector<index>& open,
                                      size_t wanted, size_t room,
                                      uint32_t page) {
  note_results();
  wanted = std::min<size_t>(wanted, page);
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
    is_part_ = open.size() > room
               || (asked_all_ ? std::min(active_, open.size()) : open.size())
                    > page;
    last_ = is_part_ ? next_part(open, room, page)
                     : next_of_all(open, wanted, room);
    if (some_wait)
      last_.block.reset();
  }
  open_ = open.size();
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
  note_active(asked.size(), results.size());
}

void read_planner::note_active(size_t asked, size_t with_events) {
  if (with_events > 0) {
    active_ = is_part_ ? std::max(with_events, with_events * open_ / asked)
                       : std::max(with_events, backlogged_.size());
    silent_ = 0;
  } else if (is_part_) {
    silent_ += asked;
    if (silent_ >= open_)
      active_ = 1;
  }
  asked_all_ |= asked == open_ || silent_ >= open_;
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

// A part that had no events says that the next part may be larger.
read_planner::read read_planner::next_part(const std::vector<index>& open,
                                           size_t room, size_t page) {
  read result;
  // In the first round no stream is asked twice.
  const auto known
    = asked_all_ || open.size() > room ? 0 : std::min(silent_, open.size() - 1);
  const auto size = std::min(
    {room, open.size() - known, std::max(page, part_growth * silent_)});
  for (size_t i = 0; i < size; ++i)
    result.streams.push_back(open[(next_ + i) % open.size()]);
  next_ = (next_ + size) % open.size();
  return result;
}

} // namespace pulse
