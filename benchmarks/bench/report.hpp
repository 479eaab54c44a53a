#pragma once

#include "bench/rounds.hpp"

#include <string>
#include <vector>

namespace pulse::bench {

/// @returns the head of the table, and what was measured how.
std::string table_head(const settings& how);

/// @returns a line of the table for each metric of a scenario.
std::string table_lines(const measured& x);

/// @returns all values of all rounds as JSON.
std::string to_json(const settings& how, const std::vector<measured>& xs);

} // namespace pulse::bench
