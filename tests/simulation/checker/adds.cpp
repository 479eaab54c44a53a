#include "simulation/checker/adds.hpp"

#include "pulse/core/names.hpp"

#include <set>

namespace pulse::simulation {

void add_rules::begins(const std::string& payload, const std::string& stream) {
  all_[payload].stream = stream;
}

void add_rules::succeeds(const std::string& payload, event_id id) {
  auto& x = all_.at(payload);
  x.how = outcome::stored;
  x.id = id;
  const auto* from = redis_.find(stream_key(x.stream));
  if (from == nullptr || from->entries().count(id) == 0)
    out_.add("add lost", "the add of " + payload + " to stream " + x.stream
                           + " was confirmed as " + to_string(id)
                           + ", which is not stored");
}

void add_rules::fails(const std::string& payload, errc why) {
  // These say that nothing was sent, or that Redis refused it.
  const auto is_certain = why == errc::connect_failed
                          || why == errc::overloaded;
  all_.at(payload).how = is_certain ? outcome::not_stored : outcome::unknown;
}

void add_rules::gives_up(const std::string& prefix) {
  for (auto& [payload, x] : all_)
    if (x.how == outcome::open && payload.rfind(prefix, 0) == 0)
      x.how = outcome::unknown;
}

std::string add_rules::unfinished() const {
  for (const auto& [payload, x] : all_)
    if (x.how == outcome::open)
      return "the add of " + payload + " to stream " + x.stream
             + " has no reply";
  return {};
}

void add_rules::judge() {
  std::set<std::string> streams;
  for (auto& [payload, x] : all_) {
    x.found = 0;
    streams.insert(x.stream);
  }
  for (const auto& x : streams)
    count_stored(x);
  for (const auto& [payload, x] : all_) {
    const auto what = "the add of " + payload + " to stream " + x.stream;
    if (x.found > 1)
      out_.add("stored twice",
               what + " is stored " + std::to_string(x.found) + " times");
    if (x.how == outcome::stored && x.found == 0)
      out_.add("add lost", what + " was confirmed and is not stored");
    if (x.how == outcome::not_stored && x.found > 0)
      out_.add("add denied", what + " failed for sure, and is stored");
  }
}

void add_rules::count_stored(const std::string& stream) {
  const auto* from = redis_.find(stream_key(stream));
  if (from == nullptr)
    return;
  for (const auto& [id, fields] : from->entries())
    for (size_t i = 0; i + 1 < fields.size(); i += 2)
      if (fields[i] == "p")
        if (const auto x = all_.find(fields[i + 1]); x != all_.end())
          ++x->second.found;
}

} // namespace pulse::simulation
