#include "pulse/actors/internal/reader_context.hpp"

namespace pulse::internal {

void reader_context::missing(const std::string& stream, event_id after,
                             event_id first_available, uint64_t lost,
                             bool exact) {
  ++counters.gaps;
  counters.lost += lost;
  notice news;
  news.what = notice::kind::gap;
  news.stream = stream;
  news.after = after;
  news.first_available = first_available;
  news.lost_at_most = lost;
  news.exact = exact;
  news.data_loss = true;
  news.text = (exact ? "" : "up to ") + std::to_string(lost)
              + " events of stream " + stream
              + " were removed before they were read, behind "
              + to_string(after);
  if (first_available > event_id::min())
    news.text += " and before " + to_string(first_available);
  notices.publish(component, news);
}

} // namespace pulse::internal
