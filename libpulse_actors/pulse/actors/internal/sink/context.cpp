#include "pulse/actors/internal/sink/context.hpp"

#include "pulse/actors/internal/runtime/gap_notice.hpp"

#include <algorithm>
#include <utility>

namespace pulse::internal {

namespace {

delivery_ledger::settings ledger_settings(const sink_options& x) {
  delivery_ledger::settings result;
  result.dispatch = x.dispatch;
  result.ack_wait = x.ack_wait;
  result.backoff = x.backoff;
  result.max_deliveries = x.max_deliveries;
  result.max_crashes = x.max_crashes;
  result.redeliver = x.ack != ack_mode::none;
  return result;
}

// Other members see from the name when the events of the consumer are stale, so
// that members may have different leases (see lua/prelude/leases.lua).
std::string with_lease(const std::string& consumer, milliseconds lease) {
  return consumer + "." + std::to_string(lease.count()) + "ms";
}

// From how many waiting events on a sink reports them.
constexpr uint64_t many_failures = 1'000;

} // namespace

sink_context::sink_context(sink_self::pointer self, sink_options x,
                           sink_peers peers, const environment& env,
                           std::function<void()> advance)
  : self(self),
    turn(self),
    requests(self, std::move(advance)),
    deaths(self),
    options(std::move(x)),
    redis(std::move(peers.redis)),
    leases(std::move(peers.leases)),
    notices(std::move(peers.listens)),
    env(env),
    consumer(with_lease(env.new_consumer_name(), options.lease)),
    log_name("pulse.sink " + options.name),
    // The options are valid, so the pattern compiles.
    filter(std::move(event_filter::compile(options.filter).value())),
    ledger(ledger_settings(options), env.new_engine()),
    last_contact(now()) {
  counts.name = options.name;
  counts.consumer = consumer;
  if (acks())
    counts.ack_wait = options.ack_wait;
}

void sink_context::keep_lease(uint32_t stream, std::chrono::nanoseconds sent) {
  auto& x = streams[stream];
  if (!acks() || x.lease)
    return;
  auto fresh = std::make_shared<lease>();
  fresh->stream = x.name;
  fresh->sink = options.name;
  fresh->consumer = consumer;
  fresh->length = options.lease;
  fresh->clock = std::make_shared<lease_clock>();
  fresh->clock->renewed(sent);
  x.known_lapses = 0;
  x.lease = std::move(fresh);
  leased.insert(stream);
  tell(leases, caf::add_atom_v, x.lease);
}

sink_context::fetch sink_context::begin_fetch(std::vector<uint32_t> from,
                                              milliseconds block) {
  late_replies::command x;
  x.streams = std::move(from);
  x.sent = env.boot_time();
  // A lease can be renewed in time if that begins well before half of it.
  x.late_at = now() + block + options.lease / 16;
  fetch result{0, x.progress, x.sent};
  result.number = late.add(std::move(x));
  return result;
}

void sink_context::keep_late_leases() {
  late.for_each_arriving(now(), [this](const late_replies::command& x) {
    for (auto stream : x.streams)
      keep_lease(stream, x.sent);
  });
}

bool sink_context::is_stale(uint32_t stream,
                            std::chrono::nanoseconds sent) const {
  if (!acks())
    return false;
  const auto& x = streams[stream];
  // A renewal also concerns the events that the sink does not know yet.
  if (x.lease && !x.lease->clock->is_stale() && x.doubted_at < sent)
    sent = std::max(sent, x.lease->clock->renewed_at());
  return env.boot_time() - sent > options.lease / 2;
}

void sink_context::note_contact() {
  // A busy machine may be silent for a second. That is no outage, even if the
  // lease is very short.
  const auto long_silence = std::max(options.lease / 2, milliseconds{2'000});
  const auto at = now();
  if (at - last_contact > long_silence)
    no_claims_before = at + options.lease;
  last_contact = at;
}

void sink_context::note_command_failed(const failure& why) {
  if (is_transient(why.code)) {
    outage = true;
    ++disturbances;
  }
  if (!closing && !std::exchange(failing_commands, true))
    report(log_level::warning,
           "cannot look for pending events of this and of other nodes: "
             + to_string(why) + "; trying again");
}

void sink_context::note_command_worked() {
  failing_commands = false;
  note_contact();
  if (std::exchange(outage, false))
    no_claims_before = now() + options.lease;
}

int64_t
sink_context::rest_of_pause(const std::optional<time_point>& due) const {
  if (!due || *due <= now())
    return -1;
  return std::chrono::ceil<milliseconds>(*due - now()).count();
}

std::optional<sink_context::time_point>
sink_context::end_of_pause(const resp::pauses_by_id& pauses,
                           event_id id) const {
  const auto pause = pauses.find(id);
  if (pause == pauses.end() || pause->second <= milliseconds{0})
    return std::nullopt;
  return now() + pause->second;
}

void sink_context::note_delayed(uint32_t stream, int64_t waiting,
                                int64_t due_in) {
  if (shares_keys()) // its events wait in the process
    return;
  auto& x = streams[stream];
  x.delayed = static_cast<uint64_t>(waiting);
  streams.set_next_due(stream, due_in < 0
                                 ? std::nullopt
                                 : std::optional{now() + milliseconds{due_in}});
  report_failures(stream);
}

void sink_context::report_failures(uint32_t stream) {
  auto& x = streams[stream];
  const auto waiting = x.delayed + x.parked;
  if (waiting < many_failures / 2)
    x.reported_delays = false;
  if (waiting < many_failures || std::exchange(x.reported_delays, true))
    return;
  notice news;
  news.kind = notice_kind::many_failures;
  news.stream = x.name;
  news.text = std::to_string(waiting) + " events of stream " + x.name
              + (shares_keys()
                   ? " failed or wait behind failed events of the same topic"
                   : " failed and wait for their next attempt")
              + ", because handlers return errors or do not end within "
                "ack_wait, or because Redis refuses their acks or dead "
                "letters (see the log); events that go on failing become dead "
                "letters with the reason";
  publish(std::move(news));
}

void sink_context::report_gap(const std::string& stream, event_id after,
                              event_id first_available, uint64_t lost,
                              bool exact) {
  ++counts.gaps;
  counts.lost += lost;
  auto news = begin_gap(stream, after, first_available, lost, exact);
  news.text += "the sink had handled them, after " + to_string(after)
               + " and before " + to_string(first_available);
  publish(std::move(news));
}

void sink_context::report_trimmed(uint32_t stream,
                                  const std::vector<event_id>& gone) {
  if (gone.empty())
    return;
  counts.trimmed += gone.size();
  const auto [first, last] = std::minmax_element(gone.begin(), gone.end());
  report_gap(streams[stream].name, first->previous(), last->next(), gone.size(),
             true);
}

void sink_context::report_deleted_consumer(uint32_t stream, size_t kept) {
  auto& x = streams[stream];
  const auto before = std::exchange(x.consumer_deleted_at, now());
  const auto claimed = "the sink claimed " + std::to_string(kept)
                       + " events anew that it holds, so none of them is lost";
  if (before && now() - *before < options.lease / 3)
    return report(log_level::warning, claimed);
  ++counts.consumers_deleted;
  notice news;
  news.kind = notice_kind::consumer_deleted;
  news.stream = x.name;
  news.after = x.last_read;
  news.text = "somebody deleted consumer " + consumer + " of sink "
              + options.name + " on stream " + x.name
              + " (XGROUP DELCONSUMER; a sink of goadesign/pulse with the same "
                "name does that), or its group, or acknowledged its events by "
                "hand; "
              + claimed
              + "; if this node had died before, they would be lost: find out "
                "who does it, and give the other program a sink name of its "
                "own";
  publish(std::move(news));
}

void sink_context::report_restored(uint32_t stream, int64_t restored) {
  if (restored <= 0)
    return;
  ++counts.consumers_deleted;
  notice news;
  news.kind = notice_kind::consumer_deleted;
  news.stream = streams[stream].name;
  news.after = streams[stream].last_read;
  news.text = "somebody deleted consumer delayed of sink " + options.name
              + " on stream " + news.stream
              + " (XGROUP DELCONSUMER; a sink of goadesign/pulse with the same "
                "name does that), or its group; the sink claimed "
              + std::to_string(restored)
              + " events anew that wait there for their next attempt, so none "
                "of them is lost, but each counts one failure only: find out "
                "who does it, and give the other program a sink name of its "
                "own";
  publish(std::move(news));
}

} // namespace pulse::internal
