#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace pulse {

/// Tells when everything has ended that began before a flush, though more
/// begins meanwhile. What begins belongs to the current round, and a flush
/// begins the next round.
class flush_rounds {
public:
  /// @returns the current round, to which one thing more belongs now.
  uint64_t begin_one() {
    ++open_.back();
    return last();
  }

  /// Ends one thing of that round.
  void end_one(uint64_t round) {
    --open_[round - first_];
    while (open_.size() > 1 && open_.front() == 0) {
      open_.pop_front();
      ++first_;
    }
  }

  /// @returns what to ask has_ended() for.
  uint64_t flush() {
    if (open_.back() > 0)
      open_.push_back(0);
    return last();
  }

  /// @param flushed What flush() returned.
  /// @returns whether everything has ended that began before that flush.
  [[nodiscard]] bool has_ended(uint64_t flushed) const noexcept {
    return first_ >= flushed;
  }

private:
  [[nodiscard]] uint64_t last() const noexcept {
    return first_ + open_.size() - 1;
  }

  uint64_t first_ = 0;
  // How much of each round is open; the last one is the current round.
  std::deque<size_t> open_{0};
};

} // namespace pulse
