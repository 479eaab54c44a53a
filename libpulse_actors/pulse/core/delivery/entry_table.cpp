#include "pulse/core/delivery/entry_table.hpp"

#include "pulse/core/delivery/partition.hpp"

#include <utility>

namespace pulse {

ledger_entry* entry_table::add(uint32_t stream, event content) {
  const key where{stream, content.id()};
  if (index_.count(where) > 0)
    return nullptr;
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  index_.emplace(where, slot);
  auto& x = slots_[slot];
  x = ledger_entry{};
  x.serial = next_serial_++;
  x.fetched_at = x.serial;
  x.stream = stream;
  x.id = content.id();
  x.counts = content.counts();
  x.block = blocks_.add(content);
  x.content = std::move(content);
  return &x;
}

void entry_table::erase(ledger_entry& x) {
  index_.erase(key{x.stream, x.id});
  free_.push_back(static_cast<uint32_t>(&x - slots_.data()));
  move_to(x, entry_state::free);
  drop_content(x);
  set_content_state(x, content_state::here);
  x.serial = 0;
  x.broadcast.reset();
}

void entry_table::park(ledger_entry& x) {
  if (x.has_content())
    x.partition = static_cast<uint8_t>(partition_of(x.content.topic(), x.id));
  drop_content(x);
  set_content_state(x, content_state::parked);
}

void entry_table::unpark(ledger_entry& x, event content) {
  drop_content(x);
  x.block = blocks_.add(content);
  x.content = std::move(content);
  set_content_state(x, content_state::here);
}

// Releases the memory of the event.
void entry_table::drop_content(ledger_entry& x) {
  if (!x.has_content())
    return;
  blocks_.remove(x.block);
  x.content = event{};
}

void entry_table::set_content_state(ledger_entry& x, content_state next) {
  auto is_parked = [](content_state s) {
    return s == content_state::parked || s == content_state::wanted;
  };
  const bool before = is_parked(std::exchange(x.where, next));
  if (before == is_parked(next))
    return;
  if (before) {
    --parked_in_all_;
    const auto i = parked_.find(x.stream);
    if (--i->second == 0)
      parked_.erase(i);
  } else {
    ++parked_in_all_;
    ++parked_[x.stream];
  }
}

const ledger_entry* entry_table::find(uint32_t stream, event_id id) const {
  const auto i = index_.find(key{stream, id});
  return i == index_.end() ? nullptr : &slots_[i->second];
}

ledger_entry* entry_table::find(uint32_t stream, event_id id) {
  const auto i = index_.find(key{stream, id});
  return i == index_.end() ? nullptr : &slots_[i->second];
}

std::optional<event_id> entry_table::lowest(uint32_t stream) const {
  std::optional<event_id> result;
  for (const auto& x : slots_)
    if (x.state != entry_state::free && x.stream == stream
        && (!result || x.id < *result))
      result = x.id;
  return result;
}

std::set<uint32_t> entry_table::streams() const {
  std::set<uint32_t> result;
  for (const auto& x : slots_)
    if (x.state != entry_state::free)
      result.insert(x.stream);
  return result;
}

} // namespace pulse
