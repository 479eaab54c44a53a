#include "pulse/core/delivery/key_queues.hpp"

#include "pulse/core/slots.hpp"

namespace pulse {

namespace {

// A queue that is not needed any more keeps its memory for another key, unless
// it was a long one.
constexpr size_t kept_capacity = 16;

} // namespace

bool key_queues::enter(uint64_t key, const delivery_ticket& x) {
  const auto i = find(key);
  if (!i) {
    begin_turn(key);
    return true;
  }
  queue_of(turns_[*i]).items.push_back(x);
  return false;
}

std::optional<delivery_ticket> key_queues::next(uint64_t key) {
  const auto i = *find(key);
  if (turns_[i].queue == no_queue) {
    end_turn(i);
    return std::nullopt;
  }
  auto& [items, first] = queues_[turns_[i].queue];
  if (first == items.size()) {
    end_turn(i);
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

void key_queues::begin_turn(uint64_t key) {
  const auto i = take_slot(turns_, free_turns_);
  turns_[i].key = key;
  index_.insert(key, i);
}

void key_queues::end_turn(uint32_t i) {
  auto& x = turns_[i];
  index_.erase(x.key, i);
  if (x.queue != no_queue) {
    auto& [items, first] = queues_[x.queue];
    items.clear();
    first = 0;
    if (items.capacity() > kept_capacity)
      items.shrink_to_fit();
    free_queues_.push_back(x.queue);
  }
  x = {};
  free_turns_.push_back(i);
}

key_queues::queue& key_queues::queue_of(turn& x) {
  if (x.queue == no_queue)
    x.queue = take_slot(queues_, free_queues_);
  return queues_[x.queue];
}

} // namespace pulse
