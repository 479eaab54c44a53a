#include "pulse/core/reading/page_hub.hpp"

#include <algorithm>
#include <iterator>

namespace pulse {

namespace {

// The streams of a kept request are in the order of their names, since a reader
// may have thousands of them.
void sort_streams(page_request& x) {
  std::sort(x.streams.begin(), x.streams.end(),
            [](auto& a, auto& b) { return a.name < b.name; });
}

const page_request::stream* find_in(const page_request& x,
                                    const std::string& stream) {
  const auto i = std::lower_bound(x.streams.begin(), x.streams.end(), stream,
                                  [](auto& a, auto& b) { return a.name < b; });
  return i == x.streams.end() || i->name != stream ? nullptr : &*i;
}

} // namespace

// -- readers ------------------------------------------------------------------

void page_hub::ask(reader_id who, page_request what) {
  auto& x = readers_[who];
  sort_streams(what);
  set_streams(who, x, what);
  x.request = std::move(what);
  x.asked = ++last_number_;
  x.waits = !x.request.streams.empty();
  if (x.waits)
    serve(who, x);
}

void page_hub::leave(reader_id who) {
  const auto i = readers_.find(who);
  if (i == readers_.end())
    return;
  set_streams(who, i->second, {});
  readers_.erase(i);
}

// Most requests name the streams of the one before.
void page_hub::set_streams(reader_id who, const reader& before,
                           const page_request& next) {
  for (const auto& x : before.request.streams) {
    if (find_in(next, x.name) != nullptr)
      continue;
    const auto i = streams_.find(x.name);
    i->second.readers.erase(who);
    if (!i->second.readers.empty())
      continue;
    cache_.forget(x.name);
    streams_.erase(i);
    changed_.insert(x.name);
  }
  for (const auto& x : next.streams) {
    const auto i = streams_.try_emplace(x.name).first;
    i->second.readers.insert(who);
    if (x.opened)
      note_opened(x.name, i->second, *x.opened);
  }
}

std::vector<page_hub::reader_id>
page_hub::give_up(const std::string& name, std::optional<event_id> cursor) {
  std::vector<reader_id> result;
  const auto i = streams_.find(name);
  if (i == streams_.end())
    return result;
  for (auto who : i->second.readers) {
    auto& x = readers_.at(who);
    if (!x.waits || (cursor && find_in(x.request, name)->after != *cursor))
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
  for (const auto& y : x.request.streams) {
    auto& from = streams_.at(y.name);
    auto page = cache_.find(y.name, {y.after, x.request.count, y.opened,
                                     x.asked, y.fresh});
    if (page)
      pages.push_back(std::move(*page));
    else
      need(who, y.name, from, y.after);
    from.check = from.check || y.check;
  }
  if (!pages.empty())
    return reply(who, x, std::move(pages));
  for (auto& y : x.request.streams)
    if (auto& from = streams_.at(y.name); std::exchange(y.check, false)
                                          && from.at_tail.count(y.after) > 0
                                          && (y.fresh || !from.checked)) {
      from.urgent = true;
      changed_.insert(y.name);
    }
}

void page_hub::serve_all(const stream& x) {
  for (auto who : x.readers)
    if (auto& y = readers_.at(who); y.waits)
      serve(who, y);
}

bool page_hub::has_waiting(const stream& x) const {
  return std::any_of(x.readers.begin(), x.readers.end(),
                     [this](auto who) { return readers_.at(who).waits; });
}

bool page_hub::has_reader_at(const stream_map::value_type& x,
                             event_id cursor) const {
  const auto& [name, stream] = x;
  return std::any_of(stream.readers.begin(), stream.readers.end(),
                     [&, &name = name](auto who) {
                       return find_in(readers_.at(who).request, name)->after
                              == cursor;
                     });
}

void page_hub::need(reader_id who, const std::string& name, stream& x,
                    event_id after) {
  if (x.refused || x.at_tail.count(after) > 0 || x.behind.count(after) > 0)
    return;
  if (!x.at_tail.empty()) {
    x.behind.try_emplace(after);
    needed_[who].emplace_back(name, after);
    return;
  }
  x.at_tail.insert(after);
  changed_.insert(name);
}

void page_hub::reply(reader_id who, reader& x, std::vector<stream_page> pages) {
  x.waits = false;
  answers_.push_back({who, std::move(pages)});
}

uint32_t page_hub::count_of(const stream& x) const {
  uint32_t result = 1;
  for (auto who : x.readers)
    result = std::max(result, readers_.at(who).request.count);
  return result;
}

void page_hub::note_state(const std::string& name, stream& x,
                          const stream_state& now) {
  if (is_other_stream(x.known, now))
    cache_.forget(name);
  x.known = now;
}

// A reader repeats what it was opened with until it has events. Meanwhile the
// hub may have learned more, which must not be undone.
void page_hub::note_opened(const std::string& name, stream& x,
                           const stream_state& opened) {
  const auto older = is_other_stream(x.known, opened)
                     && !is_other_stream(opened, x.known);
  if (!older)
    note_state(name, x, opened);
}

// Tells readers that wait what reads found out besides events: those at the
// cursor of a read, and those that were beyond that cursor when it began. A
// reader that was opened since knows better.
void page_hub::tell_state(const std::vector<tail_result>& xs, bool only_at) {
  std::map<reader_id, std::vector<stream_page>> news;
  for (const auto& [what, from, full] : xs) {
    const auto i = streams_.find(what.stream);
    if (i == streams_.end())
      continue;
    for (auto who : i->second.readers) {
      auto& y = readers_.at(who);
      const auto& at = *find_in(y.request, what.stream);
      const auto older = y.asked >= from.number;
      const auto beyond = at.after > what.after;
      if (!y.waits || at.after < what.after || (beyond && (only_at || older))
          || (at.opened && older && !what.drained))
        continue;
      auto& page = news[who].emplace_back(what);
      page.after = at.after;
      page.checked = what.checked && !(at.opened && older);
    }
  }
  for (auto& [who, pages] : news)
    reply(who, readers_.at(who), std::move(pages));
}

// Events may have been removed while the read was under way, so what the hub
// has learned since then says nothing about the page.
void page_hub::keep(const stream_page& what, const read& from) {
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

page_hub::read page_hub::tail_begins(const std::string& name, bool checks) {
  auto& x = streams_.at(name);
  x.check = x.check && !checks;
  x.checked = checks;
  x.urgent = false;
  return {++last_number_, x.known};
}

void page_hub::check_next(const std::string& name) {
  if (auto i = streams_.find(name); i != streams_.end())
    i->second.check = true;
}

void page_hub::tail_checked(const std::vector<tail_result>& xs) {
  for (const auto& x : xs)
    if (auto i = streams_.find(x.page.stream); i != streams_.end())
      note_state(i->first, i->second, x.page.found.value_or(stream_state{}));
  tell_state(xs);
}

// All pages are kept before the first reader is served, so that a reader gets
// them together.
void page_hub::tail_came(const std::vector<tail_result>& xs) {
  std::vector<kept_page> kept;
  for (const auto& x : xs)
    if (auto i = streams_.find(x.page.stream); i != streams_.end())
      kept.push_back(keep_tail(i->second, x));
  std::set<reader_id> served;
  for (const auto& x : kept)
    for (auto who : x.from->readers)
      if (readers_.at(who).waits)
        served.insert(who);
  for (auto i = served.begin(); i != served.end();) {
    auto& x = readers_.at(*i);
    serve(*i, x);
    i = x.waits ? served.erase(i) : std::next(i);
  }
  for (const auto& x : kept)
    settle_tail(x, served);
  cache_.shrink();
}

page_hub::kept_page page_hub::keep_tail(stream& x, const tail_result& what) {
  keep(what.page, what.from);
  auto& at_tail = x.at_tail;
  at_tail.erase(at_tail.lower_bound(what.page.after),
                at_tail.lower_bound(what.page.last()));
  return {&what.page, &x, !what.full || at_tail.empty()};
}

// Goes on with the tail read, if a reader has taken the page. But if there may
// be more old events, and other readers stand at the end of the stream, the
// next tail read is for those.
void page_hub::settle_tail(const kept_page& x,
                           const std::set<reader_id>& served) {
  auto& readers = x.from->readers;
  const auto& name = x.page->stream;
  changed_.insert(name);
  if (std::none_of(readers.begin(), readers.end(),
                   [&](auto who) { return served.count(who) > 0; }))
    return;
  if (x.reads_on)
    x.from->at_tail.insert(x.page->last());
  // Nobody else needs a page that the only reader took as a whole.
  if (readers.size() == 1
      && x.page->size() <= readers_.at(*readers.begin()).request.count)
    cache_.remove(name, x.page->last());
}

void page_hub::tail_drained(const std::vector<tail_result>& xs) {
  for (const auto& x : xs) {
    const auto i = streams_.find(x.page.stream);
    if (i == streams_.end())
      continue;
    if (!has_waiting(i->second))
      i->second.at_tail.clear();
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
    if (!has_reader_at(*i, after)) {
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
    note_state(what.stream, x, what.found.value_or(stream_state{}));
  if (what.size() > 0) {
    keep(what, from);
    serve_all(x);
    cache_.shrink();
    return;
  }
  x.at_tail.insert(what.after);
  changed_.insert(what.stream);
  tell_state({{what, from, false}}, true);
}

std::vector<page_hub::reader_id> page_hub::old_failed(const std::string& name,
                                                      event_id after) {
  if (auto i = streams_.find(name); i != streams_.end())
    i->second.behind.erase(after);
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
  serve_all(i->second);
}

std::vector<std::string> page_hub::refused() const {
  std::vector<std::string> result;
  for (const auto& [name, x] : streams_)
    if (x.refused)
      result.push_back(name);
  return result;
}

} // namespace pulse
