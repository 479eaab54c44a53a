#pragma once

#include "chaos/runner/run_options.hpp"

#include <string>

namespace pulse::chaos {

/// Does a whole run, up to the files in `directory` that the checker reads.
/// @returns false, having said why, if there is nothing to judge.
bool run(const run_options& how, const std::string& directory);

} // namespace pulse::chaos
