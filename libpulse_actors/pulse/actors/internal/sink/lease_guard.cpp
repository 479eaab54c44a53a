#include "pulse/actors/internal/sink/lease_guard.hpp"

#include "pulse/actors/errors.hpp"

#include <algorithm>
#include <string>

namespace pulse::internal {

namespace {

// The pause after a failed attempt to verify.
constexpr milliseconds verify_pause{500};

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
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i) {
    const auto& x = ctx_.streams[i];
    if (!x.lease)
      continue;
    if (is_stale(x)) {
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
    if (!x.asked && ctx_.now() >= x.not_before) {
      x.asked = true;
      verify(stream);
    }
    ++i;
  }
}

bool sink_lease_guard::is_stale(const sink_stream& x) const {
  const auto& clock = *x.lease->clock;
  return clock.stale
         || clock.older_than(ctx_.options.lease / 2, ctx_.env.boot_time());
}

// Redis may execute a read of an abandoned connection much later. Then events
// are pending for this sink that the sink does not know. So the sink compares
// both lists once per lease.
void sink_lease_guard::tick(time_point now) {
  if (now < next_check_ || verifying_ > 0)
    return;
  next_check_ = now + jittered(ctx_.options.lease, 0.1, random_);
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i)
    if (ctx_.streams[i].is_open())
      verify(i);
}

void sink_lease_guard::verify(uint32_t stream) {
  ++verifying_;
  ctx_.requests.ask(
    ctx_.leases,
    [this, stream,
     before = ctx_.ledger.next_serial()](const std::vector<event_id>& ours) {
      --verifying_;
      on_verified(stream, before, ours);
    },
    [this, stream](const caf::error& err) {
      --verifying_;
      on_not_verified(stream, to_failure(err));
    },
    caf::update_atom_v, ctx_.streams[stream].lease);
}

void sink_lease_guard::on_verified(uint32_t stream, uint64_t before,
                                   const std::vector<event_id>& ours) {
  if (auto n = ctx_.ledger.retain_only(stream, before, ours); n > 0) {
    ctx_.counts.lost_leases += n;
    ctx_.report(log_level::warning,
                "this node did not renew its lease in time: other nodes took "
                "over "
                  + std::to_string(n) + " of its events of stream "
                  + ctx_.streams[stream].name);
  }
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

void sink_lease_guard::on_not_verified(uint32_t stream, const failure& why) {
  if (const auto i = doubts_.find(stream); i != doubts_.end())
    i->second = {false, ctx_.now() + verify_pause};
  ctx_.note_refusal(why);
  ctx_.note_command_failed(why);
}

// An event may have been read while the reply was under way; then the sink
// knows it at the next check. So only events that were unknown twice count.
void sink_lease_guard::note_unknown(uint32_t stream,
                                    const std::vector<event_id>& ours) {
  auto& earlier = unknown_pending_[stream];
  std::set<event_id> unknown;
  size_t again = 0;
  // There may be as many of both.
  const auto decided = outcomes_.unconfirmed(stream);
  for (auto id : ours)
    if (!ctx_.ledger.holds(stream, id)
        && !std::binary_search(decided.begin(), decided.end(), id)) {
      unknown.insert(id);
      again += earlier.count(id);
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
  earlier = std::move(unknown);
}

} // namespace pulse::internal
