#pragma once

#include "pulse/actors/internal/sink/context.hpp"

#include <utility>
#include <vector>

namespace pulse::internal {

/// @returns the actions of each stream of the sink.
inline std::vector<std::vector<delivery_ledger::action>>
by_stream(const sink_context& ctx, std::vector<delivery_ledger::action> xs) {
  std::vector<std::vector<delivery_ledger::action>> result(ctx.streams.size());
  for (auto& x : xs)
    result[x.stream].push_back(std::move(x));
  return result;
}

} // namespace pulse::internal
