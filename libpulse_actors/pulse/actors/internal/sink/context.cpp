#include "pulse/actors/internal/sink/context.hpp"

#include "pulse/actors/internal/runtime/gap_notice.hpp"

#include <algorithm>

namespace pulse::internal {

void sink_context::heard() {
  // A busy machine is no outage, however short the lease.
  const auto long_silence = std::max(options.lease / 2, milliseconds{2'000});
  const auto at = now();
  if (at - last_heard > long_silence)
    no_sweep_before = at + options.lease;
  last_heard = at;
}

void sink_context::missing(const std::string& stream, event_id after,
                           event_id first_available, uint64_t lost,
                           bool exact) {
  ++counts.gaps;
  counts.lost += lost;
  auto news = begin_gap(stream, after, first_available, lost, exact);
  news.text += "the sink had them, behind " + to_string(after) + " and before "
               + to_string(first_available);
  publish(std::move(news));
}

} // namespace pulse::internal
