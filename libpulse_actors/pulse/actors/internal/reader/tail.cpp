#include "pulse/actors/internal/reader/tail.hpp"

#include "pulse/core/log.hpp"

#include <algorithm>
#include <utility>

namespace pulse::internal {

namespace {

// Minimum number of events to ask for per stream. The pages of many streams may
// then bring more events than fit, but a single busy stream is still read fast.
constexpr size_t least_count = 64;

} // namespace

reader_tail::reader_tail(reader_context& reader,
                         reader_subscribers& subscribers, hub_source_ptr hubs)
  : reader_(reader),
    subscribers_(subscribers),
    fetcher_(reader, std::move(hubs), [this](const auto& x) { on_pages(x); }) {
  // nop
}

void reader_tail::add(const std::vector<opened_stream>& streams) {
  for (auto& x : streams) {
    cursors_.add(x.name, x.from, x.position);
    opened_[x.name] = x.found.value_or(stream_state{});
    changed_.insert(x.name);
  }
  ask_anew();
}

void reader_tail::resume(const std::string& stream, const stream_cursor& x) {
  cursors_.add(stream, x.last, x.position);
  changed_.insert(stream);
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
  opened_.erase(stream);
  removed_.push_back(stream);
  ask_anew();
  return true;
}

void reader_tail::take_back(const subscriber_feed& feed) {
  for (auto& [stream, id] : feed.unsent())
    cursors_.rewind(stream, id);
  check_now_ = has_read_; // no check runs until the next subscriber comes
  fetcher_.cancel();
}

// -- reading ------------------------------------------------------------------

// Replaces the request that is under way, since the streams have changed.
void reader_tail::ask_anew() {
  if (!ask() && fetcher_.busy())
    fetcher_.cancel();
}

void reader_tail::read_on() {
  if (!fetcher_.busy())
    ask();
}

// @returns false if there is nothing to ask for.
bool reader_tail::ask() {
  const auto streams = cursors_.streams().size();
  if (streams == 0)
    return false;
  const size_t room = subscribers_.free_slots();
  if (room == 0) {
    check_now_ = check_now_ || (subscribers_.empty() && has_read_);
    return false;
  }
  const auto count = std::max(room / streams, std::min(room, least_count));
  const size_t most = reader_.options.max_batch;
  fetcher_.fetch(next_request(static_cast<uint32_t>(std::min(count, most))));
  return true;
}

page_request reader_tail::next_request(uint32_t count) {
  const auto check = std::exchange(check_now_, false);
  const auto changed = std::exchange(changed_, {});
  const auto& all = cursors_.streams();
  page_request result;
  result.count = count;
  result.all = check || fetcher_.begins_anew();
  result.removed = std::exchange(removed_, {});
  if (result.all) {
    for (auto& x : all)
      name(result, x, check);
  } else {
    for (auto& stream : changed)
      if (const auto i = all.find(stream); i != all.end())
        name(result, *i, false);
  }
  return result;
}

void reader_tail::name(page_request& x,
                       const cursor_set::map_type::value_type& what,
                       bool check) const {
  auto& [stream, cursor] = what;
  auto& y = x.streams.emplace_back();
  y.name = stream;
  y.after = cursor.last;
  y.check = check || cursor.position.uncertain();
  y.fresh = check;
  if (auto i = opened_.find(stream); i != opened_.end())
    y.opened = i->second;
}

void reader_tail::on_pages(const outcome<stream_pages_ptr>& x) {
  has_read_ = true;
  if (x.ok()) {
    for (auto& page : **x)
      take(page);
    if (!subscribers_.empty())
      subscribers_.serve();
  } else {
    on_failure(x.error());
  }
  report_findings();
  if (fetcher_.busy())
    ask_anew(); // the request was replaced before the reader had these pages
  else
    read_on();
}

// What Redis said about the stream counts for the cursor at which the page
// begins. So it comes before the events of the page. If it sets the cursor
// back, the stream has other events before those of the page, which are dropped
// since they will be read again.
void reader_tail::take(const stream_page& x) {
  changed_.insert(x.stream);
  if (x.checked)
    check(x);
  if (x.size() > 0 && !subscribers_.empty() && !is_before(x))
    distribute(x);
  if (x.drained)
    cursors_.drained(x.stream, x.after);
}

void reader_tail::check(const stream_page& x) {
  cursors_.check(x.stream, x.after, x.found);
  if (is_before(x))
    opened_[x.stream] = x.found.value_or(stream_state{}); // begins anew
}

bool reader_tail::is_before(const stream_page& x) const {
  const auto i = cursors_.streams().find(x.stream);
  return i != cursors_.streams().end() && i->second.last < x.after;
}

void reader_tail::distribute(const stream_page& x) {
  opened_.erase(x.stream);
  auto& counters = reader_.counters;
  const auto malformed = counters.malformed;
  for (auto i = x.begin; i < x.end; ++i) {
    event next{x.block, i};
    if (!cursors_.advance(x.stream, next.id()))
      continue;
    ++counters.received;
    if (!next.well_formed()) {
      if (counters.malformed++ == malformed)
        report_malformed(next);
    } else if (!reader_.filter.wants(next)) {
      ++counters.filtered;
    } else {
      subscribers_.offer(next);
    }
  }
  const auto bytes = x.block->bytes.size() * x.size() / x.block->extents.size();
  reader_.pages.worked(x.size(), bytes, x.took);
}

void reader_tail::report_malformed(const event& x) {
  log(log_level::warning, reader_.component,
      "skips entries without the fields n and p, first " + to_string(x.id())
        + " of stream " + std::string{x.stream()});
}

// The hub has logged the failure, and waits before it reads again.
void reader_tail::on_failure(const failure& why) {
  ++reader_.counters.read_failures;
  log(log_level::debug, reader_.component, "a read failed: " + to_string(why));
}

// -- what is missing ----------------------------------------------------------

void reader_tail::report_findings() {
  for (auto& [stream, x] : cursors_.take_findings())
    report(stream, x);
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

} // namespace pulse::internal
