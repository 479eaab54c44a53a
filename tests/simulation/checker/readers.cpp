#include "simulation/checker/readers.hpp"

#include "pulse/core/names.hpp"

namespace pulse::simulation {

void reader_rules::opens(uint32_t subscriber,
                         const std::vector<std::string>& streams) {
  for (const auto& x : streams)
    last_[subscriber][x] = {};
}

void reader_rules::ends(uint32_t subscriber) {
  last_.erase(subscriber);
}

void reader_rules::arrives(uint32_t subscriber, const std::string& stream,
                           event_id id) {
  auto& last = last_.at(subscriber).at(stream);
  const auto what = "event " + to_string(id) + " of stream " + stream
                    + " came to subscriber " + std::to_string(subscriber)
                    + " behind " + to_string(last);
  const auto& entries = redis_.find(stream_key(stream))->entries();
  const auto next = entries.upper_bound(last);
  if (id <= last)
    out_.add("read twice", what);
  else if (next == entries.end() || next->first != id)
    out_.add("hole", what);
  last = std::max(last, id);
}

std::string reader_rules::unfinished() const {
  for (const auto& [subscriber, streams] : last_)
    for (const auto& [name, last] : streams) {
      const auto* from = redis_.find(stream_key(name));
      if (from != nullptr && last < from->last_entry())
        return "subscriber " + std::to_string(subscriber)
               + " has not got all of stream " + name;
    }
  return {};
}

} // namespace pulse::simulation
