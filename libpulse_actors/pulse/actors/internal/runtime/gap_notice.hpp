#pragma once

#include "pulse/core/notice.hpp"

#include <string>

namespace pulse::internal {

/// @returns the notice of a gap. Its text ends with "… were removed before ";
/// the caller appends the rest of the sentence.
inline notice begin_gap(const std::string& stream, event_id after,
                        event_id first_available, uint64_t lost, bool exact) {
  notice result;
  result.kind = notice_kind::gap;
  result.stream = stream;
  result.after = after;
  result.first_available = first_available;
  result.lost_at_most = lost;
  result.exact = exact;
  result.data_loss = true;
  result.text = (exact ? "" : "up to ") + std::to_string(lost)
                + " events of stream " + stream + " were removed before ";
  return result;
}

} // namespace pulse::internal
