#pragma once

#include "pulse/testing/local_redis.hpp"

#include "chaos/node/journal.hpp"
#include "chaos/runner/fleet.hpp"
#include "chaos/runner/plan.hpp"
#include "chaos/runner/proxy.hpp"
#include "chaos/runner/redis_admin.hpp"
#include "chaos/runner/shifted_clock.hpp"

#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace pulse::chaos {

/// Causes the planned faults, ends them in time, and writes their times to the
/// file "faults". It also measures what processes cost during an outage.
class nemesis {
public:
  nemesis(const std::string& directory, local_redis& server,
          shifted_clock& clock, fleet& nodes, proxy& links);

  void begin(const planned_fault& what);

  /// Ends the faults that are due. @returns false if Redis did not start again.
  bool heal_due(int64_t now_us);

  /// Ends all faults.
  bool heal_all();

  [[nodiscard]] uint64_t count() const noexcept {
    return count_;
  }

  /// @returns the current faults, as in "redis-kill, hole audit-1".
  [[nodiscard]] std::string under_way() const;

  /// @returns the lines about outages for the file "final".
  [[nodiscard]] const std::vector<std::string>& outages() const noexcept {
    return outages_;
  }

private:
  /// What a process had cost when the measured part of an outage began.
  struct cost {
    int64_t at = 0;
    double cpu_seconds = 0;
    uint64_t connections = 0;
    uint64_t attempts = 0;
  };

  struct active {
    planned_fault what;
    std::string slot;
    int64_t begin = 0;
    int64_t due = 0;
    std::vector<cost> costs;
    /// What it took away: see `taken` of the checker's fault.
    int64_t taken = 0;
    /// Where a group was moved from, and where to.
    std::string from_id = "-";
    std::string to_id = "-";
  };

  void act(active& x);
  void act_on_redis(active& x);
  [[nodiscard]] bool allow_keys() const;
  void act_on_group(active& x);
  bool can_see_a_move(const std::string& group);
  void move_group(active& x);
  [[nodiscard]] int64_t delete_consumer(const fleet::slot& of) const;
  bool heal(active& x);
  void measure(active& x);
  void note(const active& x, int64_t end);
  [[nodiscard]] cost cost_of(size_t slot) const;

  std::ofstream log_;
  local_redis& server_;
  shifted_clock& clock_;
  fleet& nodes_;
  proxy& links_;
  redis_admin admin_;
  std::vector<active> active_;
  std::vector<std::string> outages_;
  uint64_t count_ = 0;
  int64_t begin_ = now_us();
  // Since when Redis has known how many events a group has read, as far as this
  // class has looked.
  std::map<std::string, int64_t> counted_since_;
};

/// CPU time of a process, in seconds; 0 if there is none.
double cpu_seconds(pid_t pid);

/// Resident memory of a process, in kB; 0 if there is none.
int64_t rss_kb(pid_t pid);

} // namespace pulse::chaos
