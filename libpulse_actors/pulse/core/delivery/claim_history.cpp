#include "pulse/core/delivery/claim_history.hpp"

#include "pulse/core/delivery/give_up.hpp"

namespace pulse {

claim_history history_of_claim(const stored_counts& stored, claim_origin from) {
  claim_history result;
  result.origin = from;
  result.counts = stored.counts;
  ++result.counts.deliveries;
  if (from != claim_origin::node_died)
    return result;
  result.crash_candidate = true;
  if (stored.marked)
    result.proven_crashes = stored.counts.crashes;
  else
    ++result.counts.crashes;
  return result;
}

std::string why_dead_letter(const claim_history& x, uint32_t max_crashes,
                            uint32_t max_deliveries) {
  if (max_crashes > 0 && x.proven_crashes >= max_crashes)
    return "workers or nodes died " + std::to_string(x.proven_crashes)
           + " times while they had the event; the last time the whole node "
             "died";
  delivery_counts proven = x.counts;
  proven.crashes = x.proven_crashes;
  if (is_used_up(proven, max_deliveries))
    return describe_used_up(proven, max_deliveries)
           + "; the last time the node died";
  return {};
}

} // namespace pulse
