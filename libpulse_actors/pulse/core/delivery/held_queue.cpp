#include "pulse/core/delivery/held_queue.hpp"

#include <algorithm>

namespace pulse {

namespace {

// In a queue of at most so many items, find() compares all of them, and
// remove() moves those behind. Of a longer queue, find() compares so many of
// the first items before it uses the index.
constexpr size_t short_queue = 64;

bool is_removed(const held_event& x) noexcept {
  return x.removed;
}

} // namespace

held_event* held_queue::next(held_event* x) noexcept {
  auto* const end = items_.data() + items_.size();
  do
    ++x;
  while (x != end && x->removed);
  return x == end ? nullptr : x;
}

held_event* held_queue::previous(held_event* x) noexcept {
  auto* const begin = items_.data() + first_;
  if (x == begin)
    return nullptr;
  do
    --x;
  while (x->removed); // the item at first_ is not removed
  return x;
}

held_event* held_queue::find(const delivery_ticket& what) {
  const auto end = std::min(items_.size(), first_ + short_queue);
  for (auto i = first_; i < end; ++i)
    if (items_[i].what == what && !items_[i].removed)
      return &items_[i];
  if (end == items_.size())
    return nullptr;
  if (!has_index_)
    build_index();
  const auto i = index_.find(what);
  return i == index_.end() ? nullptr : first_from(i->second);
}

held_event* held_queue::first_from(uint64_t number) noexcept {
  const auto begin = items_.begin() + static_cast<std::ptrdiff_t>(first_);
  const auto i = std::lower_bound(begin, items_.end(), number,
                                  [](const held_event& x, uint64_t n) {
                                    return x.number < n;
                                  });
  if (i == items_.end())
    return nullptr;
  return i->removed ? next(&*i) : &*i;
}

void held_queue::push_back(held_event x) {
  x.number = next_number_++;
  x.removed = false;
  if (has_index_)
    index_.insert_or_assign(x.what, x.number);
  items_.push_back(x);
  ++size_;
}

void held_queue::remove(held_event* x) {
  if (has_index_)
    index_.erase(x->what);
  x->removed = true;
  if (--size_ == 0)
    return clear();
  const auto position = x - items_.data();
  if (position >= static_cast<std::ptrdiff_t>(first_) + 1
      && items_.size() - first_ <= short_queue)
    items_.erase(items_.begin() + position);
  while (items_[first_].removed)
    ++first_;
  while (items_.back().removed)
    items_.pop_back();
  if (items_.size() > 2 * size_ + short_queue)
    compact();
}

void held_queue::move_to(std::vector<held_event>& into) {
  into.clear();
  into.reserve(size_);
  for (auto* x = first(); x != nullptr; x = next(x))
    into.push_back(*x);
  size_ = 0;
  clear();
}

void held_queue::build_index() {
  has_index_ = true;
  for (auto* x = first(); x != nullptr; x = next(x))
    index_.insert_or_assign(x->what, x->number);
}

void held_queue::clear() noexcept {
  items_.clear();
  first_ = 0;
  index_.clear();
  has_index_ = false;
}

// The numbers do not change, so the index remains valid.
void held_queue::compact() {
  items_.erase(std::remove_if(items_.begin(), items_.end(), is_removed),
               items_.end());
  first_ = 0;
}

} // namespace pulse
