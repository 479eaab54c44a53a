#include "pulse/core/reading/cursor_set.hpp"

namespace pulse {

bool cursor_set::add(std::string stream, event_id last,
                     stream_position position) {
  const stream_cursor fresh{last, position};
  return streams_.emplace(std::move(stream), fresh).second;
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
  if (auto found = i->second.position.took(to))
    note(*i, found);
  return true;
}

void cursor_set::rewind(std::string_view stream, event_id to) {
  auto i = streams_.find(stream);
  if (i == streams_.end() || i->second.last <= to)
    return;
  i->second.position.rewound(i->second.last, to);
  i->second.last = to;
}

void cursor_set::check(std::string_view stream, event_id cursor,
                       const std::optional<stream_state>& found) {
  if (auto i = streams_.find(stream);
      i != streams_.end() && i->second.last == cursor)
    note(*i, i->second.position.check(cursor, found));
}

void cursor_set::drained(std::string_view stream, event_id from) {
  if (auto i = streams_.find(stream);
      i != streams_.end() && i->second.last >= from)
    note(*i, i->second.position.drained(i->second.last));
}

void cursor_set::note(map_type::value_type& where,
                      const stream_position::result& what) {
  if (!what)
    return;
  if (what->kind == finding::type::reset)
    where.second.last = what->after;
  findings_.emplace_back(where.first, *what);
}

} // namespace pulse
