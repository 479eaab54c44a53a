#pragma once

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

} // namespace pulse
