#pragma once

#include <cstdint>
#include <vector>

namespace pulse {

/// Makes room for one more item. A vector that grows by itself doubles its
/// memory; this one grows by an eighth, for tables that hold many items for
/// long.
template <class T>
void reserve_one_more(std::vector<T>& xs) {
  if (xs.size() == xs.capacity())
    xs.reserve(xs.size() + xs.size() / 8 + 16);
}

/// Takes a slot of a table: a free one, or else a new one at the end.
/// @param free The indexes of the free slots.
/// @returns the index of the slot, which is not free any more.
template <class T>
uint32_t take_slot(std::vector<T>& slots, std::vector<uint32_t>& free) {
  if (free.empty()) {
    reserve_one_more(slots);
    slots.emplace_back();
    return static_cast<uint32_t>(slots.size() - 1);
  }
  const auto result = free.back();
  free.pop_back();
  return result;
}

} // namespace pulse
