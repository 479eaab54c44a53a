#include "pulse/actors/internal/sink/count_writer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/actions.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

void sink_count_writer::flush() {
  if (!gate_.is_open())
    return;
  if (!counts_.empty())
    send_counts();
  if (!marks_.empty())
    send_marks();
}

command_ptr sink_count_writer::count_call(uint32_t stream,
                                          const std::vector<action>& xs) const {
  script_call call{resp::count_script(), {ctx_.streams[stream].key}};
  call.arg(ctx_.options.name).arg(ctx_.consumer);
  for (const auto& x : xs)
    call.arg(x.id).arg(
      pack(x.counts, x.kind == delivery_ledger::action_kind::mark));
  return call.finish(true);
}

// The counts help the next node if this node dies. Nothing depends on them, so
// a failed command is not repeated.
void sink_count_writer::send_counts() {
  const auto all = by_stream(ctx_, std::exchange(counts_, {}));
  for (uint32_t i = 0; i < all.size(); ++i)
    if (!all[i].empty())
      ctx_.run(
        count_call(i, all[i]), [](const reply_ptr&) {},
        [](const caf::error&) {});
}

// -- crash candidates ---------------------------------------------------------

// Workers get the events only when Redis has the marks, so failed commands are
// repeated.
void sink_count_writer::send_marks() {
  auto all = by_stream(ctx_, std::exchange(marks_, {}));
  for (uint32_t i = 0; i < all.size(); ++i)
    if (!all[i].empty())
      send_marks_of(i, std::move(all[i]));
}

void sink_count_writer::send_marks_of(uint32_t stream,
                                      std::vector<action> marks) {
  auto batch = count_call(stream, marks);
  ctx_.run(
    std::move(batch),
    [this, marks](const reply_ptr& reply) { marked(marks, *reply); },
    [this, marks](const caf::error& err) {
      marks_failed(marks, to_failure(err));
    });
}

void sink_count_writer::marked(const std::vector<action>& marks,
                               const resp::reply& reply) {
  resp::cursor at{reply};
  auto ids = resp::read_ids(at, "count");
  if (!ids)
    return marks_failed(marks, ids.error());
  gate_.worked();
  // The loop runs backwards and marked() puts each event to the front of the
  // queue: that keeps the order of the events.
  for (auto x = marks.rbegin(); x != marks.rend(); ++x) {
    if (std::find(ids->begin(), ids->end(), x->id) != ids->end())
      ctx_.ledger.marked(x->entry);
    else if (ctx_.ledger.lost(x->entry))
      ++ctx_.counts.lost_leases;
  }
}

void sink_count_writer::marks_failed(const std::vector<action>& marks,
                                     const failure& why) {
  marks_.insert(marks_.end(), marks.begin(), marks.end());
  ctx_.note_refusal(why);
  gate_.failed(why);
}

} // namespace pulse::internal
