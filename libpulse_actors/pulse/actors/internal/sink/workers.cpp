#include "pulse/actors/internal/sink/workers.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/delivering/batch_ends.hpp"
#include "pulse/actors/internal/runtime/subscribing.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

#include <algorithm>

namespace pulse::internal {

namespace {

// When a worker throws, CAF first sends an error and reports the death of the
// worker a moment later. So after such an error the sink waits this long for
// the report before it treats the error as a failure of a living worker.
constexpr milliseconds crash_grace{25};

} // namespace

void sink_workers::add(const event_listener& who, const subscription& how) {
  const auto addr = caf::actor_cast<caf::actor_addr>(who);
  auto [i, fresh] = ids_.emplace(addr, 0);
  if (fresh) {
    i->second = ++last_id_;
    ctx_.deaths.add(who);
  }
  workers_[i->second] = caf::actor_cast<caf::actor>(who);
  ctx_.ledger.add_worker(i->second, credit_of(how, ctx_.options.credit),
                         how.max_batch);
}

bool sink_workers::remove(const event_listener& who) {
  const auto i = ids_.find(caf::actor_cast<caf::actor_addr>(who));
  if (i == ids_.end() || workers_.erase(i->second) == 0)
    return false;
  ctx_.ledger.remove_worker(i->second);
  return true;
}

void sink_workers::on_down(const caf::down_msg& what) {
  const auto i = ids_.find(what.source);
  if (i == ids_.end())
    return;
  const auto id = i->second;
  take_answers(); // those before its death count
  open_.remove_if([id](const open_request& x) { return x.by == id; });
  ids_.erase(i);
  workers_.erase(id);
  settle_failures_of(id, what.reason);
  if (!is_fault(what.reason))
    return ctx_.ledger.worker_quit(id, ctx_.now());
  const auto reason = describe(what.reason);
  ctx_.counts.last_failure = "a subscriber died: " + reason;
  const auto crashes = ctx_.ledger.count().crashes;
  ctx_.ledger.worker_died(id, reason, ctx_.now());
  if (ctx_.ledger.count().crashes > crashes)
    crash_lines_.add("a subscriber died while it worked on an event, which "
                     "goes to another subscriber; the reason: "
                       + reason,
                     ctx_.now());
}

// The worker went on after its errors, except after the last one if that ended
// it. CAF made the other answers when the worker had ended, and says nothing
// else about these events than on_down() does.
void sink_workers::settle_failures_of(worker_id who, const caf::error& reason) {
  const auto its = std::stable_partition(
    pending_failures_.begin(), pending_failures_.end(),
    [who](const pending_failure& x) { return x.what.by != who; });
  auto end = std::stable_partition(its, pending_failures_.end(),
                                   [](const pending_failure& x) {
                                     return x.is_of_handler;
                                   });
  if (reason == caf::sec::runtime_error && its != end)
    --end;
  for (auto i = its; i != end; ++i)
    fail(i->what, i->reason);
  pending_failures_.erase(its, pending_failures_.end());
}

// -- what is sent -------------------------------------------------------------

void sink_workers::dispatch() {
  out_.clear();
  ctx_.ledger.dispatch_to(out_, ctx_.now());
  for (const auto& x : out_)
    if (x.batch == 0)
      hand_over(x);
  hand_over_batches();
}

void sink_workers::hand_over(const delivery_ledger::dispatch& x) {
  send({x.to, x.what, {}}, x.content);
}

void sink_workers::hand_over_batches() {
  for (auto& x : out_) {
    if (x.batch == 0)
      continue;
    if (x.batch > batches_.size())
      batches_.emplace_back().request.by = x.to;
    auto& batch = batches_[x.batch - 1];
    batch.request.batch.push_back(x.what);
    batch.events.push_back(std::move(x.content));
  }
  for (auto& x : batches_)
    send(std::move(x.request), event_batch{std::move(x.events)});
  batches_.clear();
}

template <class Content>
void sink_workers::send(open_request request, const Content& what) {
  const auto& who = workers_[request.by];
  if (ctx_.options.ack == ack_mode::manual) {
    tell(who, what);
    return;
  }
  inbox_.send(open_.add(std::move(request)), who, what);
}

// -- what is answered ---------------------------------------------------------

void sink_workers::take_answers() {
  answers_.clear();
  inbox_.take(answers_);
  for (const auto& x : answers_)
    if (const auto request = open_.take(x.number))
      on_answer(*request, x);
  inbox_.are_open(open_.size());
}

void sink_workers::on_answer(const open_request& what, const answer& how) {
  if (how.why)
    return on_error(what, how.why);
  if (how.outcome.why() || !how.outcome.failures().empty())
    return on_parts(what, how.outcome);
  for (const auto& x : what)
    ctx_.ledger.done(x, what.by, ctx_.now());
}

// A batch of which some events failed, or all of them, maybe in different ways.
void sink_workers::on_parts(const open_request& what,
                            const batch_outcome& how) {
  const auto ends = ends_of(how, what.size());
  open_request others;
  others.by = what.by;
  for (size_t i = 0; i < what.size(); ++i)
    if (const auto* x = ends.own[i])
      end_badly({what.by, what.begin()[i], {}}, x->why, x->delay);
    else
      others.batch.push_back(what.begin()[i]);
  if (others.batch.empty())
    return;
  if (ends.others)
    return end_badly(others, ends.others);
  for (const auto& x : others)
    ctx_.ledger.done(x, others.by, ctx_.now());
}

void sink_workers::on_error(const open_request& what, const caf::error& err) {
  // A worker that was slow left the events out, which it had lost meanwhile.
  if (err == errc::no_such_delivery
      && std::none_of(what.begin(), what.end(), [this](const ticket& x) {
           return ctx_.ledger.goes_on(x);
         })) {
    for (const auto& x : what)
      ctx_.ledger.failed(x, what.by, {}, {}, ctx_.now());
  } else if (may_be_death(err)) {
    ctx_.counts.last_failure = describe(err);
    pending_failures_.push_back({what, describe(err), ctx_.now() + crash_grace,
                                 err == caf::sec::runtime_error});
  } else {
    end_badly(what, err);
  }
}

void sink_workers::end_badly(const open_request& what, const caf::error& err,
                             milliseconds delay) {
  ctx_.counts.last_failure = describe(err);
  if (err == errc::rejected) {
    for (const auto& x : what)
      ctx_.ledger.rejected(x, what.by, to_failure(err).what, ctx_.now());
    return;
  }
  std::optional<milliseconds> pause;
  if (delay.count() > 0)
    pause = delay;
  fail(what, describe(err), pause);
}

// The ledger puts events without a pause to the front of its queue, so the last
// one comes first.
void sink_workers::fail(const open_request& what, const std::string& why,
                        std::optional<milliseconds> delay) {
  note_failure(what, why);
  const auto whose = what.size() > 1 ? blame::batch : blame::event;
  for (const auto* x = what.end(); x != what.begin();)
    ctx_.ledger.failed(*--x, what.by, why, delay, ctx_.now(), whose);
}

void sink_workers::note_failure(const open_request& what,
                                const std::string& why) {
  const auto first = ctx_.ledger.content_of(*what.begin());
  if (!first)
    return;
  auto which = what.size() > 1 ? "a batch of " + std::to_string(what.size())
                                   + " events, of which the first is "
                               : std::string{"event "};
  failure_lines_.add("a subscriber failed at " + which + to_string(*first)
                       + ": " + why,
                     ctx_.now());
}

void sink_workers::tick(time_point now) {
  auto due = [now](const pending_failure& x) { return x.due <= now; };
  auto end
    = std::stable_partition(pending_failures_.begin(), pending_failures_.end(),
                            [&](const pending_failure& x) { return !due(x); });
  for (auto i = end; i != pending_failures_.end(); ++i)
    fail(i->what, i->reason);
  pending_failures_.erase(end, pending_failures_.end());
  crash_lines_.tick(now);
  failure_lines_.tick(now);
  probes_.clear();
  ctx_.ledger.take_probes(probes_);
  for (const auto& x : probes_)
    send_probe(x);
}

// Every living actor of CAF answers this question when it has processed the
// messages before it.
void sink_workers::send_probe(const worker_table::probe& x) {
  const auto i = workers_.find(x.to);
  if (i == workers_.end())
    return;
  ctx_.requests.ask(
    i->second,
    [this, x](caf::ok_atom, const std::string&, const caf::strong_actor_ptr&,
              const std::string&) { ctx_.ledger.answered_probe(x); },
    [](const caf::error&) {}, // the worker is dead
    caf::sys_atom_v, caf::get_atom_v, std::string{"info"});
}

} // namespace pulse::internal
