#include "pulse/core/reading/page_hub.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace pulse {

namespace {

bool is_same(const stream_state& x, const stream_state& y) {
  return x.length == y.length && x.added == y.added && x.first == y.first
         && x.last == y.last && x.max_deleted == y.max_deleted;
}

} // namespace

// -- readers ------------------------------------------------------------------

void page_hub::ask(reader_id who, const page_request& what) {
  auto& x = readers_[who];
  x.count = what.count;
  ++last_number_;
  for (const auto& y : what.streams)
    set_stream(who, x, y);
  if (what.all)
    drop_others(who, x);
  for (const auto& name : what.removed)
    if (auto i = streams_.find(name); i != streams_.end())
      drop(who, x, *i);
  x.waits = !x.streams.empty();
  if (x.waits)
    serve(who, x);
}

void page_hub::leave(reader_id who) {
  const auto i = readers_.find(who);
  if (i == readers_.end())
    return;
  ++last_number_;
  drop_others(who, i->second);
  readers_.erase(i);
}

void page_hub::set_stream(reader_id who, reader& x,
                          const page_request::stream& what) {
  auto& entry = *streams_.try_emplace(what.name).first;
  auto& [name, from] = entry;
  const auto [at, added] = from.readers.try_emplace(who);
  if (added)
    x.streams.insert(&entry);
  auto& y = at->second;
  const auto begins = what.opened
                      && !(y.opened && is_same(*y.opened, *what.opened));
  if (begins) {
    y.opened_at = last_number_;
    y.doubts = note_opened(entry, *what.opened);
  }
  if (added || begins)
    y.incarnation = from.incarnation;
  if (y.after != what.after || what.fresh) {
    y.told = 0;
    y.drained = false;
  }
  y.after = what.after;
  y.asked = last_number_;
  y.check = what.check;
  y.fresh = what.fresh;
  y.doubts = y.doubts && what.opened;
  y.opened = what.opened;
  from.check = from.check || what.check;
  from.wanted = std::max(from.wanted, x.count);
  x.due.insert(&entry);
}

// The last reader takes the stream along.
void page_hub::drop(reader_id who, reader& x, stream_entry& from) {
  if (from.second.readers.erase(who) == 0)
    return;
  x.streams.erase(&from);
  x.due.erase(&from);
  if (!from.second.readers.empty())
    return;
  const auto name = from.first;
  cache_.forget(name);
  streams_.erase(name);
  changed_.insert(name);
}

// Drops the streams that the last request did not name.
void page_hub::drop_others(reader_id who, reader& x) {
  std::vector<stream_entry*> others;
  for (auto* y : x.streams)
    if (y->second.readers.at(who).asked != last_number_)
      others.push_back(y);
  for (auto* y : others)
    drop(who, x, *y);
}

std::vector<page_hub::reader_id>
page_hub::give_up(const std::string& name, std::optional<event_id> cursor) {
  std::vector<reader_id> result;
  const auto i = streams_.find(name);
  if (i == streams_.end())
    return result;
  for (auto& [who, at] : i->second.readers) {
    auto& x = readers_.at(who);
    if (!x.waits || (cursor && at.after != *cursor))
      continue;
    x.waits = false;
    result.push_back(who);
  }
  return result;
}

// -- serving ------------------------------------------------------------------

// Streams that have no page get a read even if the reader is answered, since a
// busy stream must not keep the reader from the others.
void page_hub::serve(reader_id who, reader& x) {
  std::vector<stream_page> pages;
  for (auto i = x.due.begin(); i != x.due.end();) {
    auto& at = (*i)->second.readers.at(who);
    if (at.incarnation != (*i)->second.incarnation) {
      pages.push_back(news_of(**i, at));
      i = x.due.erase(i);
      continue;
    }
    const auto since = at.doubts && !at.fresh ? at.opened_at : at.asked;
    auto page = cache_.find((*i)->first, {at.after, x.count, at.opened, since,
                                          at.fresh || at.doubts});
    if (page)
      pages.push_back(std::move(*page));
    else
      need(who, **i, at.after);
    // A check that does not come with a page is hurried up later.
    i = page || !at.check ? x.due.erase(i) : std::next(i);
  }
  if (!pages.empty())
    return reply(who, x, std::move(pages));
  hurry(who, x);
}

// @returns what a reader has to know about a stream that was replaced.
stream_page page_hub::news_of(const stream_entry& x, cursor& at) {
  at.told = x.second.version;
  at.incarnation = x.second.incarnation;
  stream_page result;
  result.stream = x.first;
  result.after = at.after;
  result.checked = true;
  result.found = x.second.known;
  return result;
}

// Ends the tail reads that keep a reader from the checks that it wants.
void page_hub::hurry(reader_id who, reader& x) {
  for (auto* y : std::exchange(x.due, {})) {
    auto& [name, from] = *y;
    auto& at = from.readers.at(who);
    at.check = false;
    if (from.at_tail.count(at.after) > 0 && (at.fresh || !from.checked)) {
      from.urgent = true;
      changed_.insert(name);
    }
  }
}

void page_hub::make_due(stream_entry& x) {
  for (auto& [who, at] : x.second.readers)
    readers_.at(who).due.insert(&x);
}

// @returns the readers that wait for the page.
std::vector<page_hub::reader_id> page_hub::make_due(stream_entry& x,
                                                    const stream_page& page) {
  std::vector<reader_id> result;
  for (auto& [who, at] : x.second.readers) {
    if (at.after < page.after || at.after >= page.last())
      continue;
    auto& y = readers_.at(who);
    y.due.insert(&x);
    if (y.waits)
      result.push_back(who);
  }
  return result;
}

bool page_hub::has_waiting(const stream& x) const {
  return std::any_of(x.readers.begin(), x.readers.end(),
                     [this](auto& y) { return readers_.at(y.first).waits; });
}

void page_hub::need(reader_id who, stream_entry& x, event_id after) {
  auto& [name, from] = x;
  if (from.refused || from.at_tail.count(after) > 0
      || from.behind.count(after) > 0)
    return;
  if (!from.at_tail.empty()) {
    from.behind.try_emplace(after);
    needed_[who].emplace_back(name, after);
    return;
  }
  from.at_tail.insert(after);
  changed_.insert(name);
}

void page_hub::reply(reader_id who, reader& x, std::vector<stream_page> pages) {
  x.waits = false;
  answers_.push_back({who, std::move(pages)});
}

// @param read Number of the read before which Redis said this.
void page_hub::note_state(stream_entry& x, const stream_state& now,
                          uint64_t read) {
  auto& [name, from] = x;
  if (is_other_stream(from.known, now) || now.last < from.end) {
    if (read <= from.noted) {
      from.check = true;
      return;
    }
    cache_.forget(name);
    from.end = event_id::min();
    ++from.version;
    ++from.incarnation;
    make_due(x);
  }
  from.noted = last_number_;
  from.end = std::max(from.end, now.last);
  if (is_same(from.known, now))
    return;
  from.known = now;
  ++from.version;
}

// What a reader was opened with may be older than what the hub knows, which
// must not be undone.
// @returns whether the stream may have been replaced since the pages were read
// that the hub has, so that the reader may get none of them.
bool page_hub::note_opened(stream_entry& x, const stream_state& opened) {
  auto& from = x.second;
  if (opened.last < from.end) {
    from.check = true;
    return true;
  }
  const auto older = is_other_stream(from.known, opened)
                     && !is_other_stream(opened, from.known);
  if (!older)
    note_state(x, opened, std::numeric_limits<uint64_t>::max());
  return false;
}

// Tells readers that wait what reads found out besides events: those at the
// cursor of a read, and those that were beyond that cursor when it began. A
// reader that was opened since knows better. What a reader knows already is no
// news: otherwise each quiet stream would wake all its readers now and then.
void page_hub::tell_state(const std::vector<tail_result>& xs, bool only_at) {
  std::map<reader_id, std::vector<stream_page>> news;
  for (const auto& [what, from, full] : xs) {
    const auto i = streams_.find(what.stream);
    if (i == streams_.end())
      continue;
    const auto version = i->second.version;
    // Otherwise the hub has learned more since.
    const auto current = what.checked
                         && is_same(i->second.known,
                                    what.found.value_or(stream_state{}));
    for (auto& [who, at] : i->second.readers) {
      const auto older = at.asked >= from.number;
      const auto beyond = at.after > what.after;
      if (at.after < what.after || (beyond && (only_at || older)))
        continue;
      const auto checked = current && !(at.opened && older)
                           && at.told != version;
      if ((!checked && (!what.drained || at.drained))
          || !readers_.at(who).waits)
        continue;
      if (checked) {
        at.told = version;
        at.incarnation = i->second.incarnation;
      }
      at.drained = what.drained;
      auto& page = news[who].emplace_back(what);
      page.after = at.after;
      page.checked = checked;
    }
  }
  for (auto& [who, pages] : news)
    reply(who, readers_.at(who), std::move(pages));
}

// Events may have been removed while the read was under way, so what the hub
// has learned since then says nothing about the page.
void page_hub::keep(stream& x, const stream_page& what, const read& from) {
  if (what.last() > x.end) {
    x.end = what.last();
    x.noted = last_number_;
  }
  const auto checked = what.found.value_or(stream_state{});
  cache_.add({what, from.number, what.checked ? checked : from.known});
}

// -- tail reads ---------------------------------------------------------------

std::optional<page_hub::tail_read>
page_hub::tail_of(const std::string& name) const {
  const auto i = streams_.find(name);
  if (i == streams_.end() || i->second.at_tail.empty())
    return std::nullopt;
  const auto& x = i->second;
  return tail_read{*x.at_tail.begin(), count_of(x), x.check, x.urgent};
}

uint32_t page_hub::count_of(const stream& x) noexcept {
  return std::max(x.wanted, x.wanted_before);
}

page_hub::read page_hub::tail_begins(const std::string& name, bool checks) {
  auto& x = streams_.at(name);
  x.check = x.check && !checks;
  x.checked = checks;
  x.urgent = false;
  if (x.wanted > 0)
    x.wanted_before = std::exchange(x.wanted, 0);
  return {++last_number_, x.known};
}

void page_hub::check_next(const std::string& name) {
  if (auto i = streams_.find(name); i != streams_.end())
    i->second.check = true;
}

void page_hub::tail_checked(const std::vector<tail_result>& xs) {
  for (const auto& x : xs)
    if (auto i = streams_.find(x.page.stream); i != streams_.end())
      note_state(*i, x.page.found.value_or(stream_state{}), x.from.number);
  tell_state(xs);
}

// All pages are kept before the first reader is served, so that a reader gets
// them together.
void page_hub::tail_came(const std::vector<tail_result>& xs) {
  std::vector<kept_page> kept;
  for (const auto& x : xs)
    if (auto i = streams_.find(x.page.stream); i != streams_.end())
      kept.push_back(keep_tail(*i, x));
  for (const auto& x : kept)
    for (auto who : x.takers)
      if (auto& y = readers_.at(who); y.waits)
        serve(who, y);
  for (const auto& x : kept)
    settle_tail(x);
  cache_.shrink();
}

page_hub::kept_page page_hub::keep_tail(stream_entry& x,
                                        const tail_result& what) {
  keep(x.second, what.page, what.from);
  auto& at_tail = x.second.at_tail;
  at_tail.erase(at_tail.lower_bound(what.page.after),
                at_tail.lower_bound(what.page.last()));
  return {&what, &x, !what.full || !has_reader_at_end(x.second),
          make_due(x, what.page)};
}

// A cursor at the tail may also be one that nobody holds any more, or one in
// the future. For the readers that wait there, nothing is delayed.
bool page_hub::has_reader_at_end(const stream& x) {
  return !x.at_tail.empty()
         && std::any_of(x.readers.begin(), x.readers.end(), [&](auto& y) {
              const auto after = y.second.after;
              return after <= x.end && x.at_tail.count(after) > 0;
            });
}

// Goes on with the tail read, if a reader has taken the page. But if there may
// be more old events, and other readers stand at the end of the stream, the
// next tail read is for those.
void page_hub::settle_tail(const kept_page& x) {
  auto& [name, from] = *x.from;
  const auto& page = x.what->page;
  changed_.insert(name);
  if (std::all_of(x.takers.begin(), x.takers.end(),
                  [this](auto who) { return readers_.at(who).waits; }))
    return;
  if (x.reads_on)
    from.at_tail.insert(page.last());
  // Nobody else needs a page that the only reader took as a whole.
  if (from.readers.size() == 1
      && page.size() <= readers_.at(from.readers.begin()->first).count)
    cache_.remove(name, page.last());
}

void page_hub::tail_drained(const std::vector<tail_result>& xs) {
  for (const auto& x : xs) {
    const auto i = streams_.find(x.page.stream);
    if (i == streams_.end())
      continue;
    if (!has_waiting(i->second)) {
      i->second.at_tail.clear();
      make_due(*i);
    }
    i->second.check = true;
    changed_.insert(i->first);
  }
  tell_state(xs);
}

// -- old reads ----------------------------------------------------------------

std::vector<page_hub::old_read> page_hub::take_old_reads(size_t most) {
  std::vector<old_read> result;
  while (result.size() < most && !needed_.empty()) {
    const auto [name, after] = take_needed();
    const auto i = streams_.find(name);
    if (i == streams_.end() || i->second.refused)
      continue;
    const auto read = i->second.behind.find(after);
    if (read == i->second.behind.end() || read->second > 0)
      continue;
    const auto& readers = i->second.readers;
    if (std::none_of(readers.begin(), readers.end(),
                     [&, &after = after](auto& x) {
                       return x.second.after == after;
                     })) {
      i->second.behind.erase(read);
      continue;
    }
    read->second = ++last_number_;
    result.push_back(
      {name, after, count_of(i->second), {last_number_, i->second.known}});
  }
  return result;
}

// A reader of many streams does not keep the others from their old reads.
std::pair<std::string, event_id> page_hub::take_needed() {
  auto i = needed_.upper_bound(last_turn_);
  if (i == needed_.end())
    i = needed_.begin();
  last_turn_ = i->first;
  auto result = std::move(i->second.front());
  i->second.pop_front();
  if (i->second.empty())
    needed_.erase(i);
  return result;
}

// The answer may be that to a read from before the stream was dropped, while
// another read for the same cursor is under way.
void page_hub::old_came(const stream_page& what, const read& from) {
  const auto i = streams_.find(what.stream);
  if (i == streams_.end())
    return;
  auto& x = i->second;
  const auto under_way = x.behind.find(what.after);
  if (under_way != x.behind.end() && under_way->second <= from.number)
    x.behind.erase(under_way);
  if (what.checked)
    note_state(*i, what.found.value_or(stream_state{}), from.number);
  if (what.size() > 0) {
    keep(x, what, from);
    for (auto who : make_due(*i, what))
      serve(who, readers_.at(who));
    cache_.shrink();
    return;
  }
  x.at_tail.insert(what.after);
  changed_.insert(what.stream);
  tell_state({{what, from, false}}, true);
}

std::vector<page_hub::reader_id> page_hub::old_failed(const std::string& name,
                                                      event_id after) {
  if (auto i = streams_.find(name); i != streams_.end()) {
    i->second.behind.erase(after);
    make_due(*i);
  }
  return give_up(name, after);
}

// -- streams that Redis refuses to read ---------------------------------------

std::vector<page_hub::reader_id> page_hub::refuse(const std::string& name) {
  if (auto i = streams_.find(name); i != streams_.end()) {
    i->second.refused = true;
    i->second.at_tail.clear();
    i->second.behind.clear();
    changed_.insert(name);
  }
  return give_up(name);
}

void page_hub::accept(const std::string& name) {
  const auto i = streams_.find(name);
  if (i == streams_.end())
    return;
  i->second.refused = false;
  make_due(*i);
  for (auto& [who, at] : i->second.readers)
    if (auto& x = readers_.at(who); x.waits)
      serve(who, x);
}

std::vector<std::string> page_hub::refused() const {
  std::vector<std::string> result;
  for (const auto& [name, x] : streams_)
    if (x.refused)
      result.push_back(name);
  return result;
}

} // namespace pulse
