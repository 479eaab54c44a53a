#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/event.hpp"

#include <cstdint>
#include <vector>

namespace pulse::internal {

/// Finds the streams of a reply.
/// @param may_have Says of each stream of the sink whether the reply may have
/// it.
/// @returns the sink's index of each stream of `block`.
/// Error: `errc::protocol_error`, if the sink did not ask for a stream. Then no
/// event may be used, because this is not the reply to what was asked.
template <class F>
outcome<std::vector<uint32_t>> streams_of_reply(const sink_context& ctx,
                                                const event_block& block,
                                                F may_have) {
  std::vector<uint32_t> result;
  result.reserve(block.streams.size());
  for (const auto& name : block.streams) {
    const auto i = ctx.streams.find(name);
    if (!i || !may_have(*i))
      return failure{
        errc::protocol_error,
        "unexpected reply to XREADGROUP: it has events of a stream "
        "that the sink did not ask for"};
    result.push_back(*i);
  }
  return result;
}

} // namespace pulse::internal
