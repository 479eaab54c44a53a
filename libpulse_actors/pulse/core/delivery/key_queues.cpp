#include "pulse/core/delivery/key_queues.hpp"

namespace pulse {

bool key_queues::enter(uint64_t key, const delivery_ticket& x) {
  auto [i, is_new] = waiting_.try_emplace(key);
  if (!is_new)
    i->second.items.push_back(x);
  return is_new;
}

std::optional<delivery_ticket> key_queues::next(uint64_t key) {
  const auto i = waiting_.find(key);
  auto& [items, first, parks] = i->second;
  if (first == items.size()) {
    waiting_.erase(i);
    return std::nullopt;
  }
  const auto result = items[first++];
  // The events that had their turn are removed when they are half of the queue.
  // So each event is moved at most once on average.
  if (2 * first >= items.size()) {
    items.erase(items.begin(),
                items.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
  return result;
}

} // namespace pulse
