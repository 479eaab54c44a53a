#pragma once

#include "bench/stage.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pulse::bench {

/// What one number of a scenario means.
struct metric {
  /// Unit, e.g. "events/s", and what is measured if a scenario has several
  /// numbers, e.g. "us, p99".
  std::string unit;
  bool higher_is_better = true;
  /// Whether the value of the limit means anything.
  bool is_compared = true;
};

using values = std::vector<double>;

/// Something that is measured with the library, and beside it with its limit:
/// a plain program on hiredis, or what else the library can be compared with.
struct scenario {
  std::string name;
  /// One line for --list.
  std::string about;
  std::vector<metric> metrics;
  /// Fills the empty server before each round; may be empty.
  std::function<void(stage&)> prepare;
  /// Both return a value per metric, call stage::begin() and stage::end()
  /// around what they measure, and leave the streams as prepare() made them.
  /// `limit` may be empty.
  std::function<values(stage&)> limit;
  std::function<values(stage&)> library;
  /// What `limit` is, if it is not a plain program on hiredis.
  std::string limit_is = {};
};

/// @returns the scenarios in the order of the table.
std::vector<scenario> add_scenarios();
std::vector<scenario> sink_scenarios();
std::vector<scenario> reader_scenarios();
std::vector<scenario> together_scenarios();
std::vector<scenario> latency_scenarios();
std::vector<scenario> many_scenarios();

} // namespace pulse::bench
