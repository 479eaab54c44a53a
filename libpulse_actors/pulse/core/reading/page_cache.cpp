#include "pulse/core/reading/page_cache.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulse {

namespace {

// @returns how many bytes a page keeps in memory, about: all of its block, of
// which it is the larger part, see detach().
size_t bytes_of(const stream_page& x) {
  return x.block->bytes.size() + x.block->extents.size() * sizeof(event_extent);
}

// @returns whether no event was removed between two answers of Redis.
bool same_removals(const stream_state& before, const stream_state& now) {
  return before.removed() == now.removed()
         && before.max_deleted == now.max_deleted
         && (before.first == now.first || before.first == event_id::min())
         && before.added <= now.added && before.last <= now.last;
}

// @returns whether a page that ends after the cursor may be given to a reader.
bool suits(const page_cache::entry& x, const page_cache::query& y) {
  if (x.page.after > y.after)
    return false;
  if (x.read > y.asked)
    return true;
  return !y.fresh && (!y.opened || same_removals(x.known, *y.opened));
}

// @returns whether a page suits each reader that another page suits, which ends
// with the same event.
bool replaces(const page_cache::entry& x, const page_cache::entry& other) {
  return x.page.after <= other.page.after && x.read >= other.read
         && same_removals(x.known, other.known);
}

// @returns the part of a page that answers a query, which the page suits.
stream_page part_of(const page_cache::entry& from, const page_cache::query& y) {
  const auto& x = from.page;
  auto result = x;
  const auto* all = x.block->extents.data();
  const auto* first
    = std::upper_bound(all + x.begin, all + x.end, y.after,
                       [](event_id id, auto& z) { return id < z.id; });
  result.begin = static_cast<uint32_t>(first - all);
  result.end = std::min(x.end, result.begin + y.count);
  result.after = y.after;
  const auto knows_better = y.opened && from.read <= y.asked;
  if (x.after != y.after || knows_better) {
    result.checked = false;
    result.found.reset();
  }
  return result;
}

} // namespace

void page_cache::add(entry x) {
  const auto stream = streams_.try_emplace(x.page.stream).first;
  const auto last = x.page.last();
  if (auto old = stream->second.find(last); old != stream->second.end()) {
    if (replaces(old->second.what, x))
      return;
    erase(stream, old);
  }
  erase_covered(stream, x);
  const auto bytes = bytes_of(x.page);
  const auto after = x.page.after;
  bytes_ += bytes;
  events_ += x.page.size();
  ++count_;
  order_.push_back({stream->first, last, ++last_number_});
  const auto added = stream->second.emplace(
    last, cached{std::move(x), last_number_, bytes, after});
  note_after(stream->second, added.first);
}

std::optional<stream_page> page_cache::find(const std::string& stream,
                                            const query& x) const {
  const auto i = streams_.find(stream);
  if (i == streams_.end())
    return std::nullopt;
  const auto& all = i->second;
  auto found = all.upper_bound(x.after);
  for (; found != all.end() && found->second.lowest_after <= x.after; ++found)
    if (suits(found->second.what, x))
      return part_of(found->second.what, x);
  return std::nullopt;
}

void page_cache::remove(const std::string& stream, event_id last) {
  const auto i = streams_.find(stream);
  if (i == streams_.end())
    return;
  if (auto x = i->second.find(last); x != i->second.end())
    erase(i, x);
  if (i->second.empty())
    streams_.erase(i);
}

void page_cache::forget(const std::string& stream) {
  const auto i = streams_.find(stream);
  if (i == streams_.end())
    return;
  while (!i->second.empty())
    erase(i, i->second.begin());
  streams_.erase(i);
}

void page_cache::erase(std::map<std::string, pages>::iterator stream,
                       pages::iterator x) {
  bytes_ -= x->second.bytes;
  events_ -= x->second.what.page.size();
  --count_;
  stream->second.erase(x);
}

// Removes the older pages whose events are all in a page that is about to be
// added.
void page_cache::erase_covered(std::map<std::string, pages>::iterator stream,
                               const entry& x) {
  auto& all = stream->second;
  const auto end = all.lower_bound(x.page.last());
  for (auto i = all.upper_bound(x.page.after); i != end;) {
    const auto old = i++;
    if (old->second.what.page.after >= x.page.after
        && old->second.what.read <= x.read)
      erase(stream, old);
  }
}

// Nearly always, the page before begins before the added one, so the loop ends
// at once.
void page_cache::note_after(pages& all, pages::iterator added) {
  auto& lowest = added->second.lowest_after;
  if (auto next = std::next(added); next != all.end())
    lowest = std::min(lowest, next->second.lowest_after);
  for (auto i = added; i != all.begin();) {
    auto& before = (--i)->second.lowest_after;
    if (before <= lowest)
      return;
    before = lowest;
  }
}

void page_cache::shrink() {
  while (order_.size() > 1
         && (bytes_ > limits_.bytes || events_ > limits_.events
             || order_.size() > 2 * count_ + 16)) {
    const auto oldest = std::move(order_.front());
    order_.pop_front();
    const auto i = streams_.find(oldest.stream);
    if (i == streams_.end())
      continue;
    const auto x = i->second.find(oldest.last);
    if (x == i->second.end() || x->second.number != oldest.number)
      continue;
    erase(i, x);
    if (i->second.empty())
      streams_.erase(i);
  }
}

} // namespace pulse
