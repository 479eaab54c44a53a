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
  if (give_backs_ != ctx_.give_backs)
    unread_.clear();
  if (!unread_.empty())
    return ask_page();
  asked_streams_ = ctx_.streams.to_recover(streams_at_a_time);
  if (!asked_streams_.empty())
    ask_counts();
}

// Asks which events are pending, before they are read: that says how many there
// are, and what their delivery counters were, which also hold failures and
// crashes.
void sink_own_pending::ask_counts() {
  reading_ = true;
  last_.resize(ctx_.streams.size());
  give_backs_ = ctx_.give_backs;
  auto batch = std::make_shared<command_batch>();
  for (auto i : asked_streams_)
    resp::write_command(batch->bytes, "XPENDING", ctx_.streams[i].key,
                        ctx_.options.name, "(" + to_string(last_[i]), "+",
                        uint64_t{page_size}, ctx_.consumer);
  batch->count = static_cast<uint32_t>(asked_streams_.size());
  batch->repeatable = true;
  ctx_.run(
    std::move(batch),
    [this, sent = ctx_.env.boot_time()](const reply_ptr& reply) {
      reading_ = false;
      // Otherwise they are asked again.
      if (give_backs_ == ctx_.give_backs)
        on_counts(*reply, sent);
    },
    [this](const caf::error& err) {
      reading_ = false;
      failed(to_failure(err));
    });
}

void sink_own_pending::on_counts(const resp::reply& reply,
                                 std::chrono::nanoseconds sent) {
  resp::cursor at{reply};
  asked_ = 0;
  for (auto i : asked_streams_) {
    auto here = at;
    at.skip();
    const auto facts = resp::pending_entries(here);
    if (!facts) {
      unread_.clear();
      ctx_.note_refusal(facts.error());
      return attempts_.failed(asked_, facts.error());
    }
    if (const auto n = note_pending(i, *facts); n > 0)
      unread_.push_back({i, n});
    else if (facts->size() < page_size)
      finish(i);
  }
  ctx_.note_command_worked();
  if (unread_.empty())
    return let_go();
  hold_leases(sent);
  ask_page();
}

// Returns how many of the events the sink does not know. It does not read those
// that it knows if they come first.
size_t
sink_own_pending::note_pending(uint32_t stream,
                               const std::vector<resp::pending_entry>& facts) {
  size_t result = 0;
  for (const auto& x : facts) {
    if (result == 0 && ctx_.ledger.holds(stream, x.id)) {
      last_[stream] = std::max(last_[stream], x.id);
      continue;
    }
    ++result;
    note_counts(stream, x);
  }
  return result;
}

// Counts that differ by more than reads of pages do are from another node.
void sink_own_pending::note_counts(uint32_t stream,
                                   const resp::pending_entry& x) {
  const auto now = unpack(x.deliveries);
  const auto [i, fresh] = counts_.try_emplace({stream, x.id}, now);
  auto& before = i->second;
  if (before.counts.failures != now.counts.failures
      || before.counts.crashes != now.counts.crashes)
    before = now;
}

// The events may wait for room for a long time. So their leases are renewed,
// the first time at once, since nobody knows how old they are.
void sink_own_pending::hold_leases(std::chrono::nanoseconds known_at) {
  let_go();
  late_replies::command x;
  for (const auto& i : unread_)
    x.streams.push_back(i.stream);
  x.sent = known_at - ctx_.options.lease / 3;
  x.late_at = ctx_.now();
  x.progress->arriving = true;
  held_ = ctx_.late.add(std::move(x));
  ctx_.keep_late_leases();
}

void sink_own_pending::let_go() {
  ctx_.late.remove(std::exchange(held_, 0));
}

void sink_own_pending::ask_page() {
  const auto unusable = [this](const unread& x) {
    const auto& s = ctx_.streams[x.stream];
    return !s.is_open() || s.giving_back > 0;
  };
  unread_.erase(std::remove_if(unread_.begin(), unread_.end(), unusable),
                unread_.end());
  if (unread_.empty() || !intake_.takes_claims())
    return;
  size_t total = 0;
  for (const auto& x : unread_)
    total += x.events;
  const auto most = intake_.fitting_claims(total);
  page_streams_.clear();
  size_t longest = 0;
  for (const auto& x : unread_)
    if (page_streams_.size() < most) {
      page_streams_.push_back(x.stream);
      longest = std::max(longest, x.events);
    }
  asked_
    = static_cast<uint32_t>(std::min(most / page_streams_.size(), longest));
  reading_ = true;
  const auto fetch = ctx_.begin_fetch(page_streams_);
  ctx_.run(
    page_command(fetch.progress),
    [this, fetch](const reply_ptr& reply) {
      reading_ = false;
      ctx_.late.remove(fetch.number);
      // Otherwise the same page is read again.
      if (give_backs_ == ctx_.give_backs)
        on_page(*reply, fetch.sent);
    },
    [this, fetch](const caf::error& err) {
      reading_ = false;
      ctx_.late.remove(fetch.number);
      failed(to_failure(err));
    });
}

void sink_own_pending::failed(const failure& why) {
  unread_.clear();
  ctx_.note_command_failed(why);
  attempts_.failed(asked_, why);
}

// An event may become pending for this sink after the counters were read, for
// instance by a claim whose reply is lost.
bool sink_own_pending::has_counts(const event_block& block,
                                  const std::vector<uint32_t>& streams) const {
  return std::all_of(block.extents.begin(), block.extents.end(),
                     [&](const auto& x) {
                       const auto stream = streams[x.stream];
                       return ctx_.ledger.holds(stream, x.id)
                              || counts_.count({stream, x.id}) > 0;
                     });
}

command_ptr
sink_own_pending::page_command(std::shared_ptr<reply_progress> progress) const {
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(7 + 2 * page_streams_.size());
  w.arg("XREADGROUP").arg("GROUP").arg(ctx_.options.name).arg(ctx_.consumer);
  w.arg("COUNT").arg(uint64_t{asked_}).arg("STREAMS");
  for (auto i : page_streams_)
    w.arg(ctx_.streams[i].key);
  for (auto i : page_streams_)
    w.arg(last_[i]);
  batch->count = 1;
  batch->repeatable = true;
  batch->progress = std::move(progress);
  return batch;
}

void sink_own_pending::on_page(resp::reply& reply,
                               std::chrono::nanoseconds sent) {
  auto page = resp::read_page(reply, stream_key({}));
  if (!page) {
    unread_.clear();
    ctx_.note_refusal(page.error());
    return attempts_.failed(asked_, page.error());
  }
  const auto streams = streams_of_reply(ctx_, *page->block, [this](uint32_t i) {
    return std::binary_search(page_streams_.begin(), page_streams_.end(), i);
  });
  if (!streams) {
    unread_.clear();
    return attempts_.failed(asked_, streams.error());
  }
  ctx_.note_command_worked();
  ctx_.pages.worked(page->block->extents.size(), page->block->bytes.size(),
                    reply.took);
  const auto is_stale = [&](uint32_t i) { return ctx_.is_stale(i, sent); };
  if (std::any_of(streams->begin(), streams->end(), is_stale))
    return; // the same page is read again
  if (!has_counts(*page->block, *streams))
    return unread_.clear(); // the counts are asked again
  page->block->sink = ctx_.options.name;
  for (const auto& x : page->block->extents)
    ctx_.keep_lease((*streams)[x.stream], sent);
  got_.clear();
  accept(*page, *streams);
  skip_trimmed(*page, *streams);
  end_page();
}

void sink_own_pending::note_read(uint32_t stream, event_id id) {
  last_[stream] = std::max(last_[stream], id);
  ++got_[stream];
}

void sink_own_pending::accept(const resp::event_page& page,
                              const std::vector<uint32_t>& streams) {
  const auto& block = page.block;
  for (uint32_t i = 0; i < block->extents.size(); ++i) {
    const auto stream = streams[block->extents[i].stream];
    const auto id = block->extents[i].id;
    note_read(stream, id);
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
  std::map<uint32_t, std::vector<event_id>> gone;
  for (auto [where, id] : page.deleted) {
    const auto stream = streams[where];
    note_read(stream, id);
    outcomes_.ack(stream, id);
    gone[stream].push_back(id);
  }
  for (const auto& [stream, ids] : gone)
    ctx_.report_trimmed(stream, ids);
}

// A stream of which all known events were read is asked again for its pending
// events, whether there are more.
void sink_own_pending::end_page() {
  const auto is_read = [this](unread& x) {
    if (!std::binary_search(page_streams_.begin(), page_streams_.end(),
                            x.stream))
      return false;
    const auto got = got_[x.stream];
    x.events -= std::min(x.events, got);
    return x.events == 0 || got < asked_;
  };
  unread_.erase(std::remove_if(unread_.begin(), unread_.end(), is_read),
                unread_.end());
}

// The sink knows all its pending events of the stream now.
void sink_own_pending::finish(uint32_t stream) {
  ctx_.streams.recovered(stream);
  last_[stream] = event_id::min();
  const auto begin = counts_.lower_bound({stream, event_id::min()});
  const auto end = counts_.lower_bound({stream + 1, event_id::min()});
  if (begin == end)
    return;
  counts_.erase(begin, end);
  // Each read of a page added one to each delivery counter. After many reads
  // the next node would conclude that the events fail again and again.
  ctx_.ledger.recount(stream);
}

} // namespace pulse::internal
