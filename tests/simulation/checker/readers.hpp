#pragma once

#include "simulation/checker/findings.hpp"
#include "simulation/model/redis_model.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pulse::simulation {

/// Judges what the subscribers of readers get: each event of each stream from
/// the oldest on, once, in order and without holes.
class reader_rules {
public:
  reader_rules(const redis_model& redis, findings& out)
    : redis_(redis), out_(out) {
    // nop
  }

  void opens(uint32_t subscriber, const std::vector<std::string>& streams);
  void ends(uint32_t subscriber);
  void arrives(uint32_t subscriber, const std::string& stream, event_id id);

  /// @returns what is left to do, if anything.
  [[nodiscard]] std::string unfinished() const;

private:
  const redis_model& redis_;
  findings& out_;
  // The last event that a subscriber got, by stream.
  std::map<uint32_t, std::map<std::string, event_id>> last_;
};

} // namespace pulse::simulation
