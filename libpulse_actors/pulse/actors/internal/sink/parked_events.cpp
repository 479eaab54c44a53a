#include "pulse/actors/internal/sink/parked_events.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/action_sender.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <utility>

namespace pulse::internal {

namespace {

constexpr uint32_t page_size = 100;

} // namespace

void sink_parked_events::fetch() {
  if (!ctx_.ledger.may_want() || ctx_.closing || !gate_.is_open())
    return;
  while (const auto room = intake_.room_for_parked(reading_)) {
    const auto most = intake_.fitting_claims(room);
    if (most <= reading_)
      return;
    auto all
      = ctx_.ledger.take_wanted(std::min<size_t>(most - reading_, page_size));
    if (all.empty())
      return;
    for_each_stream(std::move(all), [this](uint32_t stream, auto items) {
      read(std::make_shared<const page>(page{stream, std::move(items)}));
    });
  }
}

void sink_parked_events::read(const page_ptr& what) {
  auto batch = std::make_shared<command_batch>();
  for (const auto& x : what->items)
    resp::write_command(batch->bytes, "XRANGE", ctx_.streams[what->stream].key,
                        x.id, x.id);
  batch->count = static_cast<uint32_t>(what->items.size());
  batch->repeatable = true;
  reading_ += what->items.size();
  ctx_.run(
    std::move(batch),
    [this, what](const reply_ptr& reply) {
      reading_ -= what->items.size();
      if (auto ok = accept(*what, *reply); ok)
        gate_.worked();
      else
        failed(*what, ok.error());
    },
    [this, what](const caf::error& err) {
      reading_ -= what->items.size();
      failed(*what, to_failure(err));
    });
}

// The reply has one list for each event, which is empty if the event is gone.
status sink_parked_events::accept(const page& what, resp::reply& reply) {
  resp::cursor at{reply};
  resp::event_page found;
  found.block = std::make_shared<event_block>();
  found.block->streams.push_back(ctx_.streams[what.stream].name);
  found.block->sink = ctx_.options.name;
  const auto& extents = found.block->extents;
  std::vector<bool> is_there;
  for (size_t i = 0; i < what.items.size(); ++i) {
    const auto before = extents.size();
    if (at.is(resp::node_type::error))
      return resp::error_of(at);
    if (auto ok = resp::read_entries(at, 0, found); !ok)
      return ok;
    is_there.push_back(extents.size() > before);
  }
  found.block->bytes = std::move(reply.bytes);
  ctx_.pages.worked(extents.size(), found.block->bytes.size(), reply.took);
  uint32_t next = 0;
  std::vector<event_id> gone;
  for (size_t i = 0; i < what.items.size(); ++i) {
    const auto& x = what.items[i];
    if (is_there[i])
      ctx_.ledger.found_content(x.entry, event{found.block, next++});
    else if (ctx_.ledger.lost_content(x.entry))
      gone.push_back(x.id);
  }
  ctx_.report_trimmed(what.stream, gone);
  outcomes_.take_actions();
  return {};
}

void sink_parked_events::failed(const page& what, const failure& why) {
  for (const auto& x : what.items)
    ctx_.ledger.want_again(x.entry);
  ctx_.pages.failed(what.items.size(), why.code);
  ctx_.note_refusal(why);
  gate_.failed(why);
}

void sink_parked_events::tick() {
  for (auto i : std::exchange(streams_, {}))
    ctx_.streams[i].parked = 0;
  for (const auto& [i, n] : ctx_.ledger.parked_by_stream()) {
    streams_.push_back(i);
    ctx_.streams[i].parked = n;
    ctx_.report_failures(i);
  }
  const auto most = intake_.most_parked();
  const auto now = ctx_.ledger.parked();
  if (now >= most && !std::exchange(reported_full_, true))
    ctx_.report(log_level::warning,
                std::to_string(now)
                  + " events wait here: they failed, or are behind failed "
                    "events of the same topic, or Redis refuses their acks or "
                    "dead letters; the sink reads no new events until fewer "
                    "wait (the limit is 10 times max_in_flight)");
  else if (now < most / 2)
    reported_full_ = false;
}

} // namespace pulse::internal
