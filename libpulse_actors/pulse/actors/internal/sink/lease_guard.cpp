#include "pulse/actors/internal/sink/lease_guard.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/claim_anew.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <string>

namespace pulse::internal {

namespace {

// The pause after a failed attempt to verify.
constexpr milliseconds verify_pause{500};

// How many streams without a lease are checked by one batch.
constexpr size_t most_in_a_batch = 256;

// How many streams are checked at a time and a second at most.
constexpr size_t most_at_a_time = 4'096;
constexpr size_t most_per_second = 10'000;

} // namespace

void sink_lease_guard::check_leases() {
  if (!ctx_.acks())
    return;
  if (const auto now = ctx_.env.boot_time(); now >= next_look_)
    look_for_stale_leases(now);
  if (!doubts_.empty())
    resolve_doubts();
}

// A lease that was renewed at some time is fresh for half of its length, and
// may have been renewed again until then.
void sink_lease_guard::look_for_stale_leases(std::chrono::nanoseconds now) {
  const auto fresh_for = ctx_.options.lease / 2;
  next_look_ = now + fresh_for;
  for (auto i : ctx_.leased) {
    const auto& x = ctx_.streams[i];
    if (!x.lease)
      continue;
    if (is_stale(x)) {
      ctx_.streams[i].doubted_at = now;
      ctx_.ledger.hold(i);
      doubts_.try_emplace(i);
    } else {
      next_look_ = std::min(next_look_,
                            x.lease->clock->renewed_at() + fresh_for);
    }
  }
}

void sink_lease_guard::resolve_doubts() {
  for (auto i = doubts_.begin(); i != doubts_.end();) {
    auto& [stream, x] = *i;
    if (!ctx_.streams[stream].lease) { // the stream was removed
      ctx_.ledger.resume(stream);
      i = doubts_.erase(i);
      continue;
    }
    if (!x.asked && ctx_.now() >= x.not_before)
      x.asked = verify(stream);
    ++i;
  }
}

bool sink_lease_guard::is_stale(const sink_stream& x) const {
  const auto& clock = *x.lease->clock;
  return clock.is_stale()
         || clock.older_than(ctx_.options.lease / 2, ctx_.env.boot_time());
}

void sink_lease_guard::tick(time_point now) {
  if (now >= next_end_)
    end_leases(now);
  if (checking_ >= most_at_a_time)
    return;
  check_idle(take_opened());
  check_some(now);
}

// The lease of a stream ends when the sink holds no event of it. So the leases
// cost nothing for streams without events.
void sink_lease_guard::end_leases(time_point now) {
  next_end_ = now + ctx_.options.lease / 12;
  if (ctx_.leased.empty())
    return;
  auto needed = ctx_.ledger.streams();
  outcomes_.list_streams(needed);
  ctx_.late.for_each_arriving(now, [&](const auto& x) {
    needed.insert(x.streams.begin(), x.streams.end());
  });
  for (auto i = ctx_.leased.begin(); i != ctx_.leased.end();) {
    auto& x = ctx_.streams[*i];
    if (x.lease && needed.count(*i) > 0) {
      ++i;
      continue;
    }
    if (x.lease) {
      ctx_.counts.trimmed += x.lease->clock->trimmed;
      tell(ctx_.leases, caf::delete_atom_v, std::move(x.lease));
      x.lease = nullptr;
    }
    i = ctx_.leased.erase(i);
  }
}

std::vector<uint32_t> sink_lease_guard::take_opened() {
  std::vector<uint32_t> result;
  const auto n = std::min(opened_.size(), most_at_a_time);
  for (auto i = opened_.end() - static_cast<std::ptrdiff_t>(n);
       i != opened_.end(); ++i)
    if (ctx_.streams[*i].is_open())
      result.push_back(*i);
  opened_.resize(opened_.size() - n);
  return result;
}

// Redis may execute a read of an abandoned connection much later. Then events
// are pending for this sink that the sink does not know. So the sink compares
// both lists once per lease.
void sink_lease_guard::check_some(time_point now) {
  const auto& open = ctx_.streams.open();
  const auto period = period_for(open.size(), ctx_.options.lease,
                                 most_per_second);
  std::vector<uint32_t> idle;
  for (auto i : round_.due(now, open, period, most_at_a_time))
    if (ctx_.streams[i].lease)
      verify(i);
    else
      idle.push_back(i);
  check_idle(idle);
}

// A stream of which the sink holds no event has no lease, and a stream without
// pending events needs none. A read that returns nothing shows the other nodes
// that the consumer is alive (see renew.lua).
void sink_lease_guard::check_idle(const std::vector<uint32_t>& streams) {
  for (size_t i = 0; i < streams.size(); i += most_in_a_batch) {
    const auto n = std::min(most_in_a_batch, streams.size() - i);
    const auto begin = streams.begin() + static_cast<std::ptrdiff_t>(i);
    check_part({begin, begin + static_cast<std::ptrdiff_t>(n)});
  }
}

void sink_lease_guard::check_part(const std::vector<uint32_t>& part) {
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(7 + 2 * part.size());
  w.arg("XREADGROUP").arg("GROUP").arg(ctx_.options.name).arg(ctx_.consumer);
  w.arg("COUNT").arg(uint64_t{1}).arg("STREAMS");
  for (auto i : part)
    w.arg(ctx_.streams[i].key);
  for (size_t i = 0; i < part.size(); ++i)
    w.arg("18446744073709551615-18446744073709551614");
  for (auto i : part)
    resp::write_command(batch->bytes, "XPENDING", ctx_.streams[i].key,
                        ctx_.options.name, "-", "+", uint64_t{1},
                        ctx_.consumer);
  batch->count = static_cast<uint32_t>(1 + part.size());
  batch->repeatable = true;
  checking_ += part.size();
  ctx_.run(
    std::move(batch),
    [this, part](const reply_ptr& reply) {
      checking_ -= part.size();
      on_checked(part, *reply);
    },
    [this, n = part.size()](const caf::error& err) {
      checking_ -= n;
      ctx_.note_command_failed(to_failure(err));
    });
}

void sink_lease_guard::on_checked(const std::vector<uint32_t>& part,
                                  const resp::reply& reply) {
  resp::cursor at{reply};
  failure why;
  if (at.is(resp::node_type::error))
    why = resp::error_of(at);
  at.skip();
  for (auto stream : part) {
    auto here = at;
    at.skip();
    const auto pending = resp::pending_entries(here);
    if (!pending) {
      why = pending.error();
      continue;
    }
    std::vector<event_id> ours;
    for (const auto& x : *pending)
      ours.push_back(x.id);
    note_unknown(stream, ours);
  }
  if (why.code == errc::none)
    return;
  ctx_.note_refusal(why);
  ctx_.note_command_failed(why);
}

void sink_lease_guard::look_for_missing(uint32_t stream) {
  if (ctx_.streams[stream].lease && !ctx_.closing)
    verify(stream);
}

// Returns false if a verification is under way that began before.
bool sink_lease_guard::verify(uint32_t stream) {
  if (!verifying_.insert(stream).second)
    return false;
  ++checking_;
  ctx_.requests.ask(
    ctx_.leases,
    [this, stream,
     before = ctx_.ledger.next_serial()](std::vector<event_id> ours) {
      --checking_;
      on_verified(stream, before, std::move(ours));
    },
    [this, stream](const caf::error& err) {
      --checking_;
      on_not_verified(stream, to_failure(err));
    },
    caf::update_atom_v, ctx_.streams[stream].lease);
  return true;
}

void sink_lease_guard::on_verified(uint32_t stream, uint64_t before,
                                   std::vector<event_id> ours) {
  const bool in_time = ctx_.kept_in_time(stream);
  auto& x = ctx_.streams[stream];
  if (x.lease)
    x.known_lapses = x.lease->clock->lapses;
  if (!in_time) {
    ctx_.ledger.lease_lapsed(stream, ours);
    return ask_counts(stream, before, std::move(ours));
  }
  auto missing = ctx_.ledger.missing(stream, before, ours);
  if (missing.empty() || !missing.front().only_here)
    return settle(stream, before, true, ours);
  claim_anew(ctx_, stream, std::move(missing),
             [this, stream, before,
              ours = std::move(ours)](const auto& claimed) mutable {
               on_claimed_anew(stream, before, std::move(ours), claimed);
             });
}

// Another node may have had an event that belongs to this one again: this node
// may have claimed it before it was stopped, and Redis executed that later. So
// Redis knows the counts.
void sink_lease_guard::ask_counts(uint32_t stream, uint64_t before,
                                  std::vector<event_id> ours) {
  if (ours.empty())
    return settle(stream, before, false, ours);
  auto batch = std::make_shared<command_batch>();
  resp::write_command(batch->bytes, "XPENDING", ctx_.streams[stream].key,
                      ctx_.options.name, ours.front(), ours.back(),
                      uint64_t{ours.size()}, ctx_.consumer);
  batch->count = 1;
  batch->repeatable = true;
  ctx_.run(
    std::move(batch),
    [this, stream, before, ours = std::move(ours)](const reply_ptr& reply) {
      resp::cursor at{*reply};
      const auto facts = resp::pending_entries(at);
      if (!facts)
        return on_not_verified(stream, facts.error());
      for (const auto& x : *facts)
        ctx_.ledger.adopt_counts(stream, x.id, unpack(x.deliveries).counts);
      settle(stream, before, false, ours);
    },
    [this, stream](const caf::error& err) {
      on_not_verified(stream, to_failure(err));
    });
}

void sink_lease_guard::on_claimed_anew(
  uint32_t stream, uint64_t before, std::vector<event_id> ours,
  const outcome<std::vector<event_id>>& claimed) {
  if (!claimed)
    return on_not_verified(stream, claimed.error());
  const auto middle = static_cast<std::ptrdiff_t>(ours.size());
  ours.insert(ours.end(), claimed->begin(), claimed->end());
  std::inplace_merge(ours.begin(), ours.begin() + middle, ours.end());
  settle(stream, before, true, ours);
}

void sink_lease_guard::settle(uint32_t stream, uint64_t before, bool in_time,
                              const std::vector<event_id>& ours) {
  verifying_.erase(stream);
  report_lost(stream, in_time, ctx_.ledger.retain_only(stream, before, ours));
  note_unknown(stream, ours);
  const auto i = doubts_.find(stream);
  if (i == doubts_.end())
    return;
  i->second.asked = false;
  // A reply that is as old as the doubt does not end it.
  if (const auto& x = ctx_.streams[stream]; !x.lease || !is_stale(x)) {
    doubts_.erase(i);
    ctx_.ledger.resume(stream);
  }
}

void sink_lease_guard::report_lost(uint32_t stream, bool in_time,
                                   const delivery_ledger::lost_events& what) {
  const auto of_stream = " of its events of stream "
                         + ctx_.streams[stream].name;
  ctx_.counts.lost_leases += what.dropped;
  if (what.dropped > 0) {
    const auto which = std::to_string(what.dropped) + of_stream;
    ctx_.report(log_level::warning,
                in_time
                  ? which
                      + " are not pending for this node any more: others "
                        "acknowledged or claimed them, or they were removed; "
                        "the node drops them"
                  : "this node did not renew its lease in time, so other nodes "
                    "may take its events over; it drops "
                      + which + " that are not pending for it any more");
  }
  if (what.at_work > 0)
    ctx_.report(log_level::warning,
                std::to_string(what.at_work) + of_stream
                  + " that its workers have are not pending for this node any "
                    "more: others acknowledged or claimed them, or somebody "
                    "deleted its consumer (XGROUP DELCONSUMER); a failure here "
                    "leads to no further attempt");
}

void sink_lease_guard::on_not_verified(uint32_t stream, const failure& why) {
  verifying_.erase(stream);
  if (const auto i = doubts_.find(stream); i != doubts_.end())
    i->second = {false, ctx_.now() + verify_pause};
  ctx_.note_refusal(why);
  ctx_.note_command_failed(why);
}

// An event may have been read while the reply was under way; then the sink
// knows it at the next check. So only events that were unknown twice count, and
// none while a reply arrives slowly.
void sink_lease_guard::note_unknown(uint32_t stream,
                                    const std::vector<event_id>& ours) {
  const auto before = unknown_pending_.find(stream);
  if (ours.empty() || ctx_.late.is_arriving(stream, ctx_.now())) {
    if (before != unknown_pending_.end())
      unknown_pending_.erase(before);
    return;
  }
  std::set<event_id> unknown;
  size_t again = 0;
  // There may be as many of both.
  const auto decided = outcomes_.unconfirmed(stream);
  for (auto id : ours)
    if (!ctx_.ledger.holds(stream, id)
        && !std::binary_search(decided.begin(), decided.end(), id)) {
      unknown.insert(id);
      again += before != unknown_pending_.end() ? before->second.count(id) : 0;
    }
  if (again > 0) {
    ctx_.report(log_level::warning,
                std::to_string(again) + " events of stream "
                  + ctx_.streams[stream].name
                  + " are pending for this sink in Redis, but the sink did not "
                    "know them; it reads them now");
    ctx_.streams.recover(stream);
    unknown.clear();
  }
  unknown_pending_[stream] = std::move(unknown);
}

} // namespace pulse::internal
