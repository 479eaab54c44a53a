#include "pulse/actors/internal/reader/context.hpp"

#include "pulse/actors/internal/runtime/gap_notice.hpp"

namespace pulse::internal {

void reader_context::report_gap(const std::string& stream, event_id after,
                                event_id first_available, uint64_t lost,
                                bool exact) {
  ++counters.gaps;
  counters.lost += lost;
  auto news = begin_gap(stream, after, first_available, lost, exact);
  news.text += "they were read, behind " + to_string(after);
  if (first_available > event_id::min())
    news.text += " and before " + to_string(first_available);
  notices.publish(component, news);
}

} // namespace pulse::internal
