#include "pulse/actors/internal/sink/claimed_events.hpp"

#include <algorithm>
#include <string_view>

namespace pulse::internal {

namespace {

// The scripts assign entries that no node owns to consumers of these names. A
// keyed sink has a consumer for each partition, "key.<number>".
claim_origin how_given(std::string_view former_consumer) {
  constexpr std::string_view partition = "key.";
  const auto number = former_consumer.substr(
    std::min(partition.size(), former_consumer.size()));
  if (former_consumer == "released"
      || (former_consumer.substr(0, partition.size()) == partition
          && number.find_first_not_of("0123456789") == number.npos))
    return claim_origin::released;
  return former_consumer == "delayed" ? claim_origin::delayed
                                      : claim_origin::node_died;
}

claim_origin origin_of(const resp::pending_entry& x,
                       const resp::pauses_by_id& paused) {
  const auto result = how_given(x.consumer);
  return result == claim_origin::node_died && paused.count(x.id) > 0
           ? claim_origin::paused
           : result;
}

} // namespace

std::vector<claim_history>
histories_of(const std::vector<resp::pending_entry>& facts,
             const resp::pauses_by_id& paused,
             const std::vector<event_extent>& claimed) {
  std::vector<claim_history> result;
  auto fact = facts.begin();
  for (const auto& x : claimed) {
    while (fact != facts.end() && fact->id < x.id)
      ++fact;
    if (fact != facts.end() && fact->id == x.id)
      result.push_back(
        history_of_claim(unpack(fact->deliveries), origin_of(*fact, paused)));
    else
      result.push_back({});
  }
  return result;
}

bool give_up_claimed(const sink_context& ctx, sink_outcome_writer& outcomes,
                     uint32_t stream, event_id id,
                     const claim_history& history) {
  const auto why = why_dead_letter(history, ctx.options.max_crashes,
                                   ctx.options.max_deliveries);
  if (why.empty())
    return false;
  auto counts = history.counts;
  --counts.deliveries; // the event is not delivered
  outcomes.make_dead_letter(stream, id, counts, why);
  return true;
}

} // namespace pulse::internal
