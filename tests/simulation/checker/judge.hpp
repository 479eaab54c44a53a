#pragma once

#include "simulation/checker/adds.hpp"
#include "simulation/checker/deliveries.hpp"
#include "simulation/checker/groups.hpp"
#include "simulation/checker/readers.hpp"

#include <map>
#include <string>

namespace pulse::simulation {

/// All rules of a run, and what they found.
struct judge {
  judge(const time_point& now, const redis_model& redis)
    : deliveries(now, found),
      groups(redis, deliveries, found),
      adds(redis, found),
      readers(redis, found) {
    // nop
  }

  findings found;
  delivery_rules deliveries;
  group_rules groups;
  add_rules adds;
  reader_rules readers;
  /// Other requests that wait for their reply.
  std::map<uint64_t, std::string> requests;

  /// @returns what is left to do, if anything.
  [[nodiscard]] std::string unfinished() const {
    if (!requests.empty())
      return requests.begin()->second + " has no reply";
    for (auto what :
         {adds.unfinished(), groups.unfinished(), readers.unfinished()})
      if (!what.empty())
        return what;
    return {};
  }
};

} // namespace pulse::simulation
