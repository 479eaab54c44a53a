#include "pulse/actors/internal/sink/own_pending.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/reply_streams.hpp"
#include "pulse/core/names.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

constexpr uint32_t page_size = 500;

// The pending events of so many streams are read at a time.
constexpr size_t streams_at_a_time = 1'000;

} // namespace

void sink_own_pending::read_page() {
  asked_streams_ = ctx_.streams.to_recover(streams_at_a_time);
  if (asked_streams_.empty())
    return;
  reading_ = true;
  last_.resize(ctx_.streams.size());
  ask_counts();
  asked_ = ctx_.pages.apply(page_size);
  ctx_.run(
    page_command(),
    [this, sent = ctx_.env.boot_time(),
     give_backs = ctx_.give_backs](const reply_ptr& reply) {
      reading_ = false;
      // Otherwise the same page is read again.
      if (!ctx_.is_stale(sent) && give_backs == ctx_.give_backs)
        on_page(*reply, sent);
    },
    [this](const caf::error& err) {
      reading_ = false;
      ctx_.note_command_failed(to_failure(err));
      attempts_.failed(asked_, to_failure(err));
    });
}

// Asks for the delivery counters before the page is read, because that read
// adds one to each of them. The counters also hold failures and crashes.
void sink_own_pending::ask_counts() {
  auto batch = std::make_shared<command_batch>();
  for (auto i : asked_streams_)
    resp::write_command(batch->bytes, "XPENDING", ctx_.streams[i].key,
                        ctx_.options.name, "(" + to_string(last_[i]), "+",
                        uint64_t{page_size}, ctx_.consumer);
  batch->count = static_cast<uint32_t>(asked_streams_.size());
  batch->repeatable = true;
  counts_.clear();
  ctx_.run(
    std::move(batch),
    [this, streams = asked_streams_](const reply_ptr& reply) {
      on_counts(streams, *reply);
    },
    [](const caf::error&) {}); // then the page is read again
}

void sink_own_pending::on_counts(const std::vector<uint32_t>& streams,
                                 const resp::reply& reply) {
  resp::cursor at{reply};
  for (auto i : streams) {
    auto here = at;
    at.skip();
    if (auto facts = resp::pending_entries(here))
      for (const auto& x : *facts)
        counts_[{i, x.id}] = unpack(x.deliveries);
  }
}

// An event may become pending for this sink after the counters were read: if
// the connection is lost between the two commands, a claim may come between.
bool sink_own_pending::has_counts(const event_block& block,
                                  const std::vector<uint32_t>& streams) const {
  return std::all_of(block.extents.begin(), block.extents.end(),
                     [&](const auto& x) {
                       return counts_.count({streams[x.stream], x.id}) > 0;
                     });
}

command_ptr sink_own_pending::page_command() const {
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(7 + 2 * asked_streams_.size());
  w.arg("XREADGROUP").arg("GROUP").arg(ctx_.options.name).arg(ctx_.consumer);
  w.arg("COUNT").arg(uint64_t{asked_}).arg("STREAMS");
  for (auto i : asked_streams_)
    w.arg(ctx_.streams[i].key);
  for (auto i : asked_streams_)
    w.arg(last_[i]);
  batch->count = 1;
  batch->repeatable = true;
  return batch;
}

void sink_own_pending::on_page(resp::reply& reply,
                               std::chrono::nanoseconds sent) {
  auto page = resp::read_page(reply, stream_key({}));
  if (!page) {
    ctx_.note_refusal(page.error());
    return attempts_.failed(asked_, page.error());
  }
  const auto streams = streams_of_reply(ctx_, *page->block, [this](uint32_t i) {
    return std::binary_search(asked_streams_.begin(), asked_streams_.end(), i);
  });
  if (!streams)
    return attempts_.failed(asked_, streams.error());
  ctx_.note_command_worked();
  ctx_.pages.worked();
  if (!has_counts(*page->block, *streams))
    return; // the same page is read again
  page->block->sink = ctx_.options.name;
  for (const auto& x : page->block->extents)
    ctx_.keep_lease((*streams)[x.stream], sent);
  accept(*page, *streams);
  skip_trimmed(*page, *streams);
  if (page->block->extents.empty() && page->deleted.empty())
    finish();
}

void sink_own_pending::accept(const resp::event_page& page,
                              const std::vector<uint32_t>& streams) {
  const auto& block = page.block;
  for (uint32_t i = 0; i < block->extents.size(); ++i) {
    const auto stream = streams[block->extents[i].stream];
    const auto id = block->extents[i].id;
    last_[stream] = std::max(last_[stream], id);
    if (ctx_.ledger.holds(stream, id))
      continue;
    ++ctx_.counts.adopted;
    const auto& known = counts_.at({stream, id});
    const event found{block, i, known.counts};
    ctx_.note_read(stream, found);
    // In a keyed sink, earlier events of the same key may have been given back
    // meanwhile. So the event comes again by the script, which knows the order.
    if (ctx_.shares_keys())
      intake_.give_back(stream, found);
    else
      intake_.accept(stream, found, known.counts.crashes > 0);
  }
}

// Acknowledges and reports pending events that are not in the stream any more.
void sink_own_pending::skip_trimmed(const resp::event_page& page,
                                    const std::vector<uint32_t>& streams) {
  for (auto [where, id] : page.deleted) {
    const auto stream = streams[where];
    last_[stream] = std::max(last_[stream], id);
    ++ctx_.counts.trimmed;
    ctx_.report_gap(ctx_.streams[stream].name, id.previous(), id.next(), 1,
                    true);
    outcomes_.ack(stream, id);
  }
}

// Called when a page was empty: the sink knows all its pending events now.
void sink_own_pending::finish() {
  for (auto i : asked_streams_) {
    ctx_.streams.recovered(i);
    last_[i] = event_id::min();
    // Each read of a page added one to each delivery counter. After many reads
    // the next node would conclude that the events fail again and again.
    ctx_.ledger.recount(i);
  }
}

} // namespace pulse::internal
