#include "pulse/actors/internal/sink/closing.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/action_sender.hpp"
#include "pulse/actors/internal/sink/claim_anew.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

// How long an interrupted read may take to return before its connection is
// given up. Normally the read returns within a millisecond.
constexpr milliseconds interrupt_time{500};

// So many streams are given back at a time: few at first, then as many as Redis
// manages in a short time. So a slow Redis has done all that it was asked for
// when the time is over.
constexpr size_t first_part = 100;
constexpr size_t largest_part = 500;
constexpr size_t smallest_part = 10;
constexpr milliseconds short_time{50};
constexpr milliseconds long_time{200};

// The part of the drain time that is reserved for giving events back.
milliseconds release_time(const sink_options& x) {
  return std::clamp(x.drain_timeout / 4, milliseconds{100},
                    milliseconds{1'000});
}

} // namespace

sink_closing::sink_closing(sink_context& ctx, sink_reader& reader,
                           sink_outcome_writer& outcomes)
  : ctx_(ctx), reader_(reader), outcomes_(outcomes), part_size_(first_part) {
  // nop
}

sink_closing::~sink_closing() {
  for (auto& x : ctx_.streams)
    if (x.lease)
      tell(ctx_.leases, caf::delete_atom_v, std::move(x.lease));
  for (auto& x : answers_)
    x.deliver(caf::unit);
}

void sink_closing::begin(caf::response_promise answer) {
  answers_.push_back(std::move(answer));
  if (std::exchange(ctx_.closing, true))
    return;
  const auto now = ctx_.now();
  drain_until_ = now + ctx_.options.drain_timeout - release_time(ctx_.options);
  read_until_ = now + interrupt_time;
  reader_.interrupt();
}

void sink_closing::step() {
  if (!ctx_.closing || releasing_)
    return;
  const auto now = ctx_.now();
  if (reader_.reading()) {
    if (now < read_until_)
      return;
    reader_.disconnect();
  }
  const bool busy = ctx_.ledger.dispatched() > 0 || outcomes_.backlog() > 0;
  if (busy && now < drain_until_)
    return;
  if (busy)
    ctx_.report(log_level::warning,
                "drain_timeout is over: the sink closes although subscribers "
                "still work on "
                  + std::to_string(ctx_.ledger.dispatched()) + " events and "
                  + std::to_string(outcomes_.backlog())
                  + " acks are not confirmed; other nodes get these events "
                    "again");
  releasing_ = true;
  release_all();
}

void sink_closing::step_leaving() {
  std::vector<uint32_t> streams;
  for (const auto& x : leaving_)
    streams.push_back(x.first);
  for (auto stream : streams)
    go_on_leaving(stream);
}

void sink_closing::leave(uint32_t stream) {
  leaving_.emplace(stream, departure{reader_.reads(), false});
  go_on_leaving(stream);
}

void sink_closing::go_on_leaving(uint32_t stream) {
  auto& departure = leaving_[stream];
  if (departure.ends_lease)
    return;
  auto idle = ctx_.ledger.release_idle(stream);
  if (!idle.empty())
    release(stream, "listed", idle, ctx_.streams[stream].lease);
  if (reader_.reading() && reader_.reads() == departure.last_read)
    return; // the read may still bring events of the stream
  if (ctx_.streams[stream].at != sink_stream::phase::leaving) {
    leaving_.erase(stream); // the stream was added again meanwhile
    return;
  }
  if (ctx_.ledger.lowest(stream))
    return; // a subscriber still works on an event of it
  departure.ends_lease = true;
  end_lease(stream, release_time(ctx_.options), [this, stream] {
    leaving_.erase(stream);
    auto& x = ctx_.streams[stream];
    if (x.at != sink_stream::phase::leaving)
      return; // the stream was added again meanwhile
    release(stream, "all", {});
    ctx_.streams.move_to(stream, sink_stream::phase::removed);
  });
}

// Streams of which the sink holds events come first: if the time is over, other
// nodes get the events of the others when the lease is over, and delete their
// consumers.
void sink_closing::release_all() {
  release_until_ = std::max(ctx_.now(), drain_until_)
                   + release_time(ctx_.options);
  const auto held = ctx_.ledger.streams();
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i) {
    const auto& x = ctx_.streams[i];
    if (!x.was_open || x.at == sink_stream::phase::removed)
      continue;
    if (x.lease || held.count(i) > 0)
      to_release_.push_front(i);
    else
      to_release_.push_back(i);
  }
  go_on_releasing();
}

void sink_closing::go_on_releasing() {
  if (steps_under_way_ > 0)
    return;
  if (!ending_.empty())
    return release_ended();
  part_done();
  if (ctx_.now() + shortest_time() >= release_until_)
    give_up_rest();
  if (to_release_.empty())
    return finish();
  end_some_leases();
}

void sink_closing::part_done() {
  if (!part_begun_)
    return;
  const auto took = ctx_.now() - *std::exchange(part_begun_, std::nullopt);
  if (took < short_time)
    part_size_ = std::min(2 * part_size_, largest_part);
  else if (took > long_time)
    part_size_ = std::max(part_size_ / 2, smallest_part);
}

void sink_closing::give_up_rest() {
  const auto held = ctx_.ledger.streams();
  for (auto i : std::exchange(to_release_, {}))
    note_left_behind(i, held.count(i) > 0 || ctx_.streams.must_recover(i),
                     "drain_timeout is over");
}

void sink_closing::end_some_leases() {
  const auto n
    = static_cast<std::ptrdiff_t>(std::min(to_release_.size(), part_size_));
  const std::vector<uint32_t> part(to_release_.begin(),
                                   to_release_.begin() + n);
  to_release_.erase(to_release_.begin(), to_release_.begin() + n);
  part_begun_ = ctx_.now();
  for (auto i : part)
    ending_.emplace(i, ctx_.streams[i].lease);
  ++steps_under_way_;
  for (auto i : part)
    end_lease(i, time_left() / 2, [] {});
  step_done();
}

// Until now workers could finish events. So all acks that were sent come before
// the release: what it then finds pending for nobody was not acknowledged.
void sink_closing::release_ended() {
  const auto part = std::exchange(ending_, {});
  std::set<uint32_t> streams;
  for (const auto& x : part)
    streams.insert(x.first);
  std::map<uint32_t, std::vector<released_entry>> entries;
  for_each_stream(ctx_.ledger.release_all(streams),
                  [&](uint32_t stream, std::vector<released_entry> xs) {
                    entries.emplace(stream, std::move(xs));
                  });
  for (const auto& [stream, kept] : part)
    release(stream, "all", entries[stream], kept);
}

// Also the last part gets some time.
milliseconds sink_closing::shortest_time() const {
  return release_time(ctx_.options) / 4;
}

milliseconds sink_closing::time_left() const {
  return std::clamp(std::chrono::ceil<milliseconds>(release_until_
                                                    - ctx_.now()),
                    shortest_time(), release_time(ctx_.options));
}

void sink_closing::release(uint32_t stream, const char* scope,
                           const std::vector<released_entry>& entries,
                           const lease_ptr& kept) {
  const auto& x = ctx_.streams[stream];
  // See claim_anew why the command is not repeatable then.
  const bool may_vanish
    = kept && std::any_of(entries.begin(), entries.end(), [](const auto& e) {
        return e.only_here;
      });
  const auto delayed = resp::delayed_key(x.name, ctx_.options.name);
  const auto position = resp::position_key(x.name, ctx_.options.name);
  script_call call{resp::release_script(), {x.key, delayed, position}};
  call.arg(ctx_.options.name).arg(ctx_.consumer);
  call.arg(static_cast<int64_t>(ctx_.options.lease.count())).arg(scope);
  for (const auto& e : entries)
    call.arg(e.id).arg(pack(e.counts)).arg(ctx_.rest_of_pause(e.due));
  const auto limit = ctx_.closing ? time_left() : release_time(ctx_.options);
  ++steps_under_way_;
  ctx_.run(
    may_vanish ? call.finish_with_script(limit) : call.finish(true, limit),
    [=](const reply_ptr& reply) {
      on_released(stream, scope, entries, may_vanish ? kept : nullptr, *reply);
      step_done();
    },
    [=, has_events = !entries.empty() || ctx_.streams.must_recover(stream)](
      const caf::error& err) {
      if (may_vanish && to_failure(err).code == errc::connection_lost) {
        release(stream, scope, entries);
        return step_done();
      }
      note_left_behind(stream, has_events, describe(err));
      ctx_.streams.recover(stream);
      step_done();
    });
  if (ctx_.shares_keys() && std::string_view{scope} == "all")
    end_membership(stream);
}

// If somebody deleted the consumer of this sink while it had its lease, its
// events become pending for it again, and then they are given back.
void sink_closing::on_released(uint32_t stream, const char* scope,
                               const std::vector<released_entry>& entries,
                               const lease_ptr& kept,
                               const resp::reply& reply) {
  resp::cursor at{reply};
  if (kept)
    at.skip(); // SCRIPT LOAD
  uint32_t size = 0;
  if (!at.read_array(size) || size != 5)
    return;
  at.skip();
  at.skip();
  const auto nobodys = resp::read_ids(at, "release");
  const auto trimmed = resp::read_ids(at, "release");
  const auto restored = resp::read_number(at, "release");
  if (!nobodys || !trimmed || !restored)
    return;
  ctx_.report_trimmed(stream, *trimmed);
  ctx_.report_restored(stream, *restored);
  if (!kept || !ctx_.kept_in_time(stream, kept))
    return;
  std::vector<delivery_ledger::held_event> vanished;
  for (const auto& e : entries)
    if (e.only_here
        && std::find(nobodys->begin(), nobodys->end(), e.id) != nobodys->end())
      vanished.push_back({e.id, e.counts, false, true});
  if (vanished.empty())
    return;
  ++steps_under_way_;
  claim_anew(ctx_, stream, std::move(vanished), [=](const auto&) {
    release(stream, scope, entries);
    step_done();
  });
}

// If this fails, the other members find out that the consumer is gone.
void sink_closing::end_membership(uint32_t stream) {
  const auto& x = ctx_.streams[stream];
  const auto& sink = ctx_.options.name;
  script_call call{resp::leave_script(),
                   {x.key, resp::members_key(x.name, sink),
                    resp::wake_key(x.name, sink)}};
  call.arg(sink).arg(ctx_.consumer);
  ++steps_under_way_;
  ctx_.run(
    call.finish(true, ctx_.closing ? time_left() : release_time(ctx_.options)),
    [this, stream](const reply_ptr& reply) {
      resp::cursor at{*reply};
      uint32_t size = 0;
      if (at.read_array(size) && size == 2) {
        at.skip();
        if (const auto gone = resp::read_ids(at, "leave"))
          ctx_.report_trimmed(stream, *gone);
      }
      step_done();
    },
    [this](const caf::error&) { step_done(); });
}

void sink_closing::end_lease(uint32_t stream, milliseconds limit,
                             std::function<void()> then) {
  auto lease = std::exchange(ctx_.streams[stream].lease, nullptr);
  if (!lease)
    return then();
  ++steps_under_way_;
  auto ended = [this, then = std::move(then)] {
    then();
    step_done();
  };
  // A renewal that is under way has more time than that.
  ctx_.requests.ask_within(
    ctx_.leases, limit, ended, [ended](const caf::error&) { ended(); },
    caf::delete_atom_v, std::move(lease));
}

void sink_closing::note_left_behind(uint32_t stream, bool has_events,
                                    const std::string& why) {
  auto& x = has_events ? events_left_ : consumers_left_;
  ++x.streams;
  x.stream = ctx_.streams[stream].name;
  x.why = why;
  if (!ctx_.closing) {
    report_left_behind();
    x = {};
  }
}

// There may be very many streams, and mostly all of them have the same problem.
void sink_closing::report_left_behind() const {
  auto names = [](const left_behind& x) {
    return x.streams == 1 ? "stream " + x.stream
                          : std::to_string(x.streams) + " streams (" + x.stream
                              + " is one of them)";
  };
  if (events_left_.streams > 0)
    ctx_.report(log_level::warning,
                "could not give back the events of " + names(events_left_)
                  + ": " + events_left_.why
                  + "; other nodes get them when the lease is over");
  if (consumers_left_.streams > 0)
    ctx_.report(log_level::info,
                "could not delete the consumer of this node on "
                  + names(consumers_left_) + ": " + consumers_left_.why
                  + "; other nodes delete it, nothing is lost");
}

void sink_closing::step_done() {
  --steps_under_way_;
  if (releasing_ && !finished_)
    go_on_releasing();
}

void sink_closing::finish() {
  finished_ = true;
  report_left_behind();
  reader_.disconnect();
  for (auto& x : std::exchange(answers_, {}))
    x.deliver(caf::unit);
  ctx_.self->quit();
}

} // namespace pulse::internal
