#include "pulse/actors/internal/sink/outcome_writer.hpp"

namespace pulse::internal {

void sink_outcome_writer::take_actions() {
  auto actions = std::exchange(actions_, {});
  ctx_.ledger.take_actions(actions);
  for (auto& x : actions)
    if (ctx_.acks())
      pass_on(std::move(x));
    else
      drop_without_acks(x);
  actions.clear();
  actions_ = std::move(actions);
}

void sink_outcome_writer::pass_on(delivery_ledger::action&& x) {
  using kind = delivery_ledger::action_kind;
  switch (x.kind) {
    case kind::ack:
      acks_.add(x.stream, x.id, x.entry, true);
      break;
    case kind::dead_letter:
      dead_letters_.add(std::move(x));
      break;
    case kind::delay:
    case kind::release:
      delays_.add(std::move(x));
      break;
    case kind::store_counts:
      counts_.add_count(std::move(x));
      break;
    case kind::mark:
      counts_.add_mark(std::move(x));
      break;
  }
}

// Redis keeps no pending list, so a decided event needs no command.
void sink_outcome_writer::drop_without_acks(const delivery_ledger::action& x) {
  if (x.kind == delivery_ledger::action_kind::dead_letter)
    loss_lines_.add("event " + to_string(x.id) + " of stream "
                      + ctx_.streams[x.stream].name
                      + " is lost, because ack is none: " + x.reason,
                    ctx_.now());
  ctx_.ledger.forget(x.entry);
}

void sink_outcome_writer::make_dead_letter(uint32_t stream, event_id id,
                                           delivery_counts counts,
                                           std::string reason) {
  delivery_ledger::action x;
  x.kind = delivery_ledger::action_kind::dead_letter;
  x.stream = stream;
  x.id = id;
  x.counts = counts;
  x.reason = std::move(reason);
  dead_letters_.add(std::move(x));
}

void sink_outcome_writer::give_back(
  uint32_t stream, event_id id, delivery_counts counts,
  std::optional<sink_context::time_point> due) {
  delivery_ledger::action x;
  x.kind = delivery_ledger::action_kind::release;
  x.stream = stream;
  x.id = id;
  x.counts = counts;
  x.due = due;
  delays_.add(std::move(x));
}

} // namespace pulse::internal
