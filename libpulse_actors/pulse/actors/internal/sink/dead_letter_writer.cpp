#include "pulse/actors/internal/sink/dead_letter_writer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/claim_anew.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

void sink_dead_letter_writer::flush() {
  letter_lines_.tick(ctx_.now());
  removal_lines_.tick(ctx_.now());
  if (gate_.is_open())
    for (const auto& x : std::exchange(waiting_, {}))
      send(x);
}

void sink_dead_letter_writer::list(uint32_t stream,
                                   std::vector<event_id>& into) const {
  for (const auto& x : waiting_)
    if (x.stream == stream)
      into.push_back(x.id);
}

void sink_dead_letter_writer::list_streams(std::set<uint32_t>& into) const {
  for (const auto& x : waiting_)
    into.insert(x.stream);
  into.insert(sent_.begin(), sent_.end());
}

void sink_dead_letter_writer::send(const action& x) {
  const auto& stream = ctx_.streams[x.stream];
  if (!ctx_.options.dead_letter) {
    ++ctx_.counts.dead_letters;
    letter_lines_.add(
      "gives up event " + to_string(x.id) + " of stream " + stream.name
        + " without a dead letter, because dead_letter is off: " + x.reason,
      ctx_.now());
    acks_.add(x.stream, x.id, x.entry, false);
    return;
  }
  const auto dead
    = stream_key(dead_letter_stream(stream.name, ctx_.options.name));
  script_call call{resp::dead_letter_script(),
                   {stream.key, dead,
                    resp::redrives_key(stream.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(x.id).arg(ctx_.options.dead_letter_max_len);
  call.arg(ctx_.consumer);
  call.arg("x-id").arg(x.id);
  call.arg("x-stream").arg(stream.name);
  call.arg("x-sink").arg(ctx_.options.name);
  call.arg("x-node").arg(ctx_.consumer);
  call.arg("x-reason").arg(x.reason);
  call.arg("x-deliveries").arg(uint64_t{x.counts.deliveries});
  call.arg("x-failures").arg(uint64_t{x.counts.failures});
  call.arg("x-crashes").arg(uint64_t{x.counts.crashes});
  call.arg("x-time").arg(static_cast<int64_t>(ctx_.env.unix_time().count()));
  sent_.insert(x.stream);
  // If the event is pending for nobody, that must not be because of a first
  // execution (see claim_anew).
  const bool repeatable = !ctx_.ledger.is_only_here(x);
  ctx_.run(
    call.finish(repeatable),
    [this, x](const reply_ptr& reply) {
      sent_.erase(sent_.find(x.stream));
      stored(x, *reply);
    },
    [this, x](const caf::error& err) {
      sent_.erase(sent_.find(x.stream));
      auto again = x;
      ctx_.ledger.note_may_be_elsewhere(again);
      failed(std::move(again), to_failure(err));
    });
}

void sink_dead_letter_writer::stored(const action& x,
                                     const resp::reply& reply) {
  resp::cursor at{reply};
  if (at.is(resp::node_type::error))
    return failed(x, resp::error_of(at));
  gate_.worked();
  // The reply is nil if the event is not pending for this node any more.
  uint32_t parts = 0;
  if (at.read_array(parts) && parts == 2) {
    at.skip();
    const auto& stream = ctx_.streams[x.stream].name;
    ++ctx_.counts.dead_letters;
    letter_lines_.add("event " + to_string(x.id) + " of stream " + stream
                        + " is a dead letter now: " + x.reason,
                      ctx_.now());
    count_removed(stream, resp::read_number(at, "dead_letter"));
  } else if (ctx_.ledger.is_only_here(x) && ctx_.kept_in_time(x.stream)) {
    return claim_anew(x);
  } else {
    letter_lines_.add("event " + to_string(x.id) + " of stream "
                        + ctx_.streams[x.stream].name
                        + " would be a dead letter now, but is not pending for "
                          "this node any more: another node took it over",
                      ctx_.now());
  }
  ctx_.ledger.forget(x.entry);
}

// Somebody deleted the consumer of this sink. Its event becomes pending for it
// again, and then a dead letter.
void sink_dead_letter_writer::claim_anew(const action& x) {
  sent_.insert(x.stream);
  internal::claim_anew(ctx_, x.stream, {{x.id, x.counts, false, true}},
                       [this, x](const auto& claimed) {
                         sent_.erase(sent_.find(x.stream));
                         if (!claimed)
                           failed(x, claimed.error());
                         else if (!claimed->empty())
                           waiting_.push_back(x);
                         else
                           ctx_.ledger.forget(x.entry);
                       });
}

void sink_dead_letter_writer::count_removed(const std::string& stream,
                                            const outcome<int64_t>& n) {
  if (!n || *n == 0)
    return;
  ctx_.counts.dead_letters_removed += static_cast<uint64_t>(*n);
  removal_lines_.add(
    "removed the oldest " + std::to_string(*n) + " dead letters of stream "
      + stream + ", because there are more than "
      + std::to_string(ctx_.options.dead_letter_max_len)
      + "; redrive or purge them, or raise dead_letter_max_len",
    ctx_.now());
}

void sink_dead_letter_writer::failed(action x, const failure& why) {
  waiting_.push_back(std::move(x));
  gate_.failed(why);
}

} // namespace pulse::internal
