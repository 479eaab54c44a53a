#include "pulse/actors/internal/reader/tail.hpp"

#include "pulse/actors/internal/reader/read_commands.hpp"
#include "pulse/core/log.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

// Interval at which a stream that Redis refuses to read is tried again.
constexpr milliseconds suspended_interval{2'000};

// Minimum number of events to ask for per stream. A read of many streams may
// then bring more events than fit, but a single busy stream is still read fast.
constexpr size_t least_count = 64;

// Interval at which a busy reader checks for missing events, and the minimum
// part of it per stream, for readers of many streams.
constexpr milliseconds check_interval{1'000};
constexpr milliseconds check_share{5};

// A reader that paused for this long checks for missing events before it reads.
constexpr milliseconds long_pause{200};

} // namespace

reader_tail::reader_tail(reader_context& reader,
                         reader_subscribers& subscribers,
                         const connection_source& redis)
  : reader_(reader),
    subscribers_(subscribers),
    fetcher_(
      reader.self, reader.timers,
      [open = redis.open_own] { return open("reader"); },
      [this](auto end) { on_page(std::move(end)); }),
    backoff_(retry_backoff()) {
  // nop
}

void reader_tail::add(const std::string& stream, event_id from,
                      const stream_position& position) {
  if (cursors_.streams().empty()) // its position was just asked for
    next_check_ = reader_.self->clock().now() + check_interval;
  cursors_.add(stream, from, position);
  fetcher_.interrupt();
  read_on();
}

void reader_tail::resume(const std::string& stream, const stream_cursor& x) {
  cursors_.add(stream, x.last, x.position);
  check_now_ = true; // for events that were removed meanwhile
}

cursor_set::map_type
reader_tail::cursors_without(const std::map<std::string, event_id>& unsent) {
  for (auto& [stream, id] : unsent)
    cursors_.rewind(stream, id);
  return cursors_.streams();
}

bool reader_tail::remove(const std::string& stream) {
  if (!cursors_.remove(stream))
    return false;
  fetcher_.interrupt();
  return true;
}

void reader_tail::take_back(const subscriber_feed& feed) {
  for (auto& [stream, id] : feed.unsent())
    cursors_.rewind(stream, id);
  check_now_ = has_read_; // no check runs until the next subscriber comes
  fetcher_.interrupt();
}

// -- reading ------------------------------------------------------------------

void reader_tail::read_on() {
  const auto streams = cursors_.active();
  if (backing_off_ || fetcher_.busy() || streams == 0)
    return;
  const size_t room = subscribers_.free_slots();
  if (room == 0)
    return pause();
  resume();
  const auto count = std::max(room / streams, std::min(room, least_count));
  const size_t most = reader_.options.max_batch;
  check_if_due();
  asked_ = reader_.pages.apply(std::min(count, most));
  fetcher_.fetch(cursors_, asked_);
}

void reader_tail::on_page(blocking_fetcher::read_end x) {
  auto& page = x.page;
  has_read_ = true;
  if (!page.ok())
    return on_failure(page.error());
  if (failures_ > 0)
    log(log_level::info, reader_.component,
        "reads again after " + std::to_string(failures_) + " failed attempts");
  check_now_ = check_now_ || failures_ > 0;
  failures_ = 0;
  reader_.pages.worked(page->block->extents.size(), page->block->bytes.size(),
                       x.took);
  backoff_.reset();
  if (page->block->extents.empty() && !x.interrupted) {
    cursors_.drained();
    check_now_ = true;
  }
  if (!subscribers_.empty()) {
    distribute(page->block);
    subscribers_.serve();
  }
  report_findings();
  read_on();
}

void reader_tail::distribute(const std::shared_ptr<event_block>& block) {
  const auto size = static_cast<uint32_t>(block->extents.size());
  auto& counters = reader_.counters;
  const auto malformed = counters.malformed;
  for (uint32_t i = 0; i < size; ++i) {
    event x{block, i};
    if (!cursors_.advance(block->streams[block->extents[i].stream], x.id()))
      continue;
    ++counters.received;
    if (!x.well_formed()) {
      if (counters.malformed++ == malformed)
        report_malformed(x);
    } else if (!reader_.filter.wants(x)) {
      ++counters.filtered;
    } else {
      subscribers_.offer(x);
    }
  }
}

void reader_tail::report_malformed(const event& x) {
  log(log_level::warning, reader_.component,
      "skips entries without the fields n and p, first " + to_string(x.id())
        + " of stream " + std::string{x.stream()});
}

void reader_tail::on_failure(const failure& why) {
  ++reader_.counters.read_failures;
  reader_.pages.failed(asked_, why.code);
  if (++failures_ == 1 || why.code != last_failure_)
    log(log_level::warning, reader_.component,
        "cannot read, and tries again: " + to_string(why));
  last_failure_ = why.code;
  // A single stream that cannot be read makes the read of all streams fail.
  if (!is_transient(why.code) && cursors_.active() > 1)
    probe(false);
  else
    back_off();
}

void reader_tail::back_off() {
  backing_off_ = true;
  reader_.timers.start(backoff_.next(reader_.random), [this] {
    backing_off_ = false;
    read_on();
  });
}

// -- what is missing ----------------------------------------------------------

void reader_tail::pause() {
  if (!paused_)
    paused_ = reader_.self->clock().now();
  if (subscribers_.empty() && has_read_)
    check_now_ = true;
}

void reader_tail::resume() {
  if (auto since = std::exchange(paused_, std::nullopt))
    if (reader_.self->clock().now() - *since > long_pause)
      check_now_ = true;
}

// The check is sent just before the next read, on the same connection. So it
// costs no time, and the cursors have not moved when its reply comes.
void reader_tail::check_if_due() {
  if (failures_ > 0)
    return; // not while reads fail: that would double the attempts
  const auto now = reader_.self->clock().now();
  if (!check_now_ && now < next_check_ && !cursors_.uncertain())
    return;
  asked_streams asked;
  for (auto& [name, cursor] : cursors_.streams())
    if (!cursor.suspended)
      asked.emplace_back(name, cursor.last);
  check_now_ = false;
  next_check_
    = now + std::max<caf::timespan>(check_interval, check_share * asked.size());
  fetcher_.run(position_command(cursors_.names(false), false),
               [this, asked = std::move(asked)](const outcome<reply_ptr>& x) {
                 on_checked(asked, x);
               });
}

void reader_tail::on_checked(const asked_streams& asked,
                             const outcome<reply_ptr>& x) {
  if (!x.ok()) {
    check_now_ = true;
    return; // the read after it failed as well, and reports that
  }
  resp::cursor at{**x};
  for (auto& [stream, cursor] : asked) {
    if (auto found = read_position(at); found.ok())
      cursors_.check(stream, cursor, *found);
    at.skip();
  }
  report_findings();
}

void reader_tail::report_findings() {
  for (auto& [stream, x] : cursors_.take_findings()) {
    // The read that is under way began at the old position of the cursor.
    if (x.kind == stream_position::finding::type::reset)
      fetcher_.interrupt();
    report(stream, x);
  }
}

void reader_tail::report(const std::string& stream,
                         const stream_position::finding& x) {
  if (x.kind == stream_position::finding::type::gap)
    return reader_.report_gap(stream, x.after, x.first_available, x.lost,
                              x.exact);
  ++reader_.counters.stream_resets;
  notice news;
  news.kind = notice_kind::stream_reset;
  news.stream = stream;
  news.after = x.after;
  news.first_available = x.first_available;
  news.data_loss = true;
  news.text = "stream " + stream
              + " was deleted, replaced, or lost its end: events that were not "
                "read by then are lost; goes on after "
              + to_string(x.after);
  reader_.notices.publish(reader_.component, news);
}

// -- streams that Redis refuses to read ---------------------------------------

// Tries the streams one by one: either those that are suspended, or the others.
void reader_tail::probe(bool suspended) {
  auto streams = cursors_.names(suspended);
  if (streams.empty())
    return;
  backing_off_ = backing_off_ || !suspended;
  run_on(reader_.self, reader_.commands, probe_command(streams),
         [this, suspended, streams](const outcome<reply_ptr>& x) {
           suspended ? on_suspended_probed(streams, x) : on_probed(streams, x);
         });
}

void reader_tail::on_probed(const std::vector<std::string>& streams,
                            const outcome<reply_ptr>& x) {
  size_t bad = 0;
  if (x.ok()) {
    resp::cursor at{**x};
    for (auto& stream : streams) {
      if (at.is(resp::node_type::error)) {
        ++bad;
        suspend(stream, resp::error_of(at));
      }
      at.skip();
    }
  }
  if (bad == 0)
    return back_off();
  probe_suspended_later();
  backing_off_ = false;
  read_on();
}

void reader_tail::on_suspended_probed(const std::vector<std::string>& streams,
                                      const outcome<reply_ptr>& x) {
  if (x.ok()) {
    resp::cursor at{**x};
    for (auto& stream : streams) {
      if (!at.is(resp::node_type::error)) {
        cursors_.set_suspended(stream, false);
        fetcher_.interrupt();
        log(log_level::info, reader_.component,
            "reads stream " + stream + " again");
      }
      at.skip();
    }
  }
  if (cursors_.active() < cursors_.streams().size())
    probe_suspended_later();
  read_on();
}

void reader_tail::suspend(const std::string& stream, const failure& why) {
  cursors_.set_suspended(stream, true);
  log(log_level::error, reader_.component,
      "cannot read stream " + stream
        + ", goes on with the others: " + to_string(why));
}

void reader_tail::probe_suspended_later() {
  reader_.timers.cancel(probe_timer_);
  probe_timer_ = reader_.timers.start(suspended_interval,
                                      [this] { probe(true); });
}

} // namespace pulse::internal
