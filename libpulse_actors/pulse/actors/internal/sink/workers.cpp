#include "pulse/actors/internal/sink/workers.hpp"

#include "pulse/actors/errors.hpp"

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

void sink_workers::add(const event_listener& who, uint32_t credit) {
  const auto addr = caf::actor_cast<caf::actor_addr>(who);
  auto [i, fresh] = ids_.emplace(addr, 0);
  if (fresh) {
    i->second = ++last_id_;
    ctx_.deaths.add(who);
  }
  workers_[i->second] = who;
  ctx_.ledger.add_worker(i->second, credit > 0 ? credit : ctx_.options.credit);
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
    [who](const pending_failure& x) { return x.who != who; });
  auto end = std::stable_partition(its, pending_failures_.end(),
                                   [](const pending_failure& x) {
                                     return x.is_of_handler;
                                   });
  if (reason == caf::sec::runtime_error && its != end)
    --end;
  for (auto i = its; i != end; ++i)
    settle_failure(*i);
  pending_failures_.erase(its, pending_failures_.end());
}

void sink_workers::settle_failure(const pending_failure& x) {
  note_failure(x.what, x.reason);
  ctx_.ledger.failed(x.what, x.who, x.reason, {}, ctx_.now());
}

void sink_workers::dispatch() {
  out_.clear();
  ctx_.ledger.dispatch_to(out_, ctx_.now());
  for (const auto& x : out_)
    hand_over(x);
}

void sink_workers::hand_over(const delivery_ledger::dispatch& x) {
  const auto& who = workers_[x.to];
  if (ctx_.options.ack == ack_mode::manual) {
    tell(who, x.content);
    return;
  }
  inbox_.send(open_.add({x.what, x.to}), who, x.content);
}

void sink_workers::take_answers() {
  answers_.clear();
  inbox_.take(answers_);
  for (const auto& x : answers_) {
    const auto request = open_.take(x.number);
    if (!request)
      continue;
    if (x.why)
      on_error(request->what, request->by, x.why);
    else
      ctx_.ledger.done(request->what, request->by, ctx_.now());
  }
  inbox_.are_open(open_.size());
}

void sink_workers::on_error(const delivery_ledger::ticket& what, worker_id who,
                            const caf::error& err) {
  const auto now = ctx_.now();
  // A worker that was slow left the event out, which it had lost meanwhile.
  if (err == errc::no_such_delivery && !ctx_.ledger.goes_on(what))
    return ctx_.ledger.failed(what, who, {}, {}, now);
  ctx_.counts.last_failure = describe(err);
  if (err == errc::rejected) {
    ctx_.ledger.rejected(what, who, to_failure(err).what, now);
  } else if (may_be_death(err)) {
    pending_failures_.push_back({what, who, describe(err), now + crash_grace,
                                 err == caf::sec::runtime_error});
  } else {
    note_failure(what, describe(err));
    ctx_.ledger.failed(what, who, describe(err), {}, now);
  }
}

void sink_workers::note_failure(const delivery_ledger::ticket& what,
                                const std::string& why) {
  if (const auto x = ctx_.ledger.content_of(what))
    failure_lines_.add(
      "a subscriber failed at event " + to_string(*x) + ": " + why, ctx_.now());
}

void sink_workers::tick(time_point now) {
  auto due = [now](const pending_failure& x) { return x.due <= now; };
  auto end
    = std::stable_partition(pending_failures_.begin(), pending_failures_.end(),
                            [&](const pending_failure& x) { return !due(x); });
  for (auto i = end; i != pending_failures_.end(); ++i)
    settle_failure(*i);
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
    caf::actor_cast<caf::actor>(i->second),
    [this, x](caf::ok_atom, const std::string&, const caf::strong_actor_ptr&,
              const std::string&) { ctx_.ledger.answered_probe(x); },
    [](const caf::error&) {}, // the worker is dead
    caf::sys_atom_v, caf::get_atom_v, std::string{"info"});
}

} // namespace pulse::internal
