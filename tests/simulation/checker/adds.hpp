#pragma once

#include "pulse/core/errc.hpp"

#include "simulation/checker/findings.hpp"
#include "simulation/model/redis_model.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace pulse::simulation {

/// Judges adds: each gets a reply; a confirmed one is stored exactly once under
/// the ID that was confirmed; one that surely failed is not stored.
class add_rules {
public:
  add_rules(const redis_model& redis, findings& out)
    : redis_(redis), out_(out) {
    // nop
  }

  /// @param payload Unique in the run.
  void begins(const std::string& payload, const std::string& stream);
  void succeeds(const std::string& payload, event_id id);
  void fails(const std::string& payload, errc why);
  /// The producer is dead: nobody waits for the replies to its adds.
  /// @param prefix What its payloads begin with.
  void gives_up(const std::string& prefix);

  /// @returns what is left to do, if anything.
  [[nodiscard]] std::string unfinished() const;

  /// To be called at the end of the run.
  void judge();

private:
  enum class outcome : uint8_t { open, stored, not_stored, unknown };

  struct add {
    std::string stream;
    outcome how = outcome::open;
    event_id id;
    uint32_t found = 0;
  };

  void count_stored(const std::string& stream);

  const redis_model& redis_;
  findings& out_;
  std::map<std::string, add> all_;
};

} // namespace pulse::simulation
