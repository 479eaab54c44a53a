#include "simulation/model/redis_model.hpp"

// Commands on the entries of a stream.

namespace pulse::simulation {

event_id redis_model::to_id(const std::string& text, uint64_t missing_seq) {
  auto result = parse_event_id(text);
  if (!result)
    refuse("ERR Invalid stream ID specified as stream command argument");
  if (text.find('-') == std::string::npos)
    result->seq = missing_seq;
  return *result;
}

event_id redis_model::range_start(const std::string& text) {
  if (text == "-")
    return event_id::min();
  return text.at(0) == '(' ? to_id(text.substr(1)).next() : to_id(text);
}

event_id redis_model::range_end(const std::string& text) {
  if (text == "+")
    return event_id::max();
  return text.at(0) == '(' ? to_id(text.substr(1)).previous()
                           : to_id(text, event_id::max().seq);
}

value redis_model::entry_value(event_id id, const entry_fields& fields) {
  std::vector<value> items;
  for (const auto& x : fields)
    items.push_back(text(x));
  return array({text(to_string(id)), array(std::move(items))});
}

stream* redis_model::stream_of(const std::string& key) {
  auto* at = item_of(key);
  if (at == nullptr)
    return nullptr;
  auto* result = std::get_if<stream>(&at->content);
  if (result == nullptr)
    refuse("WRONGTYPE Operation against a key holding the wrong kind of value");
  return result;
}

const stream* redis_model::find(const std::string& key) const {
  const auto i = items_.find(key);
  return i != items_.end() ? std::get_if<stream>(&i->second.content) : nullptr;
}

stream& redis_model::stream_at(const std::string& key) {
  if (auto* result = stream_of(key))
    return *result;
  const auto i
    = items_.emplace(key, item{stream{node_size_}, std::nullopt}).first;
  return std::get<stream>(i->second.content);
}

// MAXLEN|MINID [=|~] <threshold> [LIMIT <n>]. Returns where it ends.
size_t redis_model::read_trim(const arguments& x, size_t at,
                              stream::trim_rule& into, int64_t node_size) {
  const auto by_length = x.at(at++) == "MAXLEN";
  if (x.at(at) == "~" || x[at] == "=")
    into.approximate = x[at++] == "~";
  if (by_length)
    into.max_len = to_number(x.at(at++));
  else
    into.min_id = to_id(x.at(at++));
  if (into.approximate)
    into.limit = 100 * node_size;
  if (at + 1 < x.size() && x[at] == "LIMIT") {
    into.limit = to_number(x[at + 1]);
    at += 2;
  }
  return at;
}

value redis_model::xadd(const arguments& x) {
  size_t at = 2;
  std::optional<stream::trim_rule> rule;
  const auto must_exist = x.at(at) == "NOMKSTREAM";
  at += must_exist ? 1 : 0;
  if (x.at(at) == "MAXLEN" || x[at] == "MINID")
    at = read_trim(x, at, rule.emplace(), node_size_);
  if (must_exist && stream_of(x[1]) == nullptr)
    return nil();
  auto& to = stream_at(x[1]);
  const auto id = x.at(at) == "*" ? to.next_id(now) : to_id(x[at]);
  if (id <= to.last_id)
    refuse("ERR The ID specified in XADD is equal or smaller than the target "
           "stream top item");
  const auto begin = x.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  to.add(id, {begin, x.end()});
  if (rule)
    to.trim(*rule);
  return text(to_string(id));
}

value redis_model::xlen(const arguments& x) {
  const auto* from = stream_of(x.at(1));
  return integer(from != nullptr ? from->length() : 0);
}

value redis_model::xdel(const arguments& x) {
  auto* from = stream_of(x.at(1));
  int64_t result = 0;
  for (size_t i = 2; from != nullptr && i < x.size(); ++i)
    result += from->remove(to_id(x[i])) ? 1 : 0;
  return integer(result);
}

value redis_model::xtrim(const arguments& x) {
  stream::trim_rule rule;
  read_trim(x, 2, rule, node_size_);
  auto* from = stream_of(x.at(1));
  return integer(from != nullptr ? from->trim(rule) : 0);
}

value redis_model::xrange(const arguments& x) {
  return range(x, false);
}

value redis_model::xrevrange(const arguments& x) {
  return range(x, true);
}

value redis_model::range(const arguments& x, bool backwards) {
  const auto low = range_start(x.at(backwards ? 3 : 2));
  const auto high = range_end(x.at(backwards ? 2 : 3));
  auto left = x.size() > 5 ? to_number(x[5]) : INT64_MAX;
  std::vector<value> result;
  const auto* from = stream_of(x[1]);
  if (from == nullptr || high < low)
    return array({});
  const auto begin = from->entries().lower_bound(low);
  const auto end = from->entries().upper_bound(high);
  if (backwards)
    for (auto i = end; i != begin && left-- > 0;) {
      --i;
      result.push_back(entry_value(i->first, i->second));
    }
  else
    for (auto i = begin; i != end && left-- > 0; ++i)
      result.push_back(entry_value(i->first, i->second));
  return array(std::move(result));
}

value redis_model::xread(const arguments& x) {
  const auto how = read_of(x);
  std::vector<value> result;
  for (const auto& [key, after] : how.streams) {
    const auto* from = stream_of(key);
    if (from == nullptr || after == "$")
      continue;
    std::vector<value> entries;
    auto left = how.count.value_or(INT64_MAX);
    for (auto i = from->entries().upper_bound(to_id(after));
         i != from->entries().end() && left-- > 0; ++i)
      entries.push_back(entry_value(i->first, i->second));
    if (!entries.empty())
      result.push_back(array({text(key), array(std::move(entries))}));
  }
  return result.empty() ? nil_array() : array(std::move(result));
}

redis_model::read_request redis_model::read_of(const arguments& x) {
  read_request result;
  size_t at = 1;
  for (; x.at(at) != "STREAMS"; ++at) {
    if (x[at] == "GROUP") {
      result.group = x.at(++at);
      result.consumer = x.at(++at);
    } else if (x[at] == "COUNT") {
      result.count = to_number(x.at(++at));
    } else if (x[at] == "BLOCK") {
      ++at;
    } else if (x[at] == "NOACK") {
      result.acks = false;
    }
  }
  const auto n = (x.size() - ++at) / 2;
  for (size_t i = 0; i < n; ++i)
    result.streams.emplace_back(x.at(at + i), x.at(at + n + i));
  return result;
}

value redis_model::xreadgroup(const arguments& x) {
  const auto how = read_of(x);
  for (const auto& [key, after] : how.streams)
    group_at(key, how.group, " in XREADGROUP with GROUP option");
  std::vector<value> result;
  for (const auto& [key, after] : how.streams) {
    auto& from = *stream_of(key);
    auto& as = from.groups.at(how.group);
    // Redis 7.0 looks a consumer up, or creates it, when there is something for
    // it to read.
    if (after != ">" || from.last_entry() > as.last_delivered)
      as.see(how.consumer, now);
    auto entries = after == ">" ? read_new(from, as, how)
                                : read_own(from, as, how, to_id(after));
    if (after != ">" || !entries.items.empty())
      result.push_back(array({text(key), std::move(entries)}));
  }
  return result.empty() ? nil_array() : array(std::move(result));
}

value redis_model::read_new(stream& from, group& as, const read_request& how) {
  std::vector<value> result;
  auto left = how.count.value_or(INT64_MAX);
  for (auto i = from.entries().upper_bound(as.last_delivered);
       i != from.entries().end() && left-- > 0; ++i) {
    from.deliver(as, how.consumer, i->first, how.acks, now);
    result.push_back(entry_value(i->first, i->second));
  }
  return array(std::move(result));
}

value redis_model::read_own(const stream& from, group& as,
                            const read_request& how, event_id after) const {
  std::vector<value> result;
  auto left = how.count.value_or(INT64_MAX);
  const auto& own = as.consumers.at(how.consumer).pending;
  for (auto i = own.upper_bound(after); i != own.end() && left-- > 0; ++i) {
    const auto entry = from.entries().find(*i);
    if (entry == from.entries().end()) {
      result.push_back(array({text(to_string(*i)), nil_array()}));
      continue;
    }
    auto& pending = as.pending.at(*i);
    pending.delivered_at = now;
    ++pending.deliveries;
    result.push_back(entry_value(*i, entry->second));
  }
  return array(std::move(result));
}

} // namespace pulse::simulation
