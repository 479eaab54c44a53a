#include "pulse/actors/internal/sink/predecessor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/resp/sink_scripts.hpp"

namespace pulse::internal {

void sink_predecessor::free_events(uint32_t stream) {
  if (consumer_.empty() || !ctx_.acks())
    return;
  const auto& x = ctx_.streams[stream];
  script_call call{resp::end_consumer_script(),
                   {x.key, resp::members_key(x.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(consumer_);
  call.arg(static_cast<int64_t>(ctx_.options.lease.count()));
  ctx_.run(
    call.finish(true),
    [this, stream](const reply_ptr& reply) {
      resp::cursor at{*reply};
      uint32_t size = 0;
      if (!at.read_array(size) || size != 2
          || !resp::read_number(at, "end_consumer"))
        return;
      if (const auto gone = resp::read_ids(at, "end_consumer"))
        ctx_.report_trimmed(stream, *gone);
      freed_();
    },
    [this, name = x.name](const caf::error& err) {
      ctx_.report(log_level::warning,
                  "could not free the events of stream " + name
                    + " that the former sink actor held: " + describe(err)
                    + "; they are delivered when its lease is over");
    });
}

} // namespace pulse::internal
