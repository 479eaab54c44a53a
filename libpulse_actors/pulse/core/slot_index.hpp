#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pulse {

/// Finds the slots of a table by hashes: a hash table that stores numbers only.
/// The table itself has the keys. Adding and removing a slot allocates no
/// memory unless the index has to grow, and a slot takes 11 to 21 bytes.
class slot_index {
public:
  /// @param is_it Called with slots whose hash may be `hash`; returns whether
  /// the slot is the one that is sought.
  template <class F>
  [[nodiscard]] std::optional<uint32_t> find(uint64_t hash, F is_it) const {
    if (cells_.empty())
      return std::nullopt;
    const auto tag = tag_of(hash);
    for (auto i = tag & mask(); !cells_[i].empty(); i = (i + 1) & mask())
      if (cells_[i].tag == tag && is_it(cells_[i].slot))
        return cells_[i].slot;
    return std::nullopt;
  }

  /// @pre the index does not have this slot
  void insert(uint64_t hash, uint32_t slot) {
    if (4 * (size_ + 1) > 3 * cells_.size())
      grow();
    ++size_;
    put({tag_of(hash), slot});
  }

  /// @pre the slot was inserted with that hash
  void erase(uint64_t hash, uint32_t slot) noexcept {
    auto i = tag_of(hash) & mask();
    while (cells_[i].slot != slot)
      i = (i + 1) & mask();
    --size_;
    close_gap(i);
  }

  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

private:
  static constexpr uint32_t no_slot = UINT32_MAX;

  struct cell {
    uint32_t tag = 0;
    uint32_t slot = no_slot;

    [[nodiscard]] bool empty() const noexcept {
      return slot == no_slot;
    }
  };

  // Half of a good hash. The hash of an integer may be that integer, and IDs
  // that follow each other differ in a few bits only.
  static uint32_t tag_of(uint64_t hash) noexcept {
    return static_cast<uint32_t>((hash * 0x9E3779B97F4A7C15ull) >> 32);
  }

  // The number of cells is a power of two.
  [[nodiscard]] size_t mask() const noexcept {
    return cells_.size() - 1;
  }

  void put(const cell& x) noexcept {
    auto i = x.tag & mask();
    while (!cells_[i].empty())
      i = (i + 1) & mask();
    cells_[i] = x;
  }

  void grow() {
    std::vector<cell> before(cells_.empty() ? 16 : 2 * cells_.size());
    before.swap(cells_);
    for (const auto& x : before)
      if (!x.empty())
        put(x);
  }

  // Moves later cells to the front that would not be found behind the gap.
  void close_gap(size_t gap) noexcept {
    for (auto i = (gap + 1) & mask(); !cells_[i].empty();
         i = (i + 1) & mask()) {
      const auto wanted = cells_[i].tag & mask();
      if (((i - wanted) & mask()) < ((i - gap) & mask()))
        continue;
      cells_[gap] = cells_[i];
      gap = i;
    }
    cells_[gap] = {};
  }

  std::vector<cell> cells_;
  size_t size_ = 0;
};

} // namespace pulse
