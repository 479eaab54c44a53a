#include "pulse/actors/internal/sink/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/caf/scheduler_watch.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/internal/runtime/subscribing.hpp"
#include "pulse/actors/internal/runtime/tick_timer.hpp"
#include "pulse/actors/internal/sink/audit.hpp"
#include "pulse/actors/internal/sink/claimer.hpp"
#include "pulse/actors/internal/sink/closing.hpp"
#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/groups.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/actors/internal/sink/lease_guard.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/actors/internal/sink/own_pending.hpp"
#include "pulse/actors/internal/sink/parked_events.hpp"
#include "pulse/actors/internal/sink/predecessor.hpp"
#include "pulse/actors/internal/sink/read_attempts.hpp"
#include "pulse/actors/internal/sink/reader.hpp"
#include "pulse/actors/internal/sink/shared_keys.hpp"
#include "pulse/actors/internal/sink/workers.hpp"
#include "pulse/core/delivery/stall_watch.hpp"
#include "pulse/core/names.hpp"

#include <set>

namespace pulse {

namespace {

using internal::sink_context;
using internal::sink_self;
using internal::sink_stream;

// How often a sink looks at its time-outs: often while it holds events, closes
// or waits for an interrupted read.
constexpr milliseconds busy_tick{20};
constexpr milliseconds idle_tick{500};

struct sink_state {
  using self_type = sink_self;

  struct waiting_subscriber {
    event_listener who;
    subscription how;
    caf::response_promise answer;
  };

  static inline const char* name = "pulse.sink";

  sink_state(self_type::pointer self, sink_options options,
             connection_source redis, lease_actor leases,
             supervision supervisor, const internal::environment& env,
             bool is_hosted)
    : ctx(self, std::move(options),
          {std::move(redis), std::move(leases), supervisor.listens}, env,
          [this] { advance(); }),
      supervisor(std::move(supervisor)),
      outcomes(ctx),
      groups(ctx),
      audit(ctx),
      workers(ctx),
      intake(ctx, outcomes),
      attempts(ctx),
      reader(ctx, intake, attempts),
      own_pending(ctx, intake, outcomes, attempts),
      claimer(ctx, intake, outcomes),
      lease_guard(ctx, outcomes),
      shared_keys(ctx, intake, outcomes, reader),
      parked_events(ctx, intake, outcomes),
      predecessor(ctx, [this] { look_for_events(); }),
      closing(ctx, reader, outcomes),
      timer(self) {
    if (is_hosted)
      threads.emplace(self->system());
  }

  sink_state(const sink_state&) = delete;
  sink_state& operator=(const sink_state&) = delete;

  ~sink_state() {
    const failure why{errc::closed, "sink " + ctx.options.name + " was closed"};
    for (auto& x : waiting)
      x.answer.deliver(make_error(why));
    if (supervisor.streams && !ctx.closing)
      note_streams(*supervisor.streams);
  }

  self_type::behavior_type make_behavior() {
    ctx.deaths.begin([this](const caf::down_msg& x) { on_down(x); });
    internal::ignore_unexpected(ctx.self);
    begin_streams();
    arm();
    ctx.turn.end_turn();
    return internal::replies_to_requests<self_type::behavior_type>(
      ctx.self, ctx.log_name,
      [this](caf::subscribe_atom, const event_listener& who, subscription how) {
        return on_subscribe(who, how);
      },
      [this](caf::subscribe_atom, const batch_listener& who, subscription how) {
        return on_subscribe(caf::actor_cast<event_listener>(who),
                            internal::for_batches(how));
      },
      [this](caf::unsubscribe_atom, const event_listener& who) {
        return on_unsubscribe(who);
      },
      [this](caf::unsubscribe_atom, const batch_listener& who) {
        return on_unsubscribe(caf::actor_cast<event_listener>(who));
      },
      [this](atom::ack, const delivery_id& x) { return on_ack(x); },
      [this](atom::ack, const std::vector<delivery_id>& xs) {
        return on_ack_many(xs);
      },
      [this](atom::nack, const delivery_id& x, caf::timespan delay) {
        return on_nack(x, delay);
      },
      [this](atom::extend, const delivery_id& x) { return on_extend({x}); },
      [this](atom::extend, const std::vector<delivery_id>& xs) {
        return on_extend(xs);
      },
      [this](atom::term, const delivery_id& x, const std::string& reason) {
        return on_term(x, reason);
      },
      [this](atom::add_stream, const std::string& x, start_position start) {
        return on_add_stream(x, start);
      },
      [this](atom::rem_stream, const std::string& x) {
        return on_remove_stream(x);
      },
      [this](caf::subscribe_atom, const notice_listener& who) {
        return on_listen(who);
      },
      [this](caf::unsubscribe_atom, const notice_listener& who) {
        return ctx.notices.remove(who);
      },
      [this](atom::info) { return on_info(); },
      [this](caf::close_atom) { return on_close(); },
      [this](caf::tick_atom) { on_tick(); },
      [this](caf::update_atom) { on_answers(); });
  }

  // -- subscribers ------------------------------------------------------------

  caf::result<void> on_subscribe(const event_listener& who, subscription how) {
    if (auto why = refusal(who))
      return make_error(*why);
    if (auto ok = internal::check(how); !ok)
      return make_error(ok.error());
    auto answer = internal::new_promise(ctx.self);
    waiting.push_back({who, how, answer});
    advance();
    return answer;
  }

  // Subscribers wait until all groups exist, or until one cannot be created.
  void admit_waiting() {
    if (waiting.empty())
      return;
    const auto open = groups.all_open();
    if (!open)
      return;
    for (auto& x : std::exchange(waiting, {})) {
      if (!*open) {
        x.answer.deliver(make_error(open->error()));
        continue;
      }
      workers.add(x.who, x.how);
      if (supervisor.subscribed)
        supervisor.subscribed(x.who, x.how);
      x.answer.deliver(caf::unit);
    }
  }

  std::optional<failure> refusal(const event_listener& who) const {
    if (ctx.closing)
      return closed();
    if (!internal::is_alive(who))
      return failure{errc::no_such_subscriber,
                     "sink " + ctx.options.name
                       + ": the subscriber is not alive; subscribe a live "
                         "actor"};
    return std::nullopt;
  }

  [[nodiscard]] failure closed() const {
    return {errc::closed, "sink " + ctx.options.name + " is closing"};
  }

  bool on_unsubscribe(const event_listener& who) {
    if (!who)
      return false;
    if (supervisor.subscribed)
      supervisor.subscribed(who, std::nullopt);
    const bool result = workers.remove(who);
    advance();
    return result;
  }

  void on_answers() {
    workers.take_answers();
    advance();
  }

  void on_down(const caf::down_msg& x) {
    workers.on_down(x);
    advance();
  }

  // -- notices ----------------------------------------------------------------

  caf::result<void> on_listen(const notice_listener& who) {
    if (ctx.closing)
      return make_error(closed());
    if (ctx.notices.add(who))
      return caf::unit;
    return make_error(
      {errc::no_such_subscriber, "the listener for notices of " + ctx.log_name
                                   + " is not alive; subscribe a live actor"});
  }

  // -- manual outcomes --------------------------------------------------------

  using found = delivery_ledger::found;

  // Returns the event of a delivery, or why there is no such event.
  outcome<found> find(const delivery_id& x) const {
    if (auto i = ctx.streams.find(x.stream))
      if (auto held = ctx.ledger.find(*i, x.id))
        return *held;
    return failure{errc::no_such_delivery,
                   "sink " + ctx.options.name + " does not hold event "
                     + to_string(x.id) + " of stream " + x.stream
                     + ": the event was acknowledged, became a dead letter, or "
                       "went to another node; nothing is left to do"};
  }

  static bool is_current(const delivery_id& x, const found& held) {
    return !held.late && (x.attempt == 0 || x.attempt == held.attempt);
  }

  // Returns the event if this delivery has not ended.
  outcome<found> find_current(const delivery_id& x) const {
    auto held = find(x);
    if (!held || is_current(x, *held))
      return held;
    return failure{errc::no_such_delivery,
                   "sink " + ctx.options.name + ": delivery "
                     + std::to_string(x.attempt) + " of event "
                     + to_string(x.id) + " of stream " + x.stream
                     + " has ended: it was answered before, or ack_wait was "
                       "over, and the event is delivered again; answer or "
                       "extend each delivery in time, and once"};
  }

  caf::result<void> on_ack(const delivery_id& x) {
    if (auto ok = mark_done(x); !ok)
      return make_error(ok.error());
    auto answer = internal::new_promise(ctx.self);
    if (answer.pending())
      outcomes.answer_after_acks({*ctx.streams.find(x.stream)}, answer);
    advance();
    return answer;
  }

  caf::result<void> on_ack_many(const std::vector<delivery_id>& xs) {
    auto answer = internal::new_promise(ctx.self);
    std::set<uint32_t> streams; // if the sender waits for the answer
    const auto done = for_all(xs, "acknowledged",
                              [&](const delivery_id& x) -> status {
                                auto ok = mark_done(x);
                                if (ok && answer.pending())
                                  streams.insert(*ctx.streams.find(x.stream));
                                return ok;
                              });
    if (!done)
      answer.deliver(make_error(done.error()));
    else if (answer.pending())
      outcomes.answer_after_acks({streams.begin(), streams.end()}, answer);
    advance();
    return answer;
  }

  // Calls `fn` for each delivery.
  // @param done What fn does with a delivery, for the error.
  template <class F>
  static status
  for_all(const std::vector<delivery_id>& xs, const char* done, F fn) {
    size_t failed = 0;
    failure why;
    for (const auto& x : xs)
      if (status ok = fn(x); !ok && failed++ == 0)
        why = ok.error();
    if (failed > 0 && xs.size() > 1)
      why.what = std::to_string(failed) + " of " + std::to_string(xs.size())
                 + " events cannot be " + done
                 + ", the others can; the first: " + why.what;
    return why;
  }

  // The event is done, whoever has it now.
  status mark_done(const delivery_id& x) {
    const auto held = find(x);
    if (!held)
      return held.error();
    const bool is_answer = held->late || is_current(x, *held);
    ctx.ledger.done(held->entry, is_answer ? held->holder : 0, ctx.now());
    return {};
  }

  caf::result<void> on_nack(const delivery_id& x, caf::timespan delay) {
    auto held = find_current(x);
    if (!held)
      return make_error(held.error());
    std::optional<milliseconds> pause;
    if (delay.count() > 0)
      pause = std::chrono::duration_cast<milliseconds>(delay);
    ctx.ledger.failed(held->entry, held->holder, "nack", pause, ctx.now());
    advance();
    return caf::unit;
  }

  caf::result<void> on_extend(const std::vector<delivery_id>& xs) {
    const auto done = for_all(xs, "extended", [this](const delivery_id& x) {
      return extend(x);
    });
    advance();
    if (!done)
      return make_error(done.error());
    return caf::unit;
  }

  status extend(const delivery_id& x) {
    auto held = find_current(x);
    if (!held)
      return held.error();
    if (ctx.ledger.extend(held->entry, held->holder, ctx.now()))
      return {};
    return failure{errc::no_such_delivery,
                   "sink " + ctx.options.name + ": event " + to_string(x.id)
                     + " of stream " + x.stream
                     + " was taken back from its worker and waits for its "
                       "next delivery; extend it before ack_wait is over"};
  }

  caf::result<void> on_term(const delivery_id& x, const std::string& reason) {
    auto held = find_current(x);
    if (!held)
      return make_error(held.error());
    ctx.ledger.rejected(held->entry, held->holder, reason, ctx.now());
    advance();
    return caf::unit;
  }

  // -- streams ----------------------------------------------------------------

  caf::result<void> on_add_stream(const std::string& x, start_position start) {
    if (ctx.closing)
      return make_error(closed());
    if (auto ok = check_name("stream name", x); !ok)
      return make_error(ok.error());
    auto answer = internal::new_promise(ctx.self);
    groups.add(x, start, answer);
    advance();
    return answer;
  }

  bool on_remove_stream(const std::string& x) {
    const auto i = ctx.streams.find(x);
    const bool was_open = i && ctx.streams[*i].is_open();
    if (!was_open && (!i || ctx.streams[*i].at != sink_stream::phase::opening))
      return false;
    groups.drop(*i);
    if (was_open) {
      ctx.streams.move_to(*i, sink_stream::phase::leaving);
      closing.leave(*i);
      reader.interrupt();
    }
    advance();
    return true;
  }

  void begin_streams() {
    auto known = supervisor.streams ? supervisor.streams->take() : std::nullopt;
    if (known) {
      predecessor.is(known->consumer);
      for (const auto& [x, start] : known->starts)
        groups.add_initial(x, start);
    } else
      for (const auto& x : ctx.options.streams)
        groups.add_initial(x, ctx.options.start);
  }

  void note_streams(internal::stream_memory& memory) const {
    internal::stream_memory::content result;
    result.consumer = ctx.consumer;
    for (const auto& x : ctx.streams)
      if (x.at == sink_stream::phase::opening || x.is_open())
        result.starts.emplace(x.name, x.start);
    memory.put(std::move(result));
  }

  [[nodiscard]] std::set<std::string> streams() const {
    std::set<std::string> result;
    for (const auto& x : ctx.streams)
      if (x.at == sink_stream::phase::opening || x.is_open())
        result.insert(x.name);
    return result;
  }

  // -- life -------------------------------------------------------------------

  sink_info on_info() {
    auto result = ctx.counts;
    const auto names = streams();
    result.streams.assign(names.begin(), names.end());
    result.subscribers = workers.size();
    result.held = ctx.ledger.size();
    result.dispatched = ctx.ledger.dispatched();
    result.waiting = ctx.ledger.parked();
    result.stalled_ms = static_cast<uint64_t>(stalls.total().count());
    const auto& n = ctx.ledger.count();
    result.redelivered += n.redelivered;
    result.nacks = n.nacks;
    result.timeouts = n.timeouts;
    result.crashes = n.crashes;
    for (const auto& x : ctx.streams) {
      result.waiting += x.delayed;
      if (x.lease)
        result.trimmed += x.lease->clock->trimmed;
    }
    return result;
  }

  caf::result<void> on_close() {
    auto answer = internal::new_promise(ctx.self);
    closing.begin(answer);
    advance();
    return answer;
  }

  // Does everything that has become possible. It runs after each message, each
  // reply and each tick. Commands are also sent by on_tick(), if they are due
  // at a time, and when a stream is added or removed.
  void advance() {
    if (!closing.finished())
      act();
    ctx.turn.end_turn();
  }

  void act() {
    advance_groups();
    admit_waiting();
    outcomes.take_actions();
    closing.step_leaving();
    if (!ctx.closing)
      work();
    outcomes.take_actions();
    outcomes.flush();
    fetch();
    closing.step();
    arm();
  }

  void work() {
    const bool can_work = ctx.ledger.capacity() > 0;
    if (!can_work)
      stand_still();
    else if (ctx.ledger.queued() > 0) {
      lease_guard.check_leases();
      workers.dispatch();
    }
    // Events may wait in Redis because no subscriber could work.
    if (!std::exchange(could_work, can_work) && can_work)
      look_for_events();
  }

  // Looks for events that no member has.
  void look_for_events() {
    if (ctx.acks())
      ctx.shares_keys() ? shared_keys.look_now() : claimer.look_now();
  }

  // No subscriber can work, so the events are for other nodes.
  void stand_still() {
    if (reader.reading() && !reader.interrupting())
      reader.interrupt();
    if (ctx.acks() && ctx.ledger.queued() > 0)
      ctx.ledger.release_queued();
  }

  // Events that Redis gave to this sink before come before new events.
  void fetch() {
    intake.update_window();
    parked_events.fetch();
    if (ctx.shares_keys() && !own_pending.reading())
      shared_keys.step();
    if (ctx.closing || ctx.ledger.capacity() == 0 || reader.reading()
        || own_pending.reading() || !attempts.may_read())
      return;
    if (ctx.streams.recovery_due())
      own_pending.read_page();
    else if (const auto n = intake.demand(); n > 0)
      fetch(n);
  }

  void fetch(size_t wanted) {
    if (ctx.shares_keys() && !shared_keys.may_read())
      shared_keys.wait();
    else if (reader.may_read())
      reader.read(wanted, intake.room());
  }

  // A group that was created or found is audited, and after that it is open.
  void advance_groups() {
    if (std::exchange(ctx.check_groups, false))
      groups.check();
    for (auto stream : groups.take_created())
      audit.begin(stream);
    for (auto stream : audit.take_missing())
      lease_guard.look_for_missing(stream);
    for (auto stream : audit.take_finished()) {
      groups.opened(stream);
      if (ctx.acks() && ctx.streams[stream].is_open())
        lease_guard.opened(stream);
      if (ctx.shares_keys())
        shared_keys.opened(stream);
      if (ctx.streams[stream].is_open())
        predecessor.free_events(stream);
      reader.interrupt(); // the read under way does not ask for the stream
    }
  }

  void on_tick() {
    const auto due = timer.on_tick();
    const auto now = ctx.now();
    note_stall(due, now);
    ctx.ledger.tick(now);
    workers.tick(now);
    groups.tick(now);
    audit.tick(now);
    parked_events.tick();
    reader.tick();
    own_pending.tick();
    ctx.keep_late_leases();
    fetch();
    if (ctx.acks() && !ctx.closing) {
      claimer.tick(now);
      lease_guard.tick(now);
      if (ctx.shares_keys())
        shared_keys.tick(now);
    }
    advance();
  }

  void note_stall(internal::sink_context::time_point due,
                  internal::sink_context::time_point now) {
    const auto found = stalls.on_tick(due, now, waited_for_threads());
    if (found.stood_still.count() > 0)
      ctx.ledger.stood_still(found.stood_still, now);
    if (found.late.count() > 0)
      ctx.last_contact = std::min(ctx.last_contact + found.late, now);
    if (const auto longest = stalls.take_report(now))
      ctx.report(log_level::warning,
                 "stood still for " + std::to_string(longest->count())
                   + " ms: the process was stopped, or all threads of CAF's "
                     "scheduler were busy; handlers that block need threads of "
                     "their own (sink::handle() or caf::detached)");
  }

  // How long workers have waited for a thread so far, if that does not make the
  // ticks late, and any worker has work.
  std::optional<milliseconds> waited_for_threads() {
    if (!threads || ctx.ledger.dispatched() == 0)
      return std::nullopt;
    return std::chrono::duration_cast<milliseconds>(threads->waited());
  }

  void arm() {
    const bool busy = ctx.ledger.size() > 0 || outcomes.backlog() > 0
                      || workers.has_pending_failures() || ctx.closing
                      || closing.leaving() || reader.interrupting()
                      || shared_keys.busy() || ctx.late.any_late(ctx.now());
    const auto now = ctx.now();
    auto soonest = std::min(now + (busy ? busy_tick : idle_tick),
                            claimer.next_claim(now));
    if (!busy)
      soonest = together(soonest);
    timer.arm(std::min({soonest, claimer.next_due(now), attempts.next_time(),
                        reader.next_time(), ctx.late.next_late(now)}));
  }

  // Returns a time that is a little later, and the same for many sinks: if they
  // look for events together, their thread wakes up once, and sends one batch.
  [[nodiscard]] sink_context::time_point
  together(sink_context::time_point x) const {
    using clock_duration = sink_context::time_point::duration;
    if (x == sink_context::time_point::max())
      return x;
    const auto step = std::min<clock_duration>(ctx.options.sweep_interval / 10,
                                               milliseconds{100});
    const auto rest = x.time_since_epoch() % step;
    return rest.count() == 0 ? x : x + (step - rest);
  }

  sink_context ctx;
  supervision supervisor;
  internal::sink_outcome_writer outcomes;
  internal::sink_groups groups;
  internal::sink_audit audit;
  internal::sink_workers workers;
  internal::sink_intake intake;
  internal::sink_read_attempts attempts;
  internal::sink_reader reader;
  internal::sink_own_pending own_pending;
  internal::sink_claimer claimer;
  internal::sink_lease_guard lease_guard;
  internal::sink_shared_keys shared_keys;
  internal::sink_parked_events parked_events;
  internal::sink_predecessor predecessor;
  internal::sink_closing closing;
  std::vector<waiting_subscriber> waiting;
  bool could_work = false;
  internal::tick_timer<sink_self::pointer> timer;
  stall_watch stalls;
  // Only if the sink does not run on the scheduler.
  std::optional<internal::scheduler_watch> threads;
};

} // namespace

sink_actor spawn_sink(caf::actor_system& sys, sink_options options,
                      connection_source redis, lease_actor leases,
                      supervision supervisor,
                      const internal::environment& env) {
  const auto host = internal::host_for(options.filter, redis.host);
  return internal::spawn_hosted_state<sink_state>(
    sys, host, std::move(options), std::move(redis), std::move(leases),
    std::move(supervisor), env, host != nullptr);
}

caf::error term(std::string reason) {
  return make_error({errc::rejected, std::move(reason)});
}

} // namespace pulse
