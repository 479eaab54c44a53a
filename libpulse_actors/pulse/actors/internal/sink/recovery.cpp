#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/fetcher.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/sink_scripts.hpp"

#include <algorithm>

// What a sink does about faults: its own, and those of other nodes.

namespace pulse::internal {

namespace {

constexpr uint32_t page_size = 500;

// Sweeps cost the server time that grows with the pending list: at most 1 %.
constexpr int sweep_share = 100;
// While they find as much as there is room for: at most a fifth.
constexpr int full_sweep_share = 5;

} // namespace

void sink_fetcher::tick(time_point now) {
  if (interrupting())
    interrupt();
  fetch();
  if (!ctx_.acks() || ctx_.closing)
    return;
  sweep(now);
  clean_consumers(now);
  if (now >= next_check_ && verifying_ == 0)
    check_own(now);
}

// -- own pending events -------------------------------------------------------

void sink_fetcher::adopt_all() {
  if (ctx_.acks())
    for (uint32_t i = 0; i < ctx_.streams.size(); ++i)
      adopt_.insert(i);
}

// Those that are not open wait until they are.
std::vector<uint32_t> sink_fetcher::to_adopt() const {
  std::vector<uint32_t> result;
  for (auto i : adopt_)
    if (ctx_.streams[i].is_open())
      result.push_back(i);
  return result;
}

bool sink_fetcher::must_adopt() const {
  return !adopt_.empty() && !to_adopt().empty();
}

// After a lost connection: whatever Redis gave to this consumer and the ledger
// does not know. On the shared connection, behind all acks that were sent: so
// an event that was acknowledged cannot come back.
void sink_fetcher::adopt_next_page() {
  const auto asked = to_adopt();
  adopting_from_ = asked;
  adopting_ = true;
  adopted_to_.resize(ctx_.streams.size());
  ask_own_counts(asked);
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(7 + 2 * asked.size());
  w.arg("XREADGROUP").arg("GROUP").arg(ctx_.options.name).arg(ctx_.consumer);
  asked_ = pages_.apply(page_size);
  w.arg("COUNT").arg(uint64_t{asked_}).arg("STREAMS");
  for (auto i : asked)
    w.arg(ctx_.streams[i].key);
  for (auto i : asked)
    w.arg(adopted_to_[i]);
  batch->count = 1;
  batch->repeatable = true;
  ctx_.run(
    std::move(batch), [this](const reply_ptr& reply) { on_own_page(*reply); },
    [this](const caf::error& err) {
      adopting_ = false;
      command_failed(to_failure(err));
      read_failed(to_failure(err));
    });
}

// Ahead of the page, which adds one to each: of what was taken over from dead
// nodes the counts tell more than that.
void sink_fetcher::ask_own_counts(const std::vector<uint32_t>& streams) {
  auto batch = std::make_shared<command_batch>();
  for (auto i : streams)
    resp::write_command(batch->bytes, "XPENDING", ctx_.streams[i].key,
                        ctx_.options.name, "(" + to_string(adopted_to_[i]), "+",
                        uint64_t{page_size}, ctx_.consumer);
  batch->count = static_cast<uint32_t>(streams.size());
  batch->repeatable = true;
  own_counts_.clear();
  ctx_.run(
    std::move(batch),
    [=](const reply_ptr& reply) { on_own_counts(streams, *reply); },
    [](const caf::error&) {}); // the page fails as well
}

void sink_fetcher::on_own_counts(const std::vector<uint32_t>& streams,
                                 const resp::reply& reply) {
  resp::cursor at{reply};
  for (auto i : streams) {
    auto here = at;
    at.skip();
    if (auto facts = resp::pending_entries(here))
      for (const auto& x : *facts)
        own_counts_[{i, x.id}] = unpack(x.deliveries);
  }
}

stored_counts sink_fetcher::own_counts(uint32_t stream, event_id id) const {
  auto i = own_counts_.find({stream, id});
  return i != own_counts_.end() ? i->second : stored_counts{{1, 0, 0}, false};
}

void sink_fetcher::on_own_page(resp::reply& reply) {
  adopting_ = false;
  auto page = resp::read_page(reply, stream_key({}));
  if (!page) {
    ctx_.note_refusal(page.error());
    return read_failed(page.error());
  }
  command_worked();
  pages_.worked();
  auto block = std::move(page->block);
  block->sink = ctx_.options.name;
  for (uint32_t i = 0; i < block->extents.size(); ++i) {
    const auto stream
      = *ctx_.index_of(block->streams[block->extents[i].stream]);
    const auto id = block->extents[i].id;
    adopted_to_[stream] = std::max(adopted_to_[stream], id);
    if (ctx_.ledger.holds(stream, id))
      continue;
    ++ctx_.counts.adopted;
    ctx_.streams[stream].last_read = std::max(ctx_.streams[stream].last_read,
                                              id);
    const auto known = own_counts(stream, id);
    accept(stream, event{block, i, known.counts}, known.counts.crashes > 0);
  }
  for (auto [where, id] : page->deleted) {
    const auto stream = *ctx_.index_of(block->streams[where]);
    adopted_to_[stream] = std::max(adopted_to_[stream], id);
    ++ctx_.counts.trimmed;
    ctx_.missing(ctx_.streams[stream].name, id.previous(), id.next(), 1, true);
    settler_.ack(stream, id);
  }
  if (block->extents.empty() && page->deleted.empty()) {
    for (auto i : adopting_from_) {
      adopt_.erase(i);
      adopted_to_[i] = event_id::min();
      // Each page added one to each: often enough, and the next node would
      // take them for events that always fail.
      ctx_.ledger.recount(i);
    }
  }
}

// -- events of dead nodes -----------------------------------------------------

void sink_fetcher::sweep(time_point now) {
  if (now < next_sweep_ || now < ctx_.no_sweep_before || sweeps_under_way_ > 0
      || must_adopt())
    return;
  const auto most = std::min<size_t>(room(), page_size);
  if (most == 0)
    return;
  // Each stream may bring as many.
  const auto n = pages_.apply(std::max<size_t>(most / ctx_.open_streams(), 1));
  next_sweep_ = now + jittered(ctx_.options.sweep_interval, 0.1, random_);
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i) {
    if (!ctx_.streams[i].is_open())
      continue;
    script_call call{resp::take_over_script(), {ctx_.streams[i].key}};
    call.arg(ctx_.options.name).arg(ctx_.consumer);
    call.arg(static_cast<int64_t>(ctx_.options.lease.count()));
    call.arg(static_cast<uint64_t>(n));
    ++sweeps_under_way_;
    // A full page: the dead left more, which need not wait for the interval.
    auto swept = [this, now](bool full) {
      --sweeps_under_way_;
      const auto share = full ? full_sweep_share : sweep_share;
      const auto soonest = now + share * (ctx_.now() - now);
      next_sweep_ = full ? soonest : std::max(next_sweep_, soonest);
    };
    ctx_.run(
      call.finish(false),
      [=](const reply_ptr& reply) { swept(on_taken(i, *reply) >= n); },
      [=](const caf::error& err) {
        swept(false);
        pages_.failed(n, to_failure(err).code);
        // What was claimed without our knowing is among our own pending.
        adopt_.insert(i);
        command_failed(to_failure(err));
      });
  }
}

size_t sink_fetcher::on_taken(uint32_t stream, resp::reply& reply) {
  resp::cursor at{reply};
  uint32_t size = 0;
  if (at.is(resp::node_type::error)) {
    const auto why = resp::error_of(at);
    ctx_.note_refusal(why);
    command_failed(why);
    return 0;
  }
  if (!at.read_array(size) || size != 3) {
    command_failed(resp::unexpected_reply("take_over", at));
    return 0;
  }
  command_worked();
  auto trimmed = resp::read_number(at, "take_over");
  auto facts = resp::pending_entries(at);
  if (!trimmed || !facts) {
    command_failed(trimmed ? facts.error() : trimmed.error());
    return 0;
  }
  resp::event_page page;
  page.block = std::make_shared<event_block>();
  page.block->streams.push_back(ctx_.streams[stream].name);
  page.block->sink = ctx_.options.name;
  if (auto ok = resp::read_entries(at, 0, page); !ok) {
    command_failed(ok.error());
    return 0;
  }
  if (*trimmed > 0) {
    ctx_.counts.trimmed += static_cast<uint64_t>(*trimmed);
    report_trimmed(stream, *facts, page.block->extents);
  }
  // The facts point into the bytes that the events take along.
  const auto histories = histories_of(*facts, page.block->extents);
  page.block->bytes = std::move(reply.bytes);
  take_over(stream, page.block, histories);
  return page.block->extents.size();
}

// Pending events of a dead node that are not in the stream any more.
void sink_fetcher::report_trimmed(uint32_t stream,
                                  const std::vector<resp::pending_entry>& facts,
                                  const std::vector<event_extent>& taken) {
  std::vector<event_id> gone;
  auto have = taken.begin(); // both in the order of the IDs
  for (const auto& x : facts) {
    while (have != taken.end() && have->id < x.id)
      ++have;
    if (have == taken.end() || have->id != x.id)
      gone.push_back(x.id);
  }
  if (!gone.empty())
    ctx_.missing(ctx_.streams[stream].name, gone.front().previous(),
                 gone.back().next(), gone.size(), true);
}

// A node that died counts against what a worker of it may have been at: against
// each event that it held and had not marked. What it took from another dead
// node it had marked before a worker got it.
sink_fetcher::history
sink_fetcher::history_of(const resp::pending_entry& fact) {
  const auto stored = unpack(fact.deliveries);
  history result;
  result.counts = stored.counts;
  ++result.counts.deliveries;
  if (fact.consumer == "released")
    return result;
  result.crash_candidate = true;
  if (stored.marked)
    result.proven_crashes = stored.counts.crashes;
  else
    ++result.counts.crashes;
  return result;
}

std::vector<sink_fetcher::history>
sink_fetcher::histories_of(const std::vector<resp::pending_entry>& facts,
                           const std::vector<event_extent>& taken) {
  std::vector<history> result;
  auto fact = facts.begin(); // both in the order of the IDs
  for (const auto& x : taken) {
    while (fact != facts.end() && fact->id < x.id)
      ++fact;
    const bool known = fact != facts.end() && fact->id == x.id;
    result.push_back(known ? history_of(*fact) : history{{1, 0, 0}, false, 0});
  }
  return result;
}

void sink_fetcher::take_over(uint32_t stream,
                             const std::shared_ptr<event_block>& block,
                             const std::vector<history>& histories) {
  for (uint32_t i = 0; i < block->extents.size(); ++i) {
    ++ctx_.counts.taken_over;
    const auto& x = histories[i];
    const auto why = why_give_up(x);
    if (why.empty()) {
      accept(stream, event{block, i, x.counts}, x.crash_candidate);
      continue;
    }
    auto counts = x.counts;
    --counts.deliveries; // this one does not happen
    settler_.give_up(stream, block->extents[i].id, counts, why);
  }
}

// Empty: it is tried again.
std::string sink_fetcher::why_give_up(const history& x) const {
  const auto& options = ctx_.options;
  const auto tried = x.counts.deliveries - 1;
  if (options.max_crashes > 0 && x.proven_crashes >= options.max_crashes)
    return "workers or nodes died at it " + std::to_string(x.proven_crashes)
           + " times; the last time the whole node";
  if (options.max_deliveries > 0 && tried >= options.max_deliveries)
    return "gave up after " + std::to_string(tried)
           + " deliveries, the last by a node that died";
  return {};
}

// Consumers of nodes that are gone, if they hold nothing. Each sink looks now
// and then: it is cheap, and two at a time do no harm.
void sink_fetcher::clean_consumers(time_point now) {
  if (now < next_cleaning_)
    return;
  const auto idle = 3 * ctx_.options.lease;
  next_cleaning_ = now + jittered(idle, 0.25, random_);
  for (const auto& x : ctx_.streams) {
    if (!x.is_open())
      continue;
    script_call call{resp::clean_consumers_script(), {x.key}};
    call.arg(ctx_.options.name).arg(ctx_.consumer);
    call.arg(static_cast<int64_t>(idle.count()));
    ctx_.run(
      call.finish(true),
      [this, stream = x.name](const reply_ptr& reply) {
        resp::cursor at{*reply};
        auto n = resp::read_number(at, "clean_consumers");
        if (n && *n > 0)
          ctx_.say(log_level::info, "removed " + std::to_string(*n)
                                      + " consumers of dead nodes from stream "
                                      + stream);
      },
      [](const caf::error&) {});
  }
}

// Idle time goes on while Redis is away: hold the sweep for one lease, or an
// outage would shuffle everything between the nodes.
void sink_fetcher::command_failed(const failure& why) {
  if (is_transient(why.code))
    outage_ = true;
  if (!ctx_.closing && !std::exchange(failing_commands_, true))
    ctx_.say(log_level::warning,
             "looking for events of dead nodes failed: " + to_string(why));
}

void sink_fetcher::command_worked() {
  failing_commands_ = false;
  ctx_.heard();
  if (std::exchange(outage_, false))
    next_sweep_ = ctx_.now() + ctx_.options.lease;
}

// -- own leases ---------------------------------------------------------------

// A safety net: what an abandoned connection asked for may be given to this
// consumer much later, and then nobody knows of it.
void sink_fetcher::check_own(time_point now) {
  next_check_ = now + jittered(ctx_.options.lease, 0.1, random_);
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i)
    if (ctx_.streams[i].is_open())
      verify(i);
}

// What came while a reply was under way is known the next time.
void sink_fetcher::note_strays(uint32_t stream,
                               const std::vector<event_id>& ours) {
  std::set<event_id> fresh;
  size_t again = 0;
  for (auto id : ours)
    if (!ctx_.ledger.holds(stream, id) && !settler_.knows(stream, id)) {
      fresh.insert(id);
      again += strays_[stream].count(id);
    }
  if (again > 0) {
    ctx_.say(log_level::warning,
             "Redis holds " + std::to_string(again) + " events of stream "
               + ctx_.streams[stream].name
               + " for this node that it does not know: takes them now");
    adopt_.insert(stream);
    fresh.clear();
  }
  strays_[stream] = std::move(fresh);
}

bool sink_fetcher::leases_hold() {
  if (!ctx_.acks())
    return true;
  bool hold = true;
  const auto now = ctx_.env.boot_time();
  const bool may_verify = verifying_ == 0 && ctx_.now() >= verify_not_before_;
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i) {
    const auto& x = ctx_.streams[i];
    if (!x.is_open()
        || (!x.lease->clock->suspect
            && !x.lease->clock->older_than(ctx_.options.lease / 2, now)))
      continue;
    hold = false;
    if (may_verify)
      verify(i);
  }
  return hold;
}

void sink_fetcher::verify(uint32_t stream) {
  ++verifying_;
  ctx_.requests.ask(
    ctx_.leases,
    [this, stream,
     before = ctx_.ledger.next_serial()](const std::vector<event_id>& ours) {
      --verifying_;
      if (auto n = ctx_.ledger.retain_only(stream, before, ours); n > 0) {
        ctx_.counts.lost_leases += n;
        ctx_.say(log_level::warning,
                 "this node was silent for too long: others took over "
                   + std::to_string(n) + " of its events of stream "
                   + ctx_.streams[stream].name);
      }
      note_strays(stream, ours);
    },
    [this](const caf::error& err) {
      --verifying_;
      verify_not_before_ = ctx_.now() + milliseconds{500};
      ctx_.note_refusal(to_failure(err));
      command_failed(to_failure(err));
    },
    caf::update_atom_v, ctx_.streams[stream].lease);
}

} // namespace pulse::internal
