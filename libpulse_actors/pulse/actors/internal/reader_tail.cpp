#include "pulse/actors/internal/reader_tail.hpp"

#include "pulse/actors/internal/read_commands.hpp"
#include "pulse/core/log.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

// How often a stream that Redis refuses to read is tried again.
constexpr milliseconds aside_interval{2'000};

// With many streams a read may bring more than fits: asking each for at least
// that much keeps a single busy one quick.
constexpr size_t least_count = 64;

} // namespace

reader_tail::reader_tail(reader_context& reader,
                         reader_subscribers& subscribers,
                         const connection_source& redis)
  : reader_(reader),
    subscribers_(subscribers),
    fetcher_(
      reader.self, reader.timers,
      [open = redis.open_blocking] { return open("reader"); },
      [this](auto page) { on_page(std::move(page)); }),
    backoff_(retry_backoff()) {
  // nop
}

void reader_tail::add(const std::string& stream, event_id from) {
  cursors_.add(stream, from);
  fetcher_.interrupt();
  read_on();
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
  fetcher_.interrupt();
}

// -- reading ------------------------------------------------------------------

void reader_tail::read_on() {
  const auto streams = cursors_.active();
  if (resting_ || fetcher_.busy() || streams == 0)
    return;
  const size_t room = subscribers_.appetite();
  if (room == 0)
    return;
  const auto count = std::max(room / streams, std::min(room, least_count));
  const size_t most = reader_.options.max_batch;
  fetcher_.fetch(cursors_, static_cast<uint32_t>(std::min(count, most)));
}

void reader_tail::on_page(outcome<resp::event_page> page) {
  if (!page.ok())
    return on_failure(page.error());
  if (failures_ > 0)
    log(log_level::info, reader_.component,
        "reads again after " + std::to_string(failures_) + " failed attempts");
  failures_ = 0;
  backoff_.reset();
  if (!subscribers_.empty()) {
    distribute(page->block);
    subscribers_.serve();
  }
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
  if (++failures_ == 1 || why.code != last_failure_)
    log(log_level::warning, reader_.component,
        "cannot read, and tries again: " + to_string(why));
  last_failure_ = why.code;
  // One stream that cannot be read fails the read of all.
  if (!is_transient(why.code) && cursors_.active() > 1)
    probe(false);
  else
    rest();
}

void reader_tail::rest() {
  resting_ = true;
  reader_.timers.start(backoff_.next(reader_.random), [this] {
    resting_ = false;
    read_on();
  });
}

// -- streams that Redis refuses to read ---------------------------------------

// Tries streams one by one: those that are, or are not, set aside.
void reader_tail::probe(bool aside) {
  auto streams = cursors_.names(aside);
  if (streams.empty())
    return;
  resting_ = resting_ || !aside;
  run_on(reader_.self, reader_.commands, probe_command(streams),
         [this, aside, streams](const outcome<reply_ptr>& x) {
           aside ? on_aside_probed(streams, x) : on_probed(streams, x);
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
        set_aside(stream, resp::error_of(at));
      }
      at.skip();
    }
  }
  if (bad == 0)
    return rest();
  probe_aside_later();
  resting_ = false;
  read_on();
}

void reader_tail::on_aside_probed(const std::vector<std::string>& streams,
                                  const outcome<reply_ptr>& x) {
  if (x.ok()) {
    resp::cursor at{**x};
    for (auto& stream : streams) {
      if (!at.is(resp::node_type::error)) {
        cursors_.set_aside(stream, false);
        fetcher_.interrupt();
        log(log_level::info, reader_.component,
            "reads stream " + stream + " again");
      }
      at.skip();
    }
  }
  if (cursors_.active() < cursors_.streams().size())
    probe_aside_later();
  read_on();
}

void reader_tail::set_aside(const std::string& stream, const failure& why) {
  cursors_.set_aside(stream, true);
  log(log_level::error, reader_.component,
      "cannot read stream " + stream
        + ", goes on with the others: " + to_string(why));
}

void reader_tail::probe_aside_later() {
  reader_.timers.cancel(probe_timer_);
  probe_timer_ = reader_.timers.start(aside_interval, [this] { probe(true); });
}

} // namespace pulse::internal
