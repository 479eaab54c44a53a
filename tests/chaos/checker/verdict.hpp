#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pulse::chaos {

/// Times in microseconds, for percentiles.
class times {
public:
  void add(int64_t x) {
    values_.push_back(x);
  }

  [[nodiscard]] size_t size() const noexcept {
    return values_.size();
  }

  /// @param part 0 to 1. @returns 0 if there are none.
  [[nodiscard]] int64_t percentile(double part) const;

private:
  std::vector<int64_t> values_;
};

/// The findings of the checker.
struct verdict {
  /// A violated rule: how often it was violated, and the first violations.
  struct violation {
    uint64_t count = 0;
    std::vector<std::string> examples;
  };
  std::map<std::string, violation> violations;

  // -- adds -------------------------------------------------------------------
  uint64_t invoked = 0;
  uint64_t confirmed = 0;
  uint64_t failed = 0;
  uint64_t unknown = 0;
  uint64_t unknown_stored = 0;
  uint64_t stored = 0;
  /// Confirmed adds that were lost when Redis was killed (only with everysec).
  uint64_t lost_by_redis = 0;
  /// Confirmed adds that somebody deleted.
  uint64_t deleted = 0;
  /// For each sink the deleted events that it had not handled, and its notices
  /// that events may be lost.
  std::map<std::string, std::pair<uint64_t, uint64_t>> losses;

  // -- deliveries: sink -> … --------------------------------------------------
  struct of_sink {
    uint64_t executions = 0;
    uint64_t dead_letters = 0;
    /// Number of executions after an unsuccessful one, by its outcome.
    std::map<std::string, uint64_t> retries;
    /// Number of executions after a successful one, by the fault that explains
    /// them.
    std::map<std::string, uint64_t> duplicates;
  };
  std::map<std::string, of_sink> sinks;

  // -- recovery ---------------------------------------------------------------
  times crash_to_redelivery;
  times quit_to_redelivery;
  /// By how much the pause after a failure was longer than the longest allowed.
  times pause_overrun;
  times kill_to_redelivery;
  /// By how much it took longer than the lease.
  times kill_overrun;
  times redis_back_to_add;
  times redis_back_to_delivery;
  times add_to_delivery;

  /// Number of faults of each kind.
  std::map<std::string, uint64_t> faults;
  /// "<slot>: <first quarter> → <last quarter> kB" and the like.
  std::vector<std::string> notes;

  [[nodiscard]] bool good() const noexcept {
    return violations.empty();
  }

  void violated(const std::string& rule, const std::string& example);
};

/// @returns a table to read, with the violations below it.
std::string to_string(const verdict& x);

} // namespace pulse::chaos
