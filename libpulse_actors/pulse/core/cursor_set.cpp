#include "pulse/core/cursor_set.hpp"

#include <algorithm>

namespace pulse {

bool cursor_set::add(std::string stream, event_id last) {
  return streams_.emplace(std::move(stream), stream_cursor{last}).second;
}

bool cursor_set::remove(std::string_view stream) {
  auto i = streams_.find(stream);
  if (i == streams_.end())
    return false;
  streams_.erase(i);
  return true;
}

bool cursor_set::advance(std::string_view stream, event_id to) {
  auto i = streams_.find(stream);
  if (i == streams_.end() || to <= i->second.last)
    return false;
  i->second.last = to;
  return true;
}

void cursor_set::rewind(std::string_view stream, event_id to) {
  if (auto i = streams_.find(stream); i != streams_.end())
    i->second.last = std::min(i->second.last, to);
}

void cursor_set::set_aside(std::string_view stream, bool aside) {
  if (auto i = streams_.find(stream); i != streams_.end())
    i->second.aside = aside;
}

std::vector<std::string> cursor_set::names(bool aside) const {
  std::vector<std::string> result;
  for (auto& [name, cursor] : streams_)
    if (cursor.aside == aside)
      result.push_back(name);
  return result;
}

size_t cursor_set::active() const noexcept {
  return static_cast<size_t>(std::count_if(
    streams_.begin(), streams_.end(), [](auto& x) { return !x.second.aside; }));
}

} // namespace pulse
