#include "pulse/actors/internal/sink/intake.hpp"

#include <algorithm>

namespace pulse::internal {

intake_facts sink_intake::facts() const {
  intake_facts x;
  x.capacity = ctx_.ledger.capacity();
  x.open_streams = ctx_.streams.open().size();
  x.window = window_.size(x.capacity);
  x.max_in_flight = ctx_.options.max_in_flight;
  x.parked = ctx_.ledger.parked();
  x.max_parked = most_parked();
  // The outcomes of the other events belong to events of the ledger.
  const auto outside = outcomes_.backlog()
                       - std::min(outcomes_.backlog(), ctx_.ledger.settling());
  x.held = ctx_.ledger.size() - x.parked + outside;
  x.max_bytes = ctx_.options.max_in_flight_bytes;
  x.held_bytes = ctx_.ledger.bytes();
  x.event_bytes = ctx_.pages.event_bytes();
  return x;
}

void sink_intake::accept(uint32_t stream, event x, bool crash_candidate,
                         bool in_front) {
  if (!x.well_formed()) {
    ++ctx_.counts.malformed;
    const std::string why = "malformed: the entry lacks the field n (name) or "
                            "p (payload); the program that added it must write "
                            "both";
    if (ctx_.acks())
      outcomes_.make_dead_letter(stream, x.id(), x.counts(), why);
    else
      skip_lines_.add("skips event " + to_string(x.id()) + " of stream "
                        + ctx_.streams[stream].name + ": " + why,
                      ctx_.now());
  } else if (!ctx_.filter.wants(x)) {
    ++ctx_.counts.filtered;
    if (ctx_.acks())
      outcomes_.ack(stream, x.id());
  } else {
    ctx_.ledger.fetched(stream, std::move(x), crash_candidate, in_front);
  }
}

void sink_intake::accept_in_order(uint32_t stream, event x, uint64_t give_backs,
                                  bool crash_candidate, due_time due) {
  if (ctx_.shares_keys() && ctx_.give_backs != give_backs)
    return give_back(stream, x, due);
  const auto id = x.id();
  accept(stream, std::move(x), crash_candidate);
  if (due)
    ctx_.ledger.postpone(stream, id, *due);
}

// No worker gets the event now, so this delivery does not count.
void sink_intake::give_back(uint32_t stream, const event& x, due_time due) {
  auto counts = x.counts();
  counts.deliveries -= counts.deliveries > 0 ? 1 : 0;
  outcomes_.give_back(stream, x.id(), counts, due);
}

} // namespace pulse::internal
