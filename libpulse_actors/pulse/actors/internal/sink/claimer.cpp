#include "pulse/actors/internal/sink/claimer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/claimed_events.hpp"
#include "pulse/resp/sink_scripts.hpp"

#include <algorithm>
#include <utility>

namespace pulse::internal {

namespace {

constexpr size_t page_size = 500;

// A sink claims at most so many streams at a time.
constexpr size_t streams_at_a_time = 256;

// A part of the streams that had no events says that the next part may be so
// many times larger.
constexpr size_t part_growth = 4;

// A sink looks for consumers of dead nodes in so many streams a second at most.
constexpr size_t cleanings_per_second = 250;

// A round of claims takes the more time of the server, the more streams there
// are. The pause between two rounds is this many times as long as a round, so
// that claims take at most 1 % of the server's time.
constexpr int claim_share = 100;
// The same for a claim that found as many events as the sink wanted: more
// events of dead nodes probably wait, so claims may take a fifth of the
// server's time.
constexpr int full_claim_share = 5;

// But the pause is not longer than the interval of the sweeps, or than this
// time for each stream. A round also seems long if the network is slow, or the
// server or this node stood still, and then events must not wait.
constexpr milliseconds pause_per_stream{10};

} // namespace

void sink_claimer::tick(time_point now) {
  if (!ctx_.shares_keys()) {
    claim_all(now);
    claim_due(now);
  }
  clean_consumers(now);
}

sink_claimer::time_point sink_claimer::next_claim(time_point now) const {
  return next_claim_ > now ? next_claim_ : time_point::max();
}

sink_claimer::time_point sink_claimer::next_due(time_point now) const {
  return ctx_.streams.next_due_after(now).value_or(time_point::max());
}

// -- claiming -----------------------------------------------------------------

bool sink_claimer::may_claim(time_point now) const {
  return now >= ctx_.no_claims_before && under_way_ == 0
         && !ctx_.streams.recovery_due();
}

void sink_claimer::claim_all(time_point now) {
  if (!round_) {
    if (now < next_claim_ || !may_claim(now) || intake_.claim_demand() == 0)
      return;
    next_claim_ = now + jittered(ctx_.options.sweep_interval, 0.1, random_);
    round_.emplace();
  }
  go_on();
}

// Claims some streams at a time, so that all of them together never bring more
// events than the sink has room for.
void sink_claimer::go_on() {
  if (!round_ || !may_claim(ctx_.now()))
    return;
  const auto& open = ctx_.streams.open();
  auto next = std::lower_bound(open.begin(), open.end(), round_->next);
  if (next == open.end())
    return end_round();
  const auto wanted = std::min<size_t>(intake_.claim_demand(), page_size);
  if (wanted == 0)
    return; // until the next tick
  const size_t fitting = intake_.fitting_claims(wanted);
  const auto left = static_cast<size_t>(open.end() - next);
  const auto silent = round_->found == 0 ? round_->part : 0;
  const auto size = std::min(
    {left, wanted, streams_at_a_time, std::max(fitting, part_growth * silent)});
  round_->part = size;
  round_->found = 0;
  const std::vector<uint32_t> part(next,
                                   next + static_cast<std::ptrdiff_t>(size));
  round_->next = part.back() + 1;
  round_->part_begun = ctx_.now();
  for (auto stream : part)
    claim(stream, std::max<size_t>(fitting / size, 1), scope::all);
}

// After a full page more events of dead nodes probably wait, so the next claim
// does not wait for the interval.
void sink_claimer::end_round() {
  const auto x = *std::exchange(round_, std::nullopt);
  const auto share = x.full ? full_claim_share : claim_share;
  const auto streams = static_cast<int64_t>(ctx_.streams.open().size());
  const auto longest
    = std::max(ctx_.options.sweep_interval,
               std::min(streams * pause_per_stream, ctx_.options.lease));
  const auto pause = std::min<duration>((share - 1) * x.busy, longest);
  const auto soonest = ctx_.now() + pause;
  next_claim_ = x.full ? soonest : std::max(next_claim_, soonest);
}

// A claim has ended.
void sink_claimer::ended() {
  if (--under_way_ > 0 || !round_)
    return;
  round_->busy += ctx_.now() - round_->part_begun;
  go_on();
}

void sink_claimer::claim_due(time_point now) {
  if (round_ || under_way_ > 0 || ctx_.streams.recovery_due())
    return;
  size_t wanted = intake_.fitting_claims(
    std::min<size_t>(intake_.claim_demand(), page_size));
  for (auto i : ctx_.streams.due_at(now)) {
    const auto& x = ctx_.streams[i];
    if (wanted == 0)
      break;
    if (!x.is_open())
      continue;
    const auto most = std::min<size_t>(wanted,
                                       std::max<uint64_t>(x.delayed, 1));
    claim(i, most, scope::due);
    wanted -= most;
  }
}

void sink_claimer::claim(uint32_t stream, size_t most, scope what) {
  const auto& name = ctx_.options.name;
  const auto& x = ctx_.streams[stream];
  script_call call{resp::take_over_script(),
                   {x.key, resp::delayed_key(x.name, name),
                    resp::paused_key(x.name, name)}};
  call.arg(name).arg(ctx_.consumer);
  call.arg(static_cast<int64_t>(ctx_.options.lease.count()));
  call.arg(uint64_t{most}).arg(what == scope::all ? "all" : "due");
  ++under_way_;
  const auto fetch = ctx_.begin_fetch({stream});
  call.watch(fetch.progress);
  ctx_.run(
    call.finish(false),
    [=](const reply_ptr& reply) {
      ctx_.late.remove(fetch.number);
      const auto found = on_claimed(stream, *reply, fetch.sent);
      if (round_) {
        round_->full |= found >= most;
        round_->found += found;
      }
      ended();
    },
    [=](const caf::error& err) {
      ctx_.late.remove(fetch.number);
      ctx_.pages.failed(most, to_failure(err).code);
      // Redis may have executed the claim, and only its reply is lost.
      ctx_.streams.recover(stream);
      ctx_.streams.set_next_due(stream, {}); // until the next claim of all
      ctx_.note_command_failed(to_failure(err));
      ended();
    });
}

size_t sink_claimer::on_claimed(uint32_t stream, resp::reply& reply,
                                std::chrono::nanoseconds sent) {
  if (ctx_.is_stale(stream, sent)) {
    ctx_.streams.recover(stream);
    return 0;
  }
  const resp::cursor at{reply};
  if (at.is(resp::node_type::error))
    ctx_.note_refusal(resp::error_of(at));
  auto count = read_claimed(stream, reply);
  if (count && *count > 0)
    ctx_.keep_lease(stream, sent);
  if (count)
    return *count;
  ctx_.streams.set_next_due(stream, {}); // until the next claim of all
  ctx_.note_command_failed(count.error());
  return 0;
}

outcome<size_t> sink_claimer::read_claimed(uint32_t stream,
                                           resp::reply& reply) {
  resp::cursor at{reply};
  uint32_t size = 0;
  if (at.is(resp::node_type::error))
    return resp::error_of(at);
  if (!at.read_array(size) || size != 7)
    return resp::unexpected_reply("take_over", at);
  ctx_.note_command_worked();
  const auto delayed = resp::read_number(at, "take_over");
  const auto due_in = resp::read_number(at, "take_over");
  const auto restored = resp::read_number(at, "take_over");
  if (!delayed || !due_in || !restored)
    return resp::unexpected_reply("take_over", at);
  ctx_.note_delayed(stream, *delayed, *due_in);
  ctx_.report_restored(stream, *restored);
  auto trimmed = resp::read_number(at, "take_over");
  if (!trimmed)
    return trimmed.error();
  auto facts = resp::pending_entries(at);
  if (!facts)
    return facts.error();
  const auto pauses = resp::read_pauses(at, "take_over");
  if (!pauses)
    return pauses.error();
  resp::event_page page;
  page.block = std::make_shared<event_block>();
  page.block->streams.push_back(ctx_.streams[stream].name);
  page.block->sink = ctx_.options.name;
  if (auto ok = resp::read_entries(at, 0, page); !ok)
    return ok.error();
  if (*trimmed > 0)
    report_trimmed(stream, *facts, page.block->extents);
  // The facts point into the bytes of the reply, which the block takes over
  // afterwards.
  const auto histories = histories_of(*facts, *pauses, page.block->extents);
  page.block->bytes = std::move(reply.bytes);
  if (const auto n = page.block->extents.size(); n > 0)
    ctx_.pages.worked(n, page.block->bytes.size(), reply.took);
  accept(stream, page.block, histories, *pauses);
  return page.block->extents.size();
}

// Reports pending events of a dead node that are not in the stream any more.
void sink_claimer::report_trimmed(uint32_t stream,
                                  const std::vector<resp::pending_entry>& facts,
                                  const std::vector<event_extent>& claimed) {
  std::vector<event_id> gone;
  auto have = claimed.begin(); // both in the order of the IDs
  for (const auto& x : facts) {
    while (have != claimed.end() && have->id < x.id)
      ++have;
    if (have == claimed.end() || have->id != x.id)
      gone.push_back(x.id);
  }
  ctx_.report_trimmed(stream, gone);
}

// Events of other nodes are older than what is queued, so they go to the front
// of the queue; the loop runs backwards to keep their order. A failed event is
// not more urgent than others, so it goes to the end.
void sink_claimer::accept(uint32_t stream,
                          const std::shared_ptr<event_block>& block,
                          const std::vector<claim_history>& histories,
                          const resp::pauses_by_id& pauses) {
  const auto n = static_cast<uint32_t>(block->extents.size());
  for (uint32_t i = n; i-- > 0;)
    if (histories[i].origin != claim_origin::delayed) {
      ++ctx_.counts.taken_over;
      const event found{block, i, {}};
      accept(stream, found, histories[i]);
      if (const auto due = ctx_.end_of_pause(pauses, found.id()))
        ctx_.ledger.postpone(stream, found.id(), *due);
    }
  for (uint32_t i = 0; i < n; ++i)
    if (histories[i].origin == claim_origin::delayed) {
      ++ctx_.counts.redelivered;
      accept(stream, event{block, i, {}}, histories[i]);
    }
}

void sink_claimer::accept(uint32_t stream, const event& x,
                          const claim_history& history) {
  if (!give_up_claimed(ctx_, outcomes_, stream, x.id(), history))
    intake_.accept(stream, x.with(history.counts), history.crash_candidate,
                   history.origin != claim_origin::delayed);
}

// -- consumers of dead nodes --------------------------------------------------

// Every sink does this periodically, because it costs little and no sink has to
// be chosen for it. Two sinks may do it at the same time.
void sink_claimer::clean_consumers(time_point now) {
  const auto& open = ctx_.streams.open();
  const auto period = period_for(open.size(), 3 * ctx_.options.lease,
                                 cleanings_per_second);
  removal_lines_.tick(now);
  for (auto i : cleaning_.due(now, open, period, cleanings_per_second))
    clean_consumers_of(ctx_.streams[i]);
}

void sink_claimer::clean_consumers_of(const sink_stream& x) {
  script_call call{resp::clean_consumers_script(),
                   {x.key, resp::delayed_key(x.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(ctx_.consumer);
  call.arg(static_cast<int64_t>(ctx_.options.lease.count()));
  ctx_.run(
    call.finish(true),
    [this, stream = x.name](const reply_ptr& reply) {
      resp::cursor at{*reply};
      auto n = resp::read_number(at, "clean_consumers");
      if (n && *n > 0)
        removal_lines_.add("removed " + std::to_string(*n)
                             + " consumers of dead nodes from stream " + stream,
                           ctx_.now());
    },
    [](const caf::error&) {});
}

} // namespace pulse::internal
