#include "pulse/core/delivery/entry_table.hpp"

#include "pulse/core/delivery/partition.hpp"
#include "pulse/core/slots.hpp"

#include <utility>

namespace pulse {

ledger_entry* entry_table::add(uint32_t stream, event content) {
  const auto id = content.id();
  if (slot_of(stream, id))
    return nullptr;
  const auto slot = take_slot(slots_, free_);
  index_.insert(hash_of(stream, id), slot);
  auto& x = slots_[slot];
  x = ledger_entry{};
  x.serial = next_serial_++;
  x.fetched_at = x.serial;
  x.stream = stream;
  x.id = id;
  x.counts = content.counts();
  set_content(x, std::move(content));
  return &x;
}

void entry_table::erase(ledger_entry& x) {
  const auto slot = static_cast<uint32_t>(&x - slots_.data());
  index_.erase(hash_of(x.stream, x.id), slot);
  free_.push_back(slot);
  move_to(x, entry_state::free);
  drop_content(x);
  set_content_state(x, content_state::here);
  x.serial = 0;
  x.broadcast.reset();
}

void entry_table::park(ledger_entry& x) {
  if (x.has_content())
    x.partition = static_cast<uint8_t>(partition_of(x.topic(), x.id));
  drop_content(x);
  set_content_state(x, content_state::parked);
}

void entry_table::unpark(ledger_entry& x, event content) {
  drop_content(x);
  set_content(x, std::move(content));
  set_content_state(x, content_state::here);
}

void entry_table::set_content(ledger_entry& x, event content) {
  x.held_block = blocks_.add(content);
  x.index = content.index();
  x.block = std::move(content).block();
}

// Releases the memory of the event.
void entry_table::drop_content(ledger_entry& x) {
  if (!x.has_content())
    return;
  blocks_.remove(x.held_block);
  x.block.reset();
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
  const auto slot = slot_of(stream, id);
  return slot ? &slots_[*slot] : nullptr;
}

ledger_entry* entry_table::find(uint32_t stream, event_id id) {
  const auto slot = slot_of(stream, id);
  return slot ? &slots_[*slot] : nullptr;
}

std::optional<uint32_t> entry_table::slot_of(uint32_t stream,
                                             event_id id) const {
  return index_.find(hash_of(stream, id), [&](uint32_t slot) {
    return slots_[slot].id == id && slots_[slot].stream == stream;
  });
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
