#include "simulation/checker/groups.hpp"

#include "pulse/core/names.hpp"

#include <algorithm>
#include <cstdlib>

namespace pulse::simulation {

namespace {

// The consumers of events that no node owns.
const std::string released = "released";
const std::string delayed = "delayed";

// Whether no node owns what this consumer has.
bool is_unowned(const std::string& consumer) {
  return consumer == released || consumer == delayed
         || consumer.rfind("dead.", 0) == 0
         || (consumer.rfind("key.", 0) == 0
             && consumer.find('.', 4) == std::string::npos);
}

} // namespace

instance_id instance_of(const std::string& consumer) {
  const auto dot = consumer.find('.');
  if (dot == std::string::npos || is_unowned(consumer))
    return 0;
  return static_cast<instance_id>(
    std::strtoul(consumer.c_str() + dot + 1, nullptr, 10));
}

void group_rules::watch(std::string stream, std::string sink) {
  watched x;
  x.key = stream_key(stream);
  x.stream = std::move(stream);
  x.sink = std::move(sink);
  all_.push_back(std::move(x));
}

void group_rules::forget(const std::string& stream, const std::string& sink) {
  for (auto& x : all_)
    if (x.stream == stream && x.sink == sink) {
      deliveries_.forgets(sink, stream, x.last_delivered);
      x.pending.clear();
      x.last_delivered = {};
    }
}

std::vector<std::string>
group_rules::consumers_of(const std::string& stream,
                          const std::string& sink) const {
  std::vector<std::string> result;
  const auto* from = redis_.find(stream_key(stream));
  if (from == nullptr || from->groups.count(sink) == 0)
    return result;
  for (const auto& [name, c] : from->groups.at(sink).consumers)
    if (name == delayed || deliveries_.is_alive(instance_of(name)))
      result.push_back(name);
  return result;
}

void group_rules::forget_consumer(const std::string& stream,
                                  const std::string& sink,
                                  const std::string& consumer) {
  for (auto& x : all_) {
    if (x.stream != stream || x.sink != sink)
      continue;
    for (auto i = x.pending.begin(); i != x.pending.end();) {
      if (i->second.owner != consumer) {
        ++i;
        continue;
      }
      x.deleted.insert(i->first);
      i = x.pending.erase(i);
    }
  }
}

void group_rules::arrives(const std::string& sink, const event& what) {
  const auto* rules = deliveries_.rules_of(sink);
  if (rules == nullptr || !rules->keyed || what.topic().empty())
    return;
  for (const auto& x : all_) {
    if (x.stream != what.stream() || x.sink != sink)
      continue;
    const auto& entries = redis_.find(x.key)->entries();
    for (auto i = x.pending.begin(); i != x.pending.lower_bound(what.id());
         ++i) {
      const delivery_key earlier{sink, x.stream, i->first};
      const auto entry = entries.find(i->first);
      if (entry != entries.end() && field_of(entry->second, "t") == what.topic()
          && !deliveries_.was_delivered(earlier)
          && !deliveries_.is_forgotten(earlier))
        out_.add("overtaken", to_string(earlier) + " was overtaken by "
                                + to_string(what.id()) + " of the same topic");
    }
  }
}

void group_rules::confirm(const delivery_key& what) {
  for (const auto& x : all_)
    if (x.stream == what.stream && x.sink == what.sink
        && x.pending.count(what.id) > 0 && !deliveries_.is_forgotten(what))
      out_.add("unconfirmed",
               to_string(what) + " is pending although its ack was confirmed");
}

void group_rules::look() {
  for (auto& x : all_) {
    const auto* from = redis_.find(x.key);
    if (from == nullptr)
      continue;
    const auto i = from->groups.find(x.sink);
    if (i == from->groups.end())
      continue;
    look_at_letters(x);
    look_at(x, i->second);
  }
}

void group_rules::look_at(watched& x, const group& now) {
  for (const auto& [id, before] : x.pending) {
    const auto i = now.pending.find(id);
    if (i == now.pending.end())
      entry_left(x, id);
    else if (i->second.owner != before.owner)
      owner_changed(x, id, before, i->second);
  }
  look_at_new(x, now);
  check_windows(x, now);
  x.pending = now.pending;
  x.last_delivered = now.last_delivered;
}

void group_rules::entry_left(const watched& x, event_id id) {
  const delivery_key key{x.sink, x.stream, id};
  if (!deliveries_.was_acknowledged(key) && !is_dead_letter(x, id))
    out_.add("lost", to_string(key)
                       + " is pending no more, but no worker acknowledged it "
                         "and it is no dead letter");
}

void group_rules::owner_changed(const watched& x, event_id id,
                                const pending_entry& before,
                                const pending_entry& now) {
  const delivery_key key{x.sink, x.stream, id};
  const auto idle = redis_.now - before.delivered_at;
  const auto* rules = deliveries_.rules_of(x.sink);
  if (now.owner == released || now.owner.rfind("key.", 0) == 0) {
    if (const auto who = deliveries_.at_work(key))
      out_.add("handed back", to_string(key) + " was handed back while worker "
                                + std::to_string(*who) + " worked on it");
  } else if (now.owner != delayed && !is_unowned(before.owner)
             && rules != nullptr && idle < rules->lease.count()) {
    out_.add("taken early", to_string(key) + " was taken from " + before.owner
                              + " by " + now.owner + " after "
                              + std::to_string(idle) + " ms");
  }
  deliveries_.moves(key, instance_of(now.owner));
}

void group_rules::look_at_new(const watched& x, const group& now) {
  const auto& entries = redis_.find(x.key)->entries();
  const auto end = entries.upper_bound(now.last_delivered);
  for (auto i = entries.upper_bound(x.last_delivered); i != end; ++i) {
    const delivery_key key{x.sink, x.stream, i->first};
    if (now.pending.count(i->first) == 0 && !deliveries_.was_acknowledged(key)
        && !is_dead_letter(x, i->first))
      out_.add("skipped", to_string(key) + " was passed over");
  }
  for (const auto& [id, entry] : now.pending) {
    const delivery_key key{x.sink, x.stream, id};
    // A worker that has not ended may still be at a repetition of the event.
    if (x.pending.count(id) == 0 && id <= x.last_delivered
        && x.deleted.count(id) == 0 && !deliveries_.is_forgotten(key)
        && (deliveries_.has_ended(key) || !deliveries_.was_delivered(key)))
      out_.add("resurrected",
               to_string(key) + " is pending again for " + entry.owner);
  }
}

void group_rules::look_at_letters(watched& x) {
  const auto* letters
    = redis_.find(stream_key(dead_letter_stream(x.stream, x.sink)));
  if (letters == nullptr)
    return;
  const auto& entries = letters->entries();
  const auto* rules = deliveries_.rules_of(x.sink);
  for (auto i = entries.upper_bound(x.last_letter); i != entries.end(); ++i) {
    x.last_letter = i->first;
    const auto count = [&](const char* name) {
      return std::strtoul(field_of(i->second, name).c_str(), nullptr, 10);
    };
    const auto id = parse_event_id(field_of(i->second, "x-id"));
    const delivery_key key{x.sink, x.stream, id ? *id : event_id{}};
    const auto spent
      = (rules->max_deliveries > 0
         && count("x-failures") + count("x-crashes") >= rules->max_deliveries)
        || (rules->max_crashes > 0 && count("x-crashes") >= rules->max_crashes);
    if (!spent && !deliveries_.was_rejected(key))
      out_.add("given up early",
               to_string(key) + " became a dead letter: "
                 + field_of(i->second, "x-reason") + ", after "
                 + field_of(i->second, "x-failures") + " failures and "
                 + field_of(i->second, "x-crashes") + " crashes");
  }
}

// A read and a sweep that are under way at the same time may each bring as much
// as is free. What a worker has ended is free, also before Redis knows it: acks
// and dead letters that Redis does not confirm hold no place. A keyed sink also
// holds failed events and those behind them, up to ten times as many.
void group_rules::check_windows(const watched& x, const group& now) {
  for (const auto& [name, c] : now.consumers) {
    const auto* rules = deliveries_.rules_of(instance_of(name));
    if (rules == nullptr || c.pending.size() <= rules->max_in_flight)
      continue;
    const auto held
      = std::count_if(c.pending.begin(), c.pending.end(), [&](event_id id) {
          const delivery_key key{x.sink, x.stream, id};
          return !deliveries_.was_acknowledged(key)
                 && !deliveries_.has_ended(key);
        });
    const int64_t times = rules->keyed ? 12 : 2;
    if (held > times * rules->max_in_flight)
      out_.add("window", "sink " + x.sink + " holds " + std::to_string(held)
                           + " events of stream " + x.stream);
  }
}

bool group_rules::is_dead_letter(const watched& x, event_id id) const {
  const auto* letters
    = redis_.find(stream_key(dead_letter_stream(x.stream, x.sink)));
  if (letters == nullptr)
    return false;
  const auto text = to_string(id);
  for (const auto& [letter, fields] : letters->entries())
    if (field_of(fields, "x-id") == text)
      return true;
  return false;
}

std::string group_rules::field_of(const entry_fields& fields,
                                  const std::string& name) {
  for (size_t i = 0; i + 1 < fields.size(); i += 2)
    if (fields[i] == name)
      return fields[i + 1];
  return {};
}

std::string group_rules::unfinished() const {
  for (const auto& x : all_) {
    const auto* from = redis_.find(x.key);
    const auto where = "stream " + x.stream + ", sink " + x.sink + ": ";
    if (from == nullptr || from->groups.count(x.sink) == 0)
      return where + "there is no group";
    const auto& of = from->groups.at(x.sink);
    if (!of.pending.empty())
      return where + std::to_string(of.pending.size()) + " pending, the first "
             + to_string(of.pending.begin()->first) + " for "
             + of.pending.begin()->second.owner;
    if (of.last_delivered < from->last_entry())
      return where + "not everything was read";
    for (const auto id : x.deleted)
      if (!deliveries_.was_acknowledged({x.sink, x.stream, id})
          && !is_dead_letter(x, id))
        return where + to_string(id) + " was lost with its consumer";
    for (const auto& [name, c] : of.consumers)
      if (name != released && name != delayed
          && !deliveries_.is_alive(instance_of(name)))
        return where + "the dead consumer " + name + " is still there";
  }
  return {};
}

} // namespace pulse::simulation
