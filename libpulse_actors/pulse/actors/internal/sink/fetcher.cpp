#include "pulse/actors/internal/sink/fetcher.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/core/names.hpp"

#include <algorithm>

// New events. Own pending ones and those of dead nodes: sink_recovery.cpp.

namespace pulse::internal {

namespace {

constexpr uint32_t max_batch = 1'000;

// Beyond BLOCK: two ticks of the server, and a slow network.
constexpr milliseconds block_margin{2'000};

// A batch is at most that old when it comes in, well within its lease.
milliseconds block_time(const sink_options& options) {
  return std::min(options.lease / 4, milliseconds{5'000});
}

} // namespace

sink_fetcher::sink_fetcher(sink_context& ctx, sink_settler& settler)
  : ctx_(ctx),
    settler_(settler),
    blocking_(ctx.redis.open_blocking("sink:" + ctx.options.name)),
    window_(ctx.options.max_in_flight),
    random_(ctx.env.new_engine()) {
  const auto now = ctx_.now();
  next_sweep_ = now;
  next_cleaning_ = now + ctx_.options.lease;
  next_check_ = now + ctx_.options.lease;
}

sink_fetcher::~sink_fetcher() {
  disconnect();
}

void sink_fetcher::disconnect() {
  if (blocking_)
    caf::anon_send(blocking_, caf::close_atom_v);
  blocking_ = nullptr;
}

void sink_fetcher::interrupt() {
  interrupted_ = reading_;
  if (reading_ && blocking_)
    caf::anon_send(blocking_, atom::unblock_v);
}

void sink_fetcher::fetch() {
  window_.settled(settler_.take_acked(), ctx_.now());
  if (reading_ || adopting_ || ctx_.closing || ctx_.now() < read_not_before_)
    return;
  if (must_adopt())
    return adopt_next_page();
  if (const auto n = room(); n > 0)
    read_more(n);
}

// How many more events the sink wants to hold; 0 unless it can serve each of
// its streams, since Redis counts per stream. What waits for its next attempt
// keeps nobody busy: it counts for the limit only, or a few events that fail
// would stop all others.
size_t sink_fetcher::room() const {
  const auto capacity = ctx_.ledger.capacity();
  const auto streams = ctx_.open_streams();
  if (capacity == 0 || streams == 0)
    return 0;
  const auto wanted = std::max(window_.size(capacity), streams);
  const auto most = std::max<size_t>(ctx_.options.max_in_flight, streams);
  const auto held = ctx_.ledger.size() + settler_.backlog();
  const auto busy = held - ctx_.ledger.waiting();
  // Half a window at a time: reads stay large without running dry.
  if (busy >= wanted || (busy > wanted / 2 && busy > capacity))
    return 0;
  if (held >= most || most - held < streams)
    return 0;
  return std::max(std::min(wanted - busy, most - held), streams);
}

void sink_fetcher::read_more(size_t room) {
  const auto block = block_time(ctx_.options);
  std::vector<uint32_t> asked;
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i)
    if (ctx_.streams[i].is_open())
      asked.push_back(i);
  asked_
    = pages_.apply(std::clamp<uint64_t>(room / asked.size(), 1, max_batch));
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(9 + (ctx_.acks() ? 0 : 1) + 2 * asked.size());
  w.arg("XREADGROUP").arg("GROUP").arg(ctx_.options.name).arg(ctx_.consumer);
  w.arg("COUNT").arg(uint64_t{asked_});
  w.arg("BLOCK").arg(static_cast<int64_t>(block.count()));
  if (!ctx_.acks())
    w.arg("NOACK");
  w.arg("STREAMS");
  for (auto i : asked)
    w.arg(ctx_.streams[i].key);
  for (size_t i = 0; i < asked.size(); ++i)
    w.arg(">");
  batch->count = 1;
  batch->timeout = block + block_margin;
  reading_ = true;
  interrupted_ = false;
  read_sent_ = ctx_.env.boot_time();
  ++reads_;
  ctx_.requests.ask(
    blocking_, [this](const reply_ptr& reply) { on_read(*reply); },
    [this](const caf::error& err) {
      // The reply may be lost, but Redis already gave its events to this sink.
      adopt_all();
      read_failed(to_failure(err));
    },
    atom::run_v, command_ptr{std::move(batch)});
}

void sink_fetcher::on_read(resp::reply& reply) {
  reading_ = false;
  auto page = resp::read_page(reply, stream_key({}));
  if (!page) {
    ctx_.note_refusal(page.error());
    return read_failed(page.error());
  }
  ctx_.heard();
  if (is_stale()) {
    // It waited while this node stood still: others may have its events by
    // now. What is still ours is among our own pending.
    return adopt_all();
  }
  if (failing_reads_ > 0)
    ctx_.say(log_level::info, "reads again");
  failing_reads_ = 0;
  pages_.worked();
  read_pause_.reset();
  auto& block = *page->block;
  block.sink = ctx_.options.name;
  const std::shared_ptr<const event_block> shared = std::move(page->block);
  uint32_t stream = 0;
  std::optional<uint32_t> seen;
  for (uint32_t i = 0; i < shared->extents.size(); ++i) {
    const auto& x = shared->extents[i];
    if (seen != x.stream) {
      stream = *ctx_.index_of(shared->streams[x.stream]);
      seen = x.stream;
    }
    auto& last = ctx_.streams[stream].last_read;
    last = std::max(last, x.id);
    ++ctx_.counts.fetched;
    accept(stream, event{shared, i, {1, 0, 0}});
  }
}

bool sink_fetcher::is_stale() const {
  const auto age = ctx_.env.boot_time() - read_sent_;
  return ctx_.acks() && age > ctx_.options.lease / 2;
}

void sink_fetcher::read_failed(const failure& why) {
  reading_ = false;
  ++ctx_.counts.read_failures;
  pages_.failed(asked_, why.code);
  read_not_before_ = ctx_.now() + read_pause_.next(random_);
  if (!ctx_.closing && failing_reads_++ == 0)
    ctx_.say(log_level::warning,
             "a read failed: " + to_string(why) + "; trying again");
}

// Whatever an event's way into this sink: is it one to deliver?
void sink_fetcher::accept(uint32_t stream, event x, bool crash_candidate) {
  if (!x.well_formed()) {
    ++ctx_.counts.malformed;
    const std::string why = "malformed: the entry lacks the field n or p";
    if (ctx_.acks())
      settler_.give_up(stream, x.id(), x.counts(), why);
    else
      ctx_.say(log_level::warning, "skips " + to_string(x.id()) + " of stream "
                                     + ctx_.streams[stream].name + ": " + why);
  } else if (!ctx_.filter.wants(x)) {
    ++ctx_.counts.filtered;
    if (ctx_.acks())
      settler_.ack(stream, x.id());
  } else {
    ctx_.ledger.fetched(stream, std::move(x), ctx_.now(), crash_candidate);
  }
}

} // namespace pulse::internal
