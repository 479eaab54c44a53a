#include "pulse/actors/internal/sink/reader.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/reply_streams.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <vector>

namespace pulse::internal {

namespace {

constexpr uint32_t max_batch = 1'000;

// The pauses between the interruptions of a read.
constexpr milliseconds shortest_interruption_pause{1};
constexpr milliseconds longest_interruption_pause{20};

} // namespace

sink_reader::sink_reader(sink_context& ctx, sink_intake& intake,
                         sink_read_attempts& attempts)
  : ctx_(ctx),
    intake_(intake),
    attempts_(attempts),
    blocking_(ctx.redis.open_own("sink:" + ctx.options.name)),
    planner_(block_time_of(ctx.options)) {
  // nop
}

sink_reader::~sink_reader() {
  disconnect();
}

void sink_reader::disconnect() {
  if (blocking_)
    tell(blocking_, caf::close_atom_v);
  blocking_ = nullptr;
}

void sink_reader::interrupt() {
  if (interrupting())
    return;
  interruption_pause_ = shortest_interruption_pause;
  send_interruption();
}

void sink_reader::send_interruption() {
  interrupted_ = reading_;
  if (reading_ && blocking_)
    tell(blocking_, atom::unblock_v);
  next_interruption_ = ctx_.now() + interruption_pause_;
  interruption_pause_ = std::min(2 * interruption_pause_,
                                 longest_interruption_pause);
}

void sink_reader::tick() {
  if (interrupting() && ctx_.now() >= next_interruption_)
    send_interruption();
}

void sink_reader::read(size_t wanted, size_t room) {
  asked_ = intake_.fitting(std::min<size_t>(wanted, max_batch));
  const auto what = planner_.next(ctx_.streams.open(), wanted, room, asked_);
  begin(false,
        ctx_.begin_fetch(what.streams, what.block.value_or(milliseconds{0})));
  ctx_.requests.ask(
    blocking_,
    [this](const reply_ptr& reply) {
      ended();
      on_read(*reply);
    },
    [this](const caf::error& err) {
      ended();
      // If only the reply is lost, its events are pending for this sink.
      ctx_.recover_all();
      attempts_.failed(asked_, to_failure(err));
    },
    atom::run_v, read_command(what));
}

void sink_reader::ended() {
  reading_ = false;
  ctx_.late.remove(fetch_.number);
}

void sink_reader::begin(bool waits, sink_context::fetch what) {
  reading_ = true;
  waiting_ = waits;
  interrupted_ = false;
  fetch_ = std::move(what);
  give_backs_ = ctx_.give_backs;
  ++reads_;
}

void sink_reader::wait(command_ptr what,
                       std::function<void(const resp::reply&)> then) {
  begin(true, {});
  ctx_.requests.ask(
    blocking_,
    [this, then = std::move(then)](const reply_ptr& reply) {
      reading_ = false;
      ctx_.note_contact();
      attempts_.succeeded();
      then(*reply);
    },
    [this](const caf::error& err) {
      reading_ = false;
      attempts_.failed(1, to_failure(err));
    },
    atom::run_v, std::move(what));
}

command_ptr sink_reader::read_command(const read_planner::read& what) const {
  const auto block = what.block.value_or(milliseconds{0});
  auto batch = std::make_shared<command_batch>();
  resp::command_writer w{batch->bytes};
  w.begin(7 + (what.block ? 2 : 0) + (ctx_.acks() ? 0 : 1)
          + 2 * what.streams.size());
  w.arg("XREADGROUP").arg("GROUP").arg(ctx_.options.name).arg(ctx_.consumer);
  w.arg("COUNT").arg(uint64_t{what.count});
  if (what.block)
    w.arg("BLOCK").arg(static_cast<int64_t>(block.count()));
  if (!ctx_.acks())
    w.arg("NOACK");
  w.arg("STREAMS");
  for (auto i : what.streams)
    w.arg(ctx_.streams[i].key);
  for (size_t i = 0; i < what.streams.size(); ++i)
    w.arg(">");
  batch->count = 1;
  batch->timeout = block + sink_block_margin;
  batch->progress = fetch_.progress;
  return batch;
}

void sink_reader::on_read(resp::reply& reply) {
  auto page = resp::read_page(reply, stream_key({}));
  if (!page) {
    ctx_.note_refusal(page.error());
    return attempts_.failed(asked_, page.error());
  }
  const auto streams = streams_of_reply(ctx_, *page->block, [this](uint32_t i) {
    return ctx_.streams[i].was_open;
  });
  if (!streams) {
    ctx_.recover_all();
    return attempts_.failed(asked_, streams.error());
  }
  ctx_.note_contact();
  const auto is_stale = [this](uint32_t i) {
    return ctx_.is_stale(i, fetch_.sent);
  };
  if (std::any_of(streams->begin(), streams->end(), is_stale))
    return ctx_.recover_all();
  attempts_.succeeded();
  ctx_.pages.worked(page->block->extents.size(), page->block->bytes.size(),
                    reply.took);
  page->block->sink = ctx_.options.name;
  accept(page->block, *streams);
  not_before_ = ctx_.now() + planner_.pause();
}

// The events of each stream stand together.
void sink_reader::accept(const std::shared_ptr<const event_block>& block,
                         const std::vector<uint32_t>& streams) {
  const auto n = static_cast<uint32_t>(block->extents.size());
  for (uint32_t i = 0; i < n;) {
    const auto begin = i;
    const auto place = block->extents[i].stream;
    const auto stream = streams[place];
    ctx_.keep_lease(stream, fetch_.sent);
    for (; i < n && block->extents[i].stream == place; ++i) {
      const event fresh{block, i, {1, 0, 0}};
      ctx_.note_read(stream, fresh);
      intake_.accept_in_order(stream, fresh, give_backs_);
    }
    planner_.returned(stream, i - begin);
    ctx_.counts.fetched += i - begin;
  }
}

} // namespace pulse::internal
