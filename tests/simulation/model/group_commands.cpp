#include "simulation/model/redis_model.hpp"

// Commands on consumer groups and their pending lists.

namespace pulse::simulation {

namespace {

value number_or_nil(const std::optional<int64_t>& x) {
  return x ? integer(*x) : nil();
}

value first_or_nil(bool is_empty, value x) {
  return is_empty ? nil() : std::move(x);
}

} // namespace

group& redis_model::group_at(const std::string& key, const std::string& name,
                             const char* where) {
  auto* at = stream_of(key);
  if (at == nullptr || at->groups.count(name) == 0)
    refuse("NOGROUP No such key '" + key + "' or consumer group '" + name + "'"
           + where);
  return at->groups.at(name);
}

value redis_model::xgroup(const arguments& x) {
  const auto& what = x.at(1);
  if (what == "CREATE")
    return create_group(x);
  auto* at = stream_of(x.at(2));
  if (at == nullptr)
    refuse("ERR The XGROUP subcommand requires the key to exist. Note that for "
           "CREATE you may want to use the MKSTREAM option to create an empty "
           "stream automatically.");
  if (what == "SETID")
    return set_group(x);
  if (what == "DESTROY")
    return integer(static_cast<int64_t>(at->groups.erase(x.at(3))));
  auto& of = group_at(x[2], x.at(3), "");
  int64_t pending = 0;
  if (const auto i = of.consumers.find(x.at(4)); i != of.consumers.end()) {
    pending = static_cast<int64_t>(i->second.pending.size());
    for (auto id : i->second.pending)
      of.pending.erase(id);
    of.consumers.erase(i);
  }
  return integer(pending);
}

value redis_model::create_group(const arguments& x) {
  const auto creates = std::find(x.begin(), x.end(), "MKSTREAM") != x.end();
  if (!creates && stream_of(x.at(2)) == nullptr)
    refuse("ERR The XGROUP subcommand requires the key to exist.");
  auto& at = stream_at(x.at(2));
  if (at.groups.count(x.at(3)) > 0)
    refuse("BUSYGROUP Consumer Group name already exists");
  auto& made = at.groups[x[3]];
  made.last_delivered = x.at(4) == "$" ? at.last_id : to_id(x[4]);
  if (const auto count = std::find(x.begin(), x.end(), "ENTRIESREAD");
      count != x.end())
    made.entries_read = to_number(*std::next(count));
  return status("OK");
}

value redis_model::set_group(const arguments& x) {
  auto& of = group_at(x.at(2), x.at(3), "");
  of.last_delivered = x.at(4) == "$" ? stream_of(x[2])->last_id : to_id(x[4]);
  of.entries_read.reset();
  if (x.size() > 6 && x[5] == "ENTRIESREAD")
    of.entries_read = to_number(x[6]);
  return status("OK");
}

value redis_model::xack(const arguments& x) {
  auto* at = stream_of(x.at(1));
  int64_t result = 0;
  if (at != nullptr && at->groups.count(x.at(2)) > 0)
    for (size_t i = 3; i < x.size(); ++i)
      result += at->groups.at(x[2]).acknowledge(to_id(x[i])) ? 1 : 0;
  return integer(result);
}

value redis_model::xpending(const arguments& x) {
  const auto& of = group_at(x.at(1), x.at(2), "");
  if (x.size() == 3)
    return pending_summary(of);
  size_t at = 3;
  int64_t min_idle = 0;
  if (x[at] == "IDLE") {
    min_idle = to_number(x.at(at + 1));
    at += 2;
  }
  auto left = to_number(x.at(at + 2));
  const auto* owner = x.size() > at + 3 ? &x[at + 3] : nullptr;
  const auto end = of.pending.upper_bound(range_end(x.at(at + 1)));
  std::vector<value> result;
  for (auto i = of.pending.lower_bound(range_start(x[at]));
       i != end && left > 0; ++i) {
    const auto idle = std::max<int64_t>(now - i->second.delivered_at, 0);
    if ((owner != nullptr && i->second.owner != *owner) || idle < min_idle)
      continue;
    --left;
    result.push_back(array({text(to_string(i->first)), text(i->second.owner),
                            integer(idle), integer(i->second.deliveries)}));
  }
  return array(std::move(result));
}

value redis_model::pending_summary(const group& of) {
  if (of.pending.empty())
    return array({integer(0), nil(), nil(), nil_array()});
  std::vector<value> owners;
  for (const auto& [name, x] : of.consumers)
    if (!x.pending.empty())
      owners.push_back(
        array({text(name), text(std::to_string(x.pending.size()))}));
  return array({integer(static_cast<int64_t>(of.pending.size())),
                text(to_string(of.pending.begin()->first)),
                text(to_string(of.pending.rbegin()->first)),
                array(std::move(owners))});
}

value redis_model::xclaim(const arguments& x) {
  auto& of = group_at(x.at(1), x.at(2), "");
  const auto& from = *stream_of(x[1]);
  const auto& me = x.at(3);
  const auto min_idle = to_number(x.at(4));
  size_t at = 5;
  while (at < x.size() && parse_event_id(x[at]))
    ++at;
  const auto ids_end = at;
  int64_t delivered_at = now;
  std::optional<int64_t> deliveries;
  bool only_ids = false;
  bool force = false;
  for (; at < x.size(); ++at) {
    if (x[at] == "IDLE")
      delivered_at = now - to_number(x.at(++at));
    else if (x[at] == "RETRYCOUNT")
      deliveries = to_number(x.at(++at));
    else if (x[at] == "FORCE")
      force = true;
    else if (x[at] == "JUSTID")
      only_ids = true;
    else
      refuse("ERR Unrecognized XCLAIM option '" + x[at] + "'");
  }
  std::vector<value> result;
  for (size_t i = 5; i < ids_end; ++i) {
    const auto id = to_id(x[i]);
    const auto entry = from.entries().find(id);
    if (entry == from.entries().end()) {
      of.acknowledge(id);
      continue;
    }
    const auto known = of.pending.find(id);
    if (known == of.pending.end() && !force)
      continue;
    if (known != of.pending.end() && min_idle > 0
        && now - known->second.delivered_at < min_idle)
      continue;
    of.see(me, now);
    auto& pending = of.assign(id, me);
    pending.delivered_at = delivered_at;
    if (deliveries)
      pending.deliveries = *deliveries;
    else if (!only_ids)
      ++pending.deliveries;
    result.push_back(only_ids ? text(to_string(id))
                              : entry_value(id, entry->second));
  }
  return array(std::move(result));
}

value redis_model::xinfo(const arguments& x) {
  const auto* at = stream_of(x.at(2));
  if (at == nullptr)
    refuse("ERR no such key");
  if (x[1] == "STREAM")
    return info_stream(*at);
  if (x[1] == "GROUPS")
    return info_groups(*at);
  const auto i = at->groups.find(x.at(3));
  if (i == at->groups.end())
    refuse("NOGROUP No such consumer group '" + x[3] + "' for key name '" + x[2]
           + "'");
  return info_consumers(i->second);
}

value redis_model::info_stream(const stream& x) {
  const auto& entries = x.entries();
  const auto none = entries.empty();
  auto entry = [&](bool first) {
    if (none)
      return nil();
    const auto& [id, fields] = first ? *entries.begin() : *entries.rbegin();
    return entry_value(id, fields);
  };
  const auto groups = static_cast<int64_t>(x.groups.size());
  return array({text("length"), integer(x.length()), text("last-generated-id"),
                text(to_string(x.last_id)), text("max-deleted-entry-id"),
                text(to_string(x.max_deleted)), text("entries-added"),
                integer(x.entries_added), text("recorded-first-entry-id"),
                text(to_string(x.first_id())), text("groups"), integer(groups),
                text("first-entry"), first_or_nil(none, entry(true)),
                text("last-entry"), first_or_nil(none, entry(false))});
}

value redis_model::info_groups(const stream& x) {
  std::vector<value> result;
  for (const auto& [name, g] : x.groups) {
    const auto consumers = static_cast<int64_t>(g.consumers.size());
    const auto pending = static_cast<int64_t>(g.pending.size());
    result.push_back(array(
      {text("name"), text(name), text("consumers"), integer(consumers),
       text("pending"), integer(pending), text("last-delivered-id"),
       text(to_string(g.last_delivered)), text("entries-read"),
       number_or_nil(g.entries_read), text("lag"), number_or_nil(x.lag(g))}));
  }
  return array(std::move(result));
}

value redis_model::info_consumers(const group& x) const {
  std::vector<value> result;
  for (const auto& [name, c] : x.consumers) {
    const auto pending = static_cast<int64_t>(c.pending.size());
    result.push_back(
      array({text("name"), text(name), text("pending"), integer(pending),
             text("idle"), integer(now - c.seen_at)}));
  }
  return array(std::move(result));
}

} // namespace pulse::simulation
