#include "pulse/actors/internal/sink/delay_writer.hpp"

#include "pulse/actors/internal/sink/claim_anew.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <utility>

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
  bool repeatable = true;
  for (const auto& x : xs) {
    // If the event is pending for nobody, that must not be because another node
    // got it by a first execution and acknowledged it (see claim_anew).
    repeatable &= !ctx_.ledger.is_only_here(x);
    const bool failed = x.kind == delivery_ledger::action_kind::delay;
    call.arg(x.id).arg(pack(x.counts));
    call.arg(failed ? static_cast<int64_t>(x.pause.count())
                    : ctx_.rest_of_pause(x.due));
  }
  return call.finish(repeatable);
}

status sink_delay_writer::confirmed(uint32_t stream,
                                    const std::vector<action>& xs,
                                    const resp::reply& reply) {
  std::vector<event_id> nobodys;
  if (auto ok = read_confirmation(stream, reply, nobodys); !ok)
    return ok;
  std::vector<action> stolen;
  for (const auto& x : xs)
    if (std::find(nobodys.begin(), nobodys.end(), x.id) != nobodys.end())
      stolen.push_back(x);
    else
      left(stream, x);
  if (!stolen.empty())
    on_stolen(stream, std::move(stolen));
  return {};
}

// Events that are pending for nobody. If one of them was only here, somebody
// deleted the consumer of this sink, or another node acknowledged it late.
void sink_delay_writer::on_stolen(uint32_t stream, std::vector<action> xs) {
  const auto others
    = std::stable_partition(xs.begin(), xs.end(), [this](const action& x) {
        return ctx_.ledger.is_only_here(x);
      });
  if (others != xs.begin() && ctx_.kept_in_time(stream))
    return claim_anew(stream, std::move(xs));
  for (const auto& x : xs)
    left(stream, x);
  ctx_.report(log_level::warning,
              std::to_string(xs.size()) + " events of stream "
                + ctx_.streams[stream].name
                + " that this node gives back are pending for nobody, and "
                  "other nodes may have acknowledged them; they get no further "
                  "attempt");
}

// The event has left this sink.
void sink_delay_writer::left(uint32_t stream, const action& x) {
  ctx_.ledger.forget(x.entry);
  auto& at = ctx_.streams[stream];
  at.note_other_holds(x.id);
  if (must_stay_in_order(x))
    --at.giving_back;
}

// Somebody deleted the consumer of this sink. Its events become pending for it
// again, and then they are given away.
void sink_delay_writer::claim_anew(uint32_t stream, std::vector<action> xs) {
  std::vector<delivery_ledger::held_event> events;
  events.reserve(xs.size());
  for (const auto& x : xs)
    events.push_back({x.id, x.counts, false, ctx_.ledger.is_only_here(x)});
  claiming_ += xs.size();
  auto then = [this, stream, xs = std::move(xs)](const auto& claimed) {
    claiming_ -= xs.size();
    if (!claimed)
      return sender_.add_after_failure(xs, claimed.error());
    for (const auto& x : xs)
      if (std::binary_search(claimed->begin(), claimed->end(), x.id))
        sender_.add(x);
      else
        left(stream, x);
  };
  internal::claim_anew(ctx_, stream, std::move(events), std::move(then));
}

status sink_delay_writer::read_confirmation(uint32_t stream,
                                            const resp::reply& reply,
                                            std::vector<event_id>& nobodys) {
  resp::cursor at{reply};
  uint32_t size = 0;
  if (at.is(resp::node_type::error))
    return resp::error_of(at);
  if (!at.read_array(size) || size != 5)
    return resp::unexpected_reply("delay", at);
  auto waiting = resp::read_number(at, "delay");
  auto due_in = resp::read_number(at, "delay");
  auto trimmed = resp::read_ids(at, "delay");
  auto unknown = resp::read_ids(at, "delay");
  auto restored = resp::read_number(at, "delay");
  if (!waiting || !due_in || !trimmed || !unknown || !restored)
    return resp::unexpected_reply("delay", at);
  nobodys = std::move(*unknown);
  ctx_.note_delayed(stream, *waiting, *due_in);
  ctx_.report_restored(stream, *restored);
  ctx_.report_trimmed(stream, *trimmed);
  return {};
}

} // namespace pulse::internal
