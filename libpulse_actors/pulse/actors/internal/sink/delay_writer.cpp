#include "pulse/actors/internal/sink/delay_writer.hpp"

#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

namespace pulse::internal {

sink_delay_writer::sink_delay_writer(sink_context& ctx)
  : ctx_(ctx),
    sender_(
      ctx, "events that it gives back",
      [this](uint32_t stream, const auto& xs) {
        return delay_call(stream, xs);
      },
      [this](uint32_t stream, const auto& xs, const resp::reply& reply) {
        return confirmed(stream, xs, reply);
      }) {
  // nop
}

command_ptr sink_delay_writer::delay_call(uint32_t stream,
                                          const std::vector<action>& xs) const {
  const auto& at = ctx_.streams[stream];
  const auto delayed = resp::delayed_key(at.name, ctx_.options.name);
  script_call call{resp::delay_script(), {at.key, delayed}};
  call.arg(ctx_.options.name).arg(ctx_.consumer);
  call.arg(static_cast<int64_t>(ctx_.options.lease.count()));
  for (const auto& x : xs) {
    const bool failed = x.kind == delivery_ledger::action_kind::delay;
    call.arg(x.id).arg(pack(x.counts));
    call.arg(failed ? static_cast<int64_t>(x.pause.count()) : int64_t{-1});
  }
  return call.finish(true);
}

status sink_delay_writer::confirmed(uint32_t stream,
                                    const std::vector<action>& xs,
                                    const resp::reply& reply) {
  if (auto ok = read_confirmation(stream, reply); !ok)
    return ok;
  for (const auto& x : xs) {
    ctx_.ledger.forget(x.entry);
    auto& at = ctx_.streams[stream];
    at.note_other_holds(x.id);
    if (must_stay_in_order(x))
      --at.giving_back;
  }
  return {};
}

status sink_delay_writer::read_confirmation(uint32_t stream,
                                            const resp::reply& reply) {
  resp::cursor at{reply};
  uint32_t size = 0;
  if (at.is(resp::node_type::error))
    return resp::error_of(at);
  if (!at.read_array(size) || size != 3)
    return resp::unexpected_reply("delay", at);
  auto waiting = resp::read_number(at, "delay");
  auto due_in = resp::read_number(at, "delay");
  auto trimmed = resp::read_ids(at, "delay");
  if (!waiting || !due_in || !trimmed)
    return resp::unexpected_reply("delay", at);
  ctx_.note_delayed(stream, *waiting, *due_in);
  report_trimmed(stream, *trimmed);
  return {};
}

void sink_delay_writer::report_trimmed(uint32_t stream,
                                       const std::vector<event_id>& gone) {
  for (auto id : gone) {
    ++ctx_.counts.trimmed;
    ctx_.report_gap(ctx_.streams[stream].name, id.previous(), id.next(), 1,
                    true);
  }
}

} // namespace pulse::internal
