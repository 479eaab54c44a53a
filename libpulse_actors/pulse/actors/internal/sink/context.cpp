#include "pulse/actors/internal/sink/context.hpp"

#include "pulse/actors/internal/runtime/gap_notice.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

delivery_ledger::settings ledger_settings(const sink_options& x) {
  delivery_ledger::settings result;
  result.dispatch = x.dispatch;
  result.ack_wait = x.ack_wait;
  result.backoff = x.backoff;
  result.max_deliveries = x.max_deliveries;
  result.max_crashes = x.max_crashes;
  result.overdue_keeps_credit = x.ack != ack_mode::manual;
  result.redeliver = x.ack != ack_mode::none;
  return result;
}

} // namespace

sink_context::sink_context(sink_self::pointer self, sink_options x,
                           connection_source redis, lease_actor leases,
                           notice_board::report listens, const environment& env,
                           std::function<void()> advance)
  : self(self),
    requests(self, std::move(advance)),
    options(std::move(x)),
    redis(std::move(redis)),
    leases(std::move(leases)),
    notices(std::move(listens)),
    env(env),
    consumer(env.new_consumer_name()),
    log_name("pulse.sink " + options.name),
    // The options are valid, so the pattern compiles.
    filter(std::move(event_filter::compile(options.filter).value())),
    ledger(ledger_settings(options), env.new_engine()),
    last_heard(now()) {
  counts.name = options.name;
  counts.consumer = consumer;
}

void sink_context::heard() {
  // A busy machine is no outage, however short the lease.
  const auto long_silence = std::max(options.lease / 2, milliseconds{2'000});
  const auto at = now();
  if (at - last_heard > long_silence)
    no_sweep_before = at + options.lease;
  last_heard = at;
}

void sink_context::missing(const std::string& stream, event_id after,
                           event_id first_available, uint64_t lost,
                           bool exact) {
  ++counts.gaps;
  counts.lost += lost;
  auto news = begin_gap(stream, after, first_available, lost, exact);
  news.text += "the sink had them, behind " + to_string(after) + " and before "
               + to_string(first_available);
  publish(std::move(news));
}

} // namespace pulse::internal
