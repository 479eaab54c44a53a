#pragma once

#include "pulse/core/slots.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace pulse::internal {

/// What an actor remembers about its open requests, by number. Neither adding
/// nor taking allocates memory, except when more requests are open than ever
/// before.
template <class T>
class request_table {
public:
  /// @returns the number of the request: not 0, and less than 2^60, as CAF
  /// requires it. A number comes again only after 2^28 requests of its slot.
  uint64_t add(T what) {
    const auto index = take_slot(slots_, free_);
    auto& x = slots_[index];
    x.generation = x.generation % max_generation + 1;
    x.content = std::move(what);
    return uint64_t{x.generation} << slot_bits | index;
  }

  /// Removes a request.
  /// @returns what add() got; nothing if the request is not open any more, for
  /// example because it was answered twice.
  std::optional<T> take(uint64_t number) {
    const auto index = static_cast<uint32_t>(number);
    if (index >= slots_.size()
        || slots_[index].generation != number >> slot_bits)
      return std::nullopt;
    auto result = std::exchange(slots_[index].content, std::nullopt);
    if (result)
      free_.push_back(index);
    return result;
  }

  /// Removes the requests that `pred` selects.
  template <class Predicate>
  void remove_if(Predicate pred) {
    for (uint32_t i = 0; i < slots_.size(); ++i)
      if (auto& x = slots_[i].content; x && pred(*x)) {
        x.reset();
        free_.push_back(i);
      }
  }

  /// Number of open requests.
  [[nodiscard]] size_t size() const noexcept {
    return slots_.size() - free_.size();
  }

private:
  static constexpr unsigned slot_bits = 32;
  static constexpr uint32_t max_generation = (1u << 28) - 1;

  struct slot {
    uint32_t generation = 0;
    std::optional<T> content;
  };

  std::vector<slot> slots_;
  std::vector<uint32_t> free_;
};

} // namespace pulse::internal
