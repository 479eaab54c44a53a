#include "pulse/actors/internal/sink/count_writer.hpp"

#include "pulse/actors/internal/sink/claim_anew.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

sink_count_writer::sink_count_writer(sink_context& ctx)
  : ctx_(ctx),
    marks_(
      ctx, "delivery counts",
      [this](uint32_t stream, const auto& xs) {
        return count_call(stream, xs);
      },
      [this](uint32_t stream, const auto& xs, const resp::reply& reply) {
        return marked(stream, xs, reply);
      }) {
  // nop
}

// The counts help the next node if this node dies. Nothing depends on them, so
// a failed command is not repeated.
void sink_count_writer::flush() {
  if (!counts_.empty() && marks_.may_send())
    for_each_stream(std::exchange(counts_, {}),
                    [this](uint32_t stream, const std::vector<action>& xs) {
                      ctx_.run(
                        count_call(stream, xs), [](const reply_ptr&) {},
                        [](const caf::error&) {});
                    });
  marks_.flush();
}

command_ptr sink_count_writer::count_call(uint32_t stream,
                                          const std::vector<action>& xs) const {
  const auto& at = ctx_.streams[stream];
  script_call call{resp::count_script(),
                   {at.key, resp::paused_key(at.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(ctx_.consumer);
  for (const auto& x : xs)
    call.arg(x.id)
      .arg(pack(x.counts, x.kind == delivery_ledger::action_kind::mark))
      .arg(ctx_.rest_of_pause(x.due));
  return call.finish(true);
}

status sink_count_writer::marked(uint32_t stream,
                                 const std::vector<action>& marks,
                                 const resp::reply& reply) {
  resp::cursor at{reply};
  auto ids = resp::read_ids(at, "count");
  if (!ids)
    return ids.error();
  std::vector<action> vanished;
  // The loop runs backwards and marked() puts each event to the front of the
  // queue: that keeps the order of the events.
  for (auto x = marks.rbegin(); x != marks.rend(); ++x) {
    if (std::find(ids->begin(), ids->end(), x->id) != ids->end())
      ctx_.ledger.marked(x->entry);
    else if (ctx_.ledger.is_only_here(x->entry) && ctx_.kept_in_time(stream))
      vanished.push_back(*x);
    else
      lost(*x);
  }
  if (!vanished.empty())
    claim_anew(stream, std::move(vanished));
  return {};
}

// Somebody deleted the consumer of this sink, or another node took the events
// over and this one does not know that yet.
void sink_count_writer::claim_anew(uint32_t stream, std::vector<action> marks) {
  std::vector<delivery_ledger::held_event> events;
  events.reserve(marks.size());
  for (const auto& x : marks)
    events.push_back({x.id, x.counts, true, true});
  auto then = [this, marks = std::move(marks)](const auto& claimed) {
    if (!claimed)
      return marks_.add_after_failure(marks, claimed.error());
    for (const auto& x : marks)
      if (std::binary_search(claimed->begin(), claimed->end(), x.id))
        ctx_.ledger.marked(x.entry);
      else
        lost(x);
  };
  internal::claim_anew(ctx_, stream, std::move(events), std::move(then));
}

void sink_count_writer::lost(const action& mark) {
  if (ctx_.ledger.lost(mark.entry))
    ++ctx_.counts.lost_leases;
}

} // namespace pulse::internal
