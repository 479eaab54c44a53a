#pragma once

#include "chaos/runner/run_options.hpp"

#include <string>

namespace pulse::chaos {

/// Executes a whole run, and writes the files that the checker needs to
/// `directory`.
/// @returns false if the run cannot be judged, after it has printed the reason.
bool run(const run_options& how, const std::string& directory);

} // namespace pulse::chaos
