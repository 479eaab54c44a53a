#include "simulation/model/stream.hpp"

#include <iterator>

namespace pulse::simulation {

consumer& group::see(const std::string& name, int64_t now) {
  auto& result = consumers[name];
  result.seen_at = now;
  return result;
}

pending_entry& group::assign(event_id id, const std::string& name) {
  auto& result = pending[id];
  if (!result.owner.empty())
    consumers[result.owner].pending.erase(id);
  result.owner = name;
  consumers[name].pending.insert(id);
  return result;
}

bool group::acknowledge(event_id id) {
  const auto i = pending.find(id);
  if (i == pending.end())
    return false;
  consumers[i->second.owner].pending.erase(id);
  pending.erase(i);
  return true;
}

event_id stream::first_id() const {
  return entries_.empty() ? event_id::min() : entries_.begin()->first;
}

event_id stream::last_entry() const {
  return entries_.empty() ? event_id::min() : entries_.rbegin()->first;
}

event_id stream::next_id(int64_t now) const {
  const auto ms = static_cast<uint64_t>(now);
  return ms > last_id.ms ? event_id{ms, 0} : last_id.next();
}

void stream::add(event_id id, entry_fields fields) {
  if (nodes_.empty() || nodes_.rbegin()->second.total >= node_size_)
    nodes_.emplace(id, node{});
  auto& tail = nodes_.rbegin()->second;
  ++tail.live;
  ++tail.total;
  tail.last = id;
  entries_.emplace(id, std::move(fields));
  last_id = id;
  ++entries_added;
}

void stream::erase(event_id id) {
  const auto at = std::prev(nodes_.upper_bound(id));
  if (--at->second.live == 0)
    nodes_.erase(at);
  entries_.erase(id);
}

bool stream::remove(event_id id) {
  if (entries_.count(id) == 0)
    return false;
  erase(id);
  max_deleted = std::max(max_deleted, id);
  return true;
}

int64_t stream::trim(const trim_rule& rule) {
  const auto before = length();
  while (!nodes_.empty()) {
    if (rule.max_len && length() <= *rule.max_len)
      break;
    const auto& first = nodes_.begin()->second;
    const auto removed = before - length();
    if (rule.limit > 0 && removed + first.live > rule.limit)
      break;
    const auto whole = rule.max_len ? length() - first.live >= *rule.max_len
                                    : first.last < rule.min_id;
    if (!whole && rule.approximate)
      break;
    const auto last = first.last;
    while (!entries_.empty() && first_id() <= last
           && (whole
               || (rule.max_len ? length() > *rule.max_len
                                : first_id() < rule.min_id)))
      erase(first_id());
    if (!whole)
      break;
  }
  return before - length();
}

bool stream::has_gaps_behind(event_id id) const {
  return !entries_.empty() && max_deleted >= first_id() && id <= max_deleted;
}

void stream::deliver(group& to, const std::string& consumer, event_id id,
                     bool acks, int64_t now) const {
  if (id > to.last_delivered) {
    if (to.entries_read && !has_gaps_behind(id))
      ++*to.entries_read;
    else if (entries_added > 0)
      to.entries_read = entries_up_to(id);
    to.last_delivered = id;
  }
  if (!acks)
    return;
  auto& entry = to.assign(id, consumer);
  entry.delivered_at = now;
  entry.deliveries = 1;
}

std::optional<int64_t> stream::entries_up_to(event_id id) const {
  if (entries_added == 0)
    return 0;
  if (entries_.empty() && id <= last_id)
    return entries_added;
  if (id == last_id)
    return entries_added;
  if (id > last_id)
    return std::nullopt;
  if (max_deleted == event_id::min() || max_deleted < first_id()) {
    if (id < first_id())
      return entries_added - length();
    if (id == first_id())
      return entries_added - length() + 1;
  }
  return std::nullopt;
}

std::optional<int64_t> stream::lag(const group& of) const {
  if (entries_added == 0)
    return 0;
  auto read = of.entries_read;
  if (!read || has_gaps_behind(of.last_delivered))
    read = entries_up_to(of.last_delivered);
  if (!read)
    return std::nullopt;
  return entries_added - *read;
}

} // namespace pulse::simulation
