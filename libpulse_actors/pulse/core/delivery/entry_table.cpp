#include "pulse/core/delivery/entry_table.hpp"

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
  x.stream = stream;
  x.content = std::move(content);
  return &x;
}

void entry_table::erase(ledger_entry& x) {
  index_.erase(key{x.stream, x.content.id()});
  free_.push_back(static_cast<uint32_t>(&x - slots_.data()));
  move_to(x, entry_state::free);
  x.serial = 0;
  x.content = event{}; // releases the memory of the event
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
        && (!result || x.content.id() < *result))
      result = x.content.id();
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
