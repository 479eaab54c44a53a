#include "pulse/core/streams/group_history.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace pulse {

namespace {

using finding = group_history::finding;

void mix(uint64_t& hash, std::string_view bytes) {
  hash = hash * 0x9E3779B97F4A7C15ull + std::hash<std::string_view>{}(bytes);
}

// The fingerprint tells an event from another one that got the same ID after
// the stream was deleted. Of long payloads, both ends are enough.
uint64_t fingerprint(const event& x) {
  constexpr size_t end = 64;
  const auto payload = x.payload();
  uint64_t result = payload.size();
  mix(result, x.name());
  mix(result, payload.substr(0, end));
  if (payload.size() > end)
    mix(result, payload.substr(std::max(end, payload.size() - end)));
  return result;
}

// Returns how many events the stream certainly had up to the position of the
// group.
uint64_t surely_passed(const group_state& x) {
  return std::max(x.passed.value_or(0), x.stream.removed());
}

// Returns how many events the stream has had after the position of the group at
// the time of `before`, and up to the position now.
uint64_t passed_since(const group_state& before, const group_state& now) {
  const auto most = now.passed.value_or(now.stream.added);
  const auto least = before.passed.value_or(0);
  return most > least ? most - least : 0;
}

// So many events can be counted when the group vanished. A sink that has read
// more since the last audit cannot show that it was alone.
constexpr uint64_t most_own_reads = 4'000;

event_id first_available(const group_state& x) {
  const auto& s = x.stream;
  return s.length > 0 && s.first > x.at ? s.first : x.at.next();
}

} // namespace

void group_history::received(const event& x) {
  note_own_read(x.id());
  if (x.id() < last_event_)
    return;
  last_event_ = x.id();
  fingerprint_ = fingerprint(x);
  if (x.id() <= seen_.last)
    return;
  // Other members may have got events before this one.
  if (seen_.length == 0)
    seen_.first = seen_.last.next();
  seen_.last = x.id();
  ++seen_.length;
  ++seen_.added;
}

// An event may come twice, for instance when the group was created again.
void group_history::note_own_read(event_id id) {
  if (id <= last_own_read_ || (known_ && id <= known_->at))
    return;
  last_own_read_ = id;
  ++reads_since_known_;
  if (own_reads_ && ++*own_reads_ > most_own_reads)
    own_reads_.reset();
  if (asked_ && reads_since_asked_.size() <= most_own_reads)
    reads_since_asked_.push_back(id);
}

// The events that were read before the audit was asked for are not behind its
// position.
void group_history::count_own_reads(event_id from) {
  const auto first = std::upper_bound(reads_since_asked_.begin(),
                                      reads_since_asked_.end(), from);
  own_reads_ = static_cast<uint64_t>(reads_since_asked_.end() - first);
  reads_since_known_ = *own_reads_;
  if (*own_reads_ > most_own_reads)
    own_reads_.reset();
  reads_since_asked_.clear();
  asked_ = false;
}

// -- audits -------------------------------------------------------------------

group_history::question group_history::ask(uint64_t disturbances) {
  reads_since_asked_.clear();
  asked_ = true;
  return {last_event_, known_.has_value(), !stored_ || stored_ != known_->read,
          disturbances};
}

std::optional<finding> group_history::on_audit(const group_state& now,
                                               const question& asked) {
  std::optional<finding> result;
  // A group that was created again meanwhile was not audited before.
  if (known_.has_value() != asked.audited)
    return result;
  if (asked.disturbances != disturbances_)
    counted_ = false;
  if ((known_ && is_other_stream(known_->stream, now.stream))
      || lost_last_event(now, asked)) {
    result = finding{finding::type::reset, now.at, {}, 0, false};
    forget();
  } else {
    result = known_ ? compare(now) : first_audit(now);
  }
  remember(now, asked);
  return result;
}

// Returns whether the event that the sink had read vanished, although nobody
// removed it.
bool group_history::lost_last_event(const group_state& now,
                                    const question& asked) const {
  const auto id = asked.last_event;
  // The stream may have begun anew meanwhile, and then the sink knows that.
  if (id == event_id::min() || last_event_ < id)
    return false;
  if (now.stream.last < id)
    return true;
  return now.stream.length > 0 && now.stream.first <= id
         && now.stream.max_deleted < id && !now.has_asked_event;
}

// At the first audit it is not known whether the count of read events is right.
// If the group is at the end of the stream, nothing shows that events were
// lost. Otherwise the group may have been without members for long.
std::optional<finding> group_history::first_audit(const group_state& now) {
  counted_ = now.corrected || (now.passed && now.read == now.passed);
  if (!now.corrected)
    return std::nullopt;
  uint64_t lost = 0;
  if (now.read)
    lost = *now.passed > *now.read ? *now.passed - *now.read : 0;
  else if (now.at > event_id::min() && now.at < now.stream.last)
    lost = now.stream.removed();
  if (lost == 0)
    return std::nullopt;
  return finding{finding::type::gap, now.at, first_available(now), lost, false};
}

std::optional<finding> group_history::compare(const group_state& now) {
  if (was_moved(now))
    return moved(now);
  if (!now.read || (known_->read && *now.read < *known_->read))
    counted_ = false;
  note_removed(now);
  return now.passed ? settle(now) : std::nullopt;
}

// XGROUP SETID, and a group that was created again, have no count of read
// events. Otherwise a count can only vanish if the group came to an event with
// XDEL behind it.
bool group_history::was_moved(const group_state& now) const {
  return stored_ && !now.read && now.at > known_->at
         && now.stream.max_deleted <= known_->at;
}

std::optional<finding> group_history::moved(const group_state& now) {
  suspected_ = 0;
  counted_ = now.corrected;
  return finding{finding::type::moved, known_->at, first_available(now),
                 passed_since(*known_, now), false};
}

// Events that were removed since the last audit may be lost, unless the group
// had passed all of them before.
void group_history::note_removed(const group_state& now) {
  const auto before = surely_passed(*known_);
  const auto removed = now.stream.removed();
  if (removed <= before || removed_up_to(now.stream) <= known_->at)
    return;
  if (suspected_ == 0)
    suspected_after_ = known_->at;
  suspected_ += removed - before;
}

// The group is at the end of the stream, or behind all removed events.
std::optional<finding> group_history::settle(const group_state& now) {
  const auto most = std::exchange(suspected_, 0);
  const bool counted = std::exchange(counted_, true);
  if (most == 0)
    return std::nullopt;
  auto lost = most;
  bool exact = false;
  if (now.read) {
    const auto read = surely_read(now);
    const auto missing = *now.passed > read ? *now.passed - read : 0;
    lost = std::min(missing, most);
    exact = counted && missing <= most;
  }
  if (lost == 0)
    return std::nullopt;
  const bool ahead = now.stream.length > 0 && now.stream.first > now.at;
  return finding{finding::type::gap, ahead ? now.at : suspected_after_,
                 first_available(now), lost, exact};
}

// A count of Redis that was loaded from an append-only file may lack what this
// sink has read since the last audit.
uint64_t group_history::surely_read(const group_state& now) const {
  const auto first = std::upper_bound(reads_since_asked_.begin(),
                                      reads_since_asked_.end(), now.at);
  const auto later = static_cast<uint64_t>(reads_since_asked_.end() - first);
  const bool knows_later = reads_since_asked_.size() <= most_own_reads;
  const auto own = knows_later && reads_since_known_ > later
                     ? reads_since_known_ - later
                     : 0;
  return std::max(*now.read, known_->read.value_or(0) + own);
}

void group_history::remember(const group_state& now, const question& asked) {
  count_own_reads(now.at);
  disturbances_ = asked.disturbances;
  known_ = now;
  if (now.corrected)
    known_->read = now.passed;
  if (now.corrected || asked.store_count || !known_->read)
    stored_ = known_->read;
  // The sink may have read events that were added after the audit.
  if (now.stream.last >= seen_.last)
    seen_ = now.stream;
}

void group_history::forget() {
  known_.reset();
  seen_ = {};
  last_event_ = event_id::min();
  own_reads_ = 0;
  reads_since_known_ = 0;
  last_own_read_ = event_id::min();
  suspected_ = 0;
  counted_ = false;
  stored_.reset();
}

// -- a group that vanished ----------------------------------------------------

group_history::restart
group_history::restart_after(event_id floor,
                             const std::optional<stream_state>& found,
                             const std::optional<event>& same_event) const {
  using type = restart::type;
  const restart anew{type::new_stream, event_id::min(), 0, {}};
  if (!found || is_other_stream(seen_, *found)
      || (!known_ && found->last < floor))
    return anew;
  const auto read = known_ ? known_->read.value_or(0) : 0;
  restart again{type::same_stream, floor, read, {}};
  if (known_ && known_->at < floor) {
    again.after = known_->at;
    again.alone = proof_of_being_alone(floor, *found);
  }
  if (last_event_ > event_id::min()) {
    if (same_event)
      return fingerprint(*same_event) == fingerprint_ ? again : anew;
    if (found->length > 0 && found->first <= last_event_
        && found->max_deleted < last_event_)
      return anew; // nobody has removed the event
  }
  // Events that were there at the last audit are still there, or so many were
  // removed that they may be among them. Or the stream never had an event.
  if (seen_.added > 0 || (known_ && found->added == 0))
    return again;
  again.kind = type::unknown;
  return again;
}

// Events behind the position of the last audit that were removed would be
// missing in the count.
std::optional<group_history::proof>
group_history::proof_of_being_alone(event_id floor,
                                    const stream_state& found) const {
  const auto at = known_->at;
  const bool complete = found.removed() == known_->stream.removed()
                        || (found.first <= at && found.max_deleted <= at);
  if (!own_reads_ || !complete)
    return std::nullopt;
  return proof{at, std::max(last_own_read_, floor), *own_reads_, floor};
}

void group_history::restarted(const restart& x) {
  if (x.kind == restart::type::new_stream) {
    forget();
    known_ = group_state{};
    known_->passed = 0;
  }
  restarted_by_other();
}

void group_history::restarted_by_other() {
  own_reads_.reset();
  reads_since_known_ = 0;
  last_own_read_ = event_id::min();
  if (known_)
    known_->read.reset();
  counted_ = false;
  stored_.reset();
}

} // namespace pulse
