#include "pulse/actors/internal/sink/count_writer.hpp"

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
      [this](uint32_t, const auto& xs, const resp::reply& reply) {
        return marked(xs, reply);
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

status sink_count_writer::marked(const std::vector<action>& marks,
                                 const resp::reply& reply) {
  resp::cursor at{reply};
  auto ids = resp::read_ids(at, "count");
  if (!ids)
    return ids.error();
  // The loop runs backwards and marked() puts each event to the front of the
  // queue: that keeps the order of the events.
  for (auto x = marks.rbegin(); x != marks.rend(); ++x) {
    if (std::find(ids->begin(), ids->end(), x->id) != ids->end())
      ctx_.ledger.marked(x->entry);
    else if (ctx_.ledger.lost(x->entry))
      ++ctx_.counts.lost_leases;
  }
  return {};
}

} // namespace pulse::internal
