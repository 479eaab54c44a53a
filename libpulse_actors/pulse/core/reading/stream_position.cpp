#include "pulse/core/reading/stream_position.hpp"

#include <algorithm>
#include <utility>

namespace pulse {

namespace {

using finding = stream_position::finding;

finding gap(event_id after, event_id first, uint64_t lost, bool exact) {
  return {finding::type::gap, after, first, lost, exact};
}

finding reset(event_id after, event_id first) {
  return {finding::type::reset, after, first, 0, false};
}

// Servers before Redis 7 do not count the events that were added.
bool counts(const stream_state& x) {
  return x.added >= x.length && (x.added > 0 || x.last == event_id::min());
}

uint64_t removed(const stream_state& x) {
  return x.added - x.length;
}

// @returns whether all events up to `cursor`, itself included, were removed.
bool passed(event_id cursor, const stream_state& x) {
  return x.length > 0 ? x.first > cursor : x.last > cursor;
}

} // namespace

stream_position::stream_position(const start_position& start, event_id cursor,
                                 const std::optional<stream_state>& found) {
  const auto now = found.value_or(stream_state{});
  anchored_ = cursor <= now.last;
  countable_ = counts(now);
  if (!anchored_ || !countable_)
    return;
  const bool at_end = start.kind == start_kind::newest || cursor == now.last;
  if (!at_end && cursor > event_id::min())
    return; // neither end of the stream: the first check tells more
  exact_ = true;
  count_ = at_end ? now.added : removed(now);
  last_check_ = snapshot{cursor, now.first, removed(now)};
}

stream_position stream_position::resumed() {
  stream_position result;
  result.anchored_ = true;
  result.countable_ = true;
  return result;
}

// -- the reader moves ---------------------------------------------------------

stream_position::result stream_position::took(event_id id) {
  anchored_ = true;
  ++count_;
  if (last_check_ && last_check_->first == event_id::min())
    last_check_->first = id; // the stream was empty at the last check
  if (!next_ || id < next_->id)
    return std::nullopt;
  const bool beyond = id > next_->id;
  const auto seen = beyond ? count_ - 1 : count_;
  auto found = settle(seen, id);
  count_ += beyond ? 1 : 0;
  return found;
}

void stream_position::rewound(event_id from, event_id to) {
  if (!(to < from))
    return;
  if (exact_)
    next_ = milestone{to, from, count_};
  exact_ = false;
  if (last_check_)
    last_check_->cursor = std::min(last_check_->cursor, to);
}

stream_position::result stream_position::drained(event_id cursor) {
  return next_ ? settle(count_, cursor) : std::nullopt;
}

// The reader has passed the milestone, and has seen `seen` events up to it.
stream_position::result stream_position::settle(uint64_t seen,
                                                event_id first_available) {
  const auto was_exact = std::exchange(exact_, true);
  const auto passed = *std::exchange(next_, std::nullopt);
  count_ = passed.count;
  if (!was_exact || seen == passed.count)
    return std::nullopt;
  // The reader saw more events than the stream had: so the stream was replaced.
  if (seen > passed.count)
    return reset(first_available, first_available);
  return gap(passed.after, first_available, passed.count - seen, true);
}

// -- comparing ----------------------------------------------------------------

stream_position::result
stream_position::check(event_id cursor,
                       const std::optional<stream_state>& found) {
  if (!found)
    return gone(cursor);
  const auto& now = *found;
  countable_ = counts(now);
  anchored_ = anchored_ || cursor <= now.last;
  if (!anchored_) {
    last_check_ = snapshot{cursor, now.first, countable_ ? removed(now) : 0};
    return std::nullopt;
  }
  const auto known_end = next_ ? std::max(next_->id, cursor) : cursor;
  const bool fewer = exact_ && countable_ && now.added < count_;
  if (now.last < known_end || fewer)
    return changed(cursor, now);
  if (!countable_)
    return std::nullopt;
  auto result = compare(cursor, now);
  last_check_ = snapshot{cursor, now.first, removed(now)};
  return result;
}

bool stream_position::was_empty(event_id cursor) const noexcept {
  return cursor == event_id::min() && !next_
         && (!last_check_
             || (last_check_->first == event_id::min()
                 && last_check_->removed == 0));
}

stream_position::result stream_position::gone(event_id cursor) {
  if (!anchored_ || was_empty(cursor))
    return std::nullopt;
  return restart({});
}

// @returns whether the stream is the one of the last check without its last
// events, because Redis restored older data. Its first events may have been
// trimmed meanwhile.
bool stream_position::is_older(event_id cursor, const stream_state& now) const {
  if (!last_check_ || !countable_ || now.length == 0)
    return false;
  if (removed(now) == last_check_->removed)
    return now.first == last_check_->first;
  return removed(now) > last_check_->removed && now.first > last_check_->first
         && now.first <= cursor;
}

// The stream has fewer events, or a lower last ID, than it had.
stream_position::result stream_position::changed(event_id cursor,
                                                 const stream_state& now) {
  const bool all_new = !passed(cursor, now) && !is_older(cursor, now);
  if (all_new)
    return restart(now);
  next_.reset();
  exact_ = countable_ && (passed(cursor, now) || now.last <= cursor);
  count_ = passed(cursor, now) ? removed(now) : now.added;
  last_check_ = snapshot{cursor, now.first, removed(now)};
  return reset(std::min(cursor, now.last), now.first);
}

// All events that the stream has now are new for the reader.
stream_position::result stream_position::restart(const stream_state& now) {
  next_.reset();
  anchored_ = true;
  countable_ = counts(now);
  exact_ = countable_;
  count_ = exact_ ? removed(now) : 0;
  last_check_ = snapshot{event_id::min(), now.first, count_};
  return reset(event_id::min(), now.first);
}

stream_position::result stream_position::compare(event_id cursor,
                                                 const stream_state& now) {
  const bool all_gone = passed(cursor, now);
  if (!exact_)
    return bound(cursor, now, all_gone);
  if (all_gone) {
    // All remaining events are ahead of the reader, so all removed ones are
    // behind it.
    const auto seen = std::exchange(count_, removed(now));
    next_.reset();
    if (seen == count_)
      return std::nullopt;
    if (seen > count_)
      return reset(cursor, now.first);
    return gap(cursor, now.first, count_ - seen, true);
  }
  const auto from = last_check_ ? last_check_->cursor : cursor;
  if (!next_ || now.last == cursor)
    next_ = milestone{from, now.last, now.added};
  return now.last == cursor ? settle(count_, cursor) : std::nullopt;
}

// The count is not exact. Events that were removed since the last check may be
// missing, if the reader had not passed them.
stream_position::result stream_position::bound(event_id cursor,
                                               const stream_state& now,
                                               bool all_gone) {
  const auto from = last_check_ ? last_check_->cursor : cursor;
  const auto before = last_check_ ? last_check_->removed : 0;
  const auto most = removed(now) > before ? removed(now) - before : 0;
  const bool overtaken = passed(from, now);
  if (all_gone) {
    exact_ = true;
    count_ = removed(now);
    next_.reset();
  } else if (now.last == cursor) {
    exact_ = true;
    count_ = now.added;
    next_.reset();
  } else if (!next_) {
    next_ = milestone{cursor, now.last, now.added};
  }
  if (!overtaken || most == 0)
    return std::nullopt;
  return gap(from, now.first, most, false);
}

} // namespace pulse
