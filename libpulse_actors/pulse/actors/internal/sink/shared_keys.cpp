#include "pulse/actors/internal/sink/shared_keys.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/claimed_events.hpp"
#include "pulse/resp/sink_scripts.hpp"

#include <algorithm>
#include <utility>

namespace pulse::internal {

namespace {

// How many events may wait for their owners in Redis, so that one slow member
// does not stop the others at once.
constexpr uint64_t most_waiting = 100'000;

constexpr size_t most_calls = 16;
constexpr size_t page_size = 1'000;

// So many streams at a time occupy Redis for about a millisecond.
constexpr size_t most_in_a_part = 128;

// After the death of a member, Redis may still execute a read that the member
// had sent. So long nobody reads a stream without the script, which notices
// that.
constexpr milliseconds caution{120'000};

constexpr milliseconds retry_pause{200};

int64_t caution_ms(const sink_options& x) {
  return std::max(caution, 2 * x.lease).count();
}

bool names(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const auto end = std::min(list.find(' '), list.size());
    if (const auto x = list.substr(0, end); x == name || x == "*")
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

} // namespace

// -- what is due --------------------------------------------------------------

// A permission to read alone lasts for half of a lease, so it must be renewed
// more often. Many streams make more calls, so these are less frequent then.
milliseconds sink_shared_keys::period() const {
  const milliseconds for_all(2 * ctx_.streams.open().size());
  return std::min<milliseconds>(std::max(ctx_.options.sweep_interval, for_all),
                                ctx_.options.lease / 6);
}

void sink_shared_keys::opened(uint32_t stream) {
  members_.resize(ctx_.streams.size());
  permitted_.resize(ctx_.streams.size());
  changing_ -= members_[stream].is_changing() ? 1 : 0;
  const auto before = std::exchange(members_[stream], {});
  if (can_work() || before.is_member)
    want(stream, true);
}

void sink_shared_keys::want(uint32_t stream, bool checks) {
  members_[stream].checks |= checks;
  members_[stream].settled = false;
  to_call_.insert(stream);
}

void sink_shared_keys::look_now() {
  for (auto i : ctx_.streams.open())
    if (i < members_.size())
      want(i, true);
  step();
}

void sink_shared_keys::tick(time_point now) {
  expire();
  std::vector<uint32_t> settled;
  bool any_due = false;
  for (auto i : ctx_.streams.open()) {
    if (i >= members_.size())
      continue;
    auto& x = members_[i];
    if (x.leaving.any() || !can_work())
      give_back(i);
    const bool is_due = can_work() ? now >= x.due : x.is_member;
    if (may_stay(i)) {
      any_due |= is_due;
      if (now + period() / 8 >= x.due)
        settled.push_back(i);
    } else if (is_due && !x.staying) {
      want(i, true);
    }
  }
  if (any_due)
    stay(settled);
  step();
}

// Other members take the partitions of this one when it has been silent for a
// lease. A read that is sent within half of a lease ends before that.
void sink_shared_keys::expire() {
  const auto now = ctx_.env.boot_time();
  if (now < next_expiry_)
    return;
  next_expiry_ = now + ctx_.options.lease / 16;
  for (auto i : ctx_.streams.open())
    if (i < permitted_.size() && ctx_.streams.reads_alone(i)
        && is_over(permitted_[i])) {
      ctx_.streams.let_read_alone(i, false);
      members_[i].due = ctx_.now();
    }
}

bool sink_shared_keys::is_over(std::chrono::nanoseconds permitted) const {
  return ctx_.env.boot_time() - permitted > ctx_.options.lease * 3 / 8;
}

void sink_shared_keys::give_back(uint32_t stream) {
  const auto which = can_work() ? members_[stream].leaving
                                : partition_set{}.set();
  if (ctx_.ledger.give_back(stream, which) > 0)
    outcomes_.take_actions();
}

// -- calls --------------------------------------------------------------------

// While a read may bring events of a stream, a call must not take the
// permission to read alone away. Events that are being given back come before
// those that a call brings.
bool sink_shared_keys::may_call(uint32_t stream) const {
  const auto& x = members_[stream];
  const auto& s = ctx_.streams[stream];
  if (x.calling || !s.is_open() || s.giving_back > 0)
    return false;
  return !reader_.reading_events()
         || (ctx_.streams.reads_alone(stream) && can_work());
}

void sink_shared_keys::step() {
  for (auto i : ctx_.streams.take_given_back())
    if (i < members_.size())
      want(i, false);
  if (ctx_.closing || ctx_.streams.recovery_due() || to_call_.empty())
    return;
  size_t room
    = can_work() ? intake_.fitting(std::min(intake_.demand(), page_size)) : 0;
  room -= std::min(room, asked_);
  const size_t claims
    = can_work() ? intake_.fitting_claims(intake_.claim_demand()) : 0;
  const auto share = std::max<size_t>(room / to_call_.size(), 1);
  auto next = to_call_.lower_bound(next_to_call_);
  for (auto left = to_call_.size(); left > 0; --left) {
    if (calls_ >= most_calls)
      return;
    if (next == to_call_.end())
      next = to_call_.begin();
    const auto i = *next++;
    auto& x = members_[i];
    if (!ctx_.streams[i].is_open()) {
      to_call_.erase(i);
      continue;
    }
    if (!may_call(i)) {
      if (reader_.reading_events() && !reader_.interrupting()
          && !ctx_.streams.reads_alone(i))
        reader_.interrupt();
      continue;
    }
    const auto wanted = room > 0 ? share : x.checks && asked_ == 0 ? claims : 0;
    if (wanted == 0 && !x.checks)
      continue; // until there is room
    to_call_.erase(i);
    next_to_call_ = i + 1;
    room -= std::min(room, wanted);
    if (x.checks)
      x.due = ctx_.now() + jittered(period(), 0.1, random_);
    call(i, wanted);
  }
}

void sink_shared_keys::call(uint32_t stream, size_t wanted) {
  auto& x = members_[stream];
  // If the sink may not read all its streams itself, it reads none, and the
  // script must read this one.
  const bool reads = ctx_.streams.reads_all_alone() || reader_.reading_events();
  request what;
  what.wanted = wanted;
  what.alone = reads && ctx_.streams.reads_alone(stream) && can_work()
               && x.others.empty();
  what.checks = x.checks && ctx_.now() >= ctx_.no_claims_before;
  if (!what.alone)
    ctx_.streams.let_read_alone(stream, false);
  const auto fetch = ctx_.begin_fetch({stream});
  what.sent = fetch.sent;
  what.give_backs = ctx_.give_backs;
  x.calling = true;
  x.checks = false;
  x.settled = false;
  ++calls_;
  asked_ += wanted;
  ctx_.run(
    command(stream, what, fetch.progress),
    [=](const reply_ptr& reply) {
      ctx_.late.remove(fetch.number);
      on_reply(stream, what, *reply);
    },
    [=](const caf::error& err) {
      ctx_.late.remove(fetch.number);
      // The script may have given events to this member.
      ctx_.streams.recover(stream);
      ctx_.pages.failed(static_cast<uint32_t>(wanted), to_failure(err).code);
      members_[stream].calling = false;
      --calls_;
      asked_ -= wanted;
      failed(stream, to_failure(err));
    });
}

command_ptr
sink_shared_keys::command(uint32_t stream, const request& what,
                          std::shared_ptr<reply_progress> progress) {
  const auto& s = ctx_.streams[stream];
  const auto& x = members_[stream];
  const auto& sink = ctx_.options.name;
  script_call result{
    resp::share_script(),
    {s.key, resp::members_key(s.name, sink), resp::wake_key(s.name, sink),
     resp::delayed_key(s.name, sink), resp::paused_key(s.name, sink)}};
  result.watch(std::move(progress));
  result.arg(sink).arg(ctx_.consumer);
  result.arg(static_cast<int64_t>(ctx_.options.lease.count()));
  result.arg(uint64_t{what.wanted}).arg(most_waiting);
  result.arg(can_work() ? "1" : "0").arg(what.alone ? "1" : "0");
  result.arg(what.checks ? "1" : "0");
  result.arg(caution_ms(ctx_.options));
  if (x.leaving.any()) {
    const auto free = x.leaving & ~ctx_.ledger.partitions_of(stream);
    for (size_t i = 0; i < free.size(); ++i)
      if (free[i])
        result.arg(uint64_t{i});
  }
  return result.finish(false);
}

void sink_shared_keys::failed(uint32_t stream, const failure& why) {
  ctx_.streams.let_read_alone(stream, false);
  ctx_.note_refusal(why);
  ctx_.note_command_failed(why);
  auto& x = members_[stream];
  x.checks = true;
  x.due = ctx_.now() + retry_pause;
}

// -- replies ------------------------------------------------------------------

void sink_shared_keys::on_reply(uint32_t stream, const request& what,
                                resp::reply& reply) {
  members_[stream].calling = false;
  --calls_;
  asked_ -= what.wanted;
  if (ctx_.is_stale(stream, what.sent)) {
    ctx_.streams.recover(stream);
    ctx_.streams.let_read_alone(stream, false);
    return want(stream, true);
  }
  auto x = resp::read_share_reply(reply, ctx_.streams[stream].name);
  if (!x)
    return failed(stream, x.error());
  ctx_.note_command_worked();
  ctx_.note_contact();
  ctx_.report_trimmed(stream, x->trimmed);
  report_blocker(stream, x->blocked_by);
  note(stream, what, *x);
  accept(stream, *x, reply, what); // the texts of x are invalid after that
  let_read_alone(stream, *x);
}

void sink_shared_keys::note(uint32_t stream, const request& what,
                            const resp::share_reply& x) {
  auto& known = members_[stream];
  changing_ -= known.is_changing() ? 1 : 0;
  known.is_member = can_work() || x.own.any();
  known.sole = x.sole;
  known.others = std::string{x.others};
  known.leaving = x.leaving;
  known.after = std::string{x.after};
  known.wake = std::string{x.wake};
  known.blocked = !x.blocked_by.empty();
  changing_ += known.is_changing() ? 1 : 0;
  permitted_[stream] = what.sent;
  known.settled = what.checks && x.facts.empty() && x.leaving.none()
                  && !known.blocked && (!x.others.empty() || x.own.all())
                  && to_call_.count(stream) == 0;
  const auto got = x.page.block->extents.size();
  if (x.again || (what.wanted > 0 && got >= what.wanted) || x.waiting > 0)
    want(stream, false);
  if (known.blocked)
    known.due = ctx_.now() + retry_pause;
}

// What waits in Redis for this member, or is being given back, comes before new
// events.
void sink_shared_keys::let_read_alone(uint32_t stream,
                                      const resp::share_reply& x) {
  const bool may = x.sole && members_[stream].others.empty() && x.waiting == 0
                   && can_work() && ctx_.streams[stream].giving_back == 0;
  ctx_.streams.let_read_alone(stream, may);
  if (!may && reader_.reading_events())
    reader_.interrupt();
  if (x.sole && !may)
    want(stream, false);
}

void sink_shared_keys::report_blocker(uint32_t stream,
                                      std::string_view consumer) {
  auto& known = members_[stream].reported_blocker;
  if (known == consumer)
    return;
  known = std::string{consumer};
  if (!known.empty())
    ctx_.report(log_level::warning,
                "stream " + ctx_.streams[stream].name + ": consumer " + known
                  + " holds events of this sink and is no member of it, so the "
                    "keyed sink waits until the consumer is silent for a "
                    "lease; all nodes need dispatch = keyed and the same "
                    "version");
}

void sink_shared_keys::accept(uint32_t stream, resp::share_reply& x,
                              resp::reply& from, const request& what) {
  const auto& block = x.page.block;
  block->sink = ctx_.options.name;
  if (!block->extents.empty())
    ctx_.keep_lease(stream, what.sent);
  // The facts point into the bytes of the reply, which the block takes over.
  const auto histories = histories_of(x.facts, x.pauses, block->extents);
  block->bytes = std::move(from.bytes);
  if (!block->extents.empty())
    ctx_.pages.worked(block->extents.size(), block->bytes.size(), from.took);
  for (uint32_t i = 0; i < histories.size(); ++i) {
    const auto& history = histories[i];
    const event found{block, i, history.counts};
    ctx_.note_read(stream, found);
    const bool is_new = history.counts.deliveries <= 1
                        && history.origin == claim_origin::released;
    ++(is_new ? ctx_.counts.fetched : ctx_.counts.taken_over);
    if (give_up_claimed(ctx_, outcomes_, stream, found.id(), history))
      continue;
    intake_.accept_in_order(stream, found, what.give_backs,
                            history.crash_candidate,
                            ctx_.end_of_pause(x.pauses, found.id()));
  }
}

// -- renewals of many memberships ---------------------------------------------

bool sink_shared_keys::may_stay(uint32_t stream) const {
  const auto& x = members_[stream];
  return x.settled && !x.calling && !x.staying && can_work()
         && ctx_.streams[stream].giving_back == 0;
}

// Streams that are due soon go along, and are due again together: so few calls
// renew many memberships.
void sink_shared_keys::stay(const std::vector<uint32_t>& streams) {
  const auto next = ctx_.now() + jittered(period(), 0.1, random_);
  for (auto i : streams)
    members_[i].due = next;
  for (size_t i = 0; i < streams.size(); i += most_in_a_part) {
    const auto n = std::min(most_in_a_part, streams.size() - i);
    const auto begin = streams.begin() + static_cast<std::ptrdiff_t>(i);
    stay_in_part({begin, begin + static_cast<std::ptrdiff_t>(n)});
  }
}

void sink_shared_keys::stay_in_part(const std::vector<uint32_t>& part) {
  const auto& sink = ctx_.options.name;
  std::vector<std::string> keys;
  for (auto i : part) {
    const auto& name = ctx_.streams[i].name;
    keys.insert(keys.end(), {ctx_.streams[i].key, resp::members_key(name, sink),
                             resp::wake_key(name, sink)});
  }
  script_call call{resp::stay_script(), keys};
  call.arg(sink).arg(ctx_.consumer);
  call.arg(static_cast<int64_t>(ctx_.options.lease.count()));
  call.arg(caution_ms(ctx_.options));
  const bool reads = ctx_.streams.reads_all_alone();
  for (auto i : part) {
    auto& x = members_[i];
    call.arg(x.others).arg(x.wake).arg(reads ? "" : x.after);
    x.staying = true;
  }
  ctx_.run(
    call.finish(true),
    [this, part, sent = ctx_.env.boot_time()](const reply_ptr& reply) {
      on_stay_reply(part, *reply, sent);
    },
    [this, part](const caf::error& err) {
      not_stayed(part, to_failure(err), false);
    });
}

void sink_shared_keys::on_stay_reply(const std::vector<uint32_t>& part,
                                     const resp::reply& reply,
                                     std::chrono::nanoseconds sent) {
  const auto answers = resp::read_stay_reply(reply, part.size());
  if (!answers)
    return not_stayed(part, answers.error(), true);
  ctx_.note_command_worked();
  for (size_t i = 0; i < part.size(); ++i)
    stayed(part[i], (*answers)[i], sent);
}

// If there was a reason to call share.lua meanwhile, that call decides.
void sink_shared_keys::stayed(uint32_t stream, resp::stay_answer answer,
                              std::chrono::nanoseconds sent) {
  auto& x = members_[stream];
  x.staying = false;
  if (!may_stay(stream) || !ctx_.streams[stream].is_open())
    return;
  const bool sole = answer == resp::stay_answer::sole;
  if (answer == resp::stay_answer::changed || sole != x.sole)
    return want(stream, true);
  if (is_over(sent)) { // this node was stopped
    x.due = ctx_.now();
    return;
  }
  permitted_[stream] = sent;
  ctx_.streams.let_read_alone(stream, sole);
}

// If Redis is away, the permissions that the member has last until they expire.
// If Redis refuses the call, one of the streams may be the reason, which a call
// for each of them shows.
void sink_shared_keys::not_stayed(const std::vector<uint32_t>& part,
                                  const failure& why, bool refused) {
  ctx_.note_command_failed(why);
  for (auto i : part) {
    auto& x = members_[i];
    x.staying = false;
    x.settled = x.settled && !refused;
    x.due = ctx_.now() + retry_pause;
  }
}

// -- waiting ------------------------------------------------------------------

void sink_shared_keys::wait() {
  const auto& open = ctx_.streams.open();
  if (calls_ > 0 || open.empty())
    return;
  for (auto i : open)
    if (i >= members_.size() || to_call_.count(i) > 0)
      return;
  watched keys;
  std::vector<std::string> ids;
  for (auto i : open) {
    const auto& x = members_[i];
    keys.emplace_back(resp::wake_key(ctx_.streams[i].name, ctx_.options.name),
                      i);
    ids.push_back(x.wake);
    if (!x.after.empty()) {
      keys.emplace_back(ctx_.streams[i].key, i);
      ids.push_back(x.after);
    }
  }
  const auto block = block_time_of(ctx_.options);
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(6 + 2 * keys.size());
  w.arg("XREAD").arg("COUNT").arg(uint64_t{1});
  w.arg("BLOCK").arg(static_cast<int64_t>(block.count())).arg("STREAMS");
  for (const auto& x : keys)
    w.arg(x.first);
  for (const auto& x : ids)
    w.arg(x);
  batch->count = 1;
  batch->timeout = block + sink_block_margin;
  reader_.wait(std::move(batch), [this, keys = std::move(keys)](const auto& x) {
    on_wake_up(keys, x);
  });
}

// The reply has its keys in the order of the command.
void sink_shared_keys::on_wake_up(const watched& keys,
                                  const resp::reply& reply) {
  const auto found = resp::read_wake_ups(reply);
  auto next = found ? found->begin()
                    : std::vector<resp::wake_up>::const_iterator{};
  for (const auto& [key, stream] : keys) {
    if (!found) {
      failed(stream, found.error());
      continue;
    }
    if (next == found->end() || next->key != key)
      continue;
    const auto& x = *next++;
    if (key == ctx_.streams[stream].key) {
      want(stream, false);
    } else {
      members_[stream].wake = std::string{x.id};
      if (names(x.names, ctx_.consumer))
        want(stream, names(x.names, "*"));
    }
  }
}

} // namespace pulse::internal
