#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>
#include <vector>

namespace pulse {

/// Bounds the adds of a producer that are open: given to the producer, and
/// neither confirmed nor reported as failed. Who finds no room waits, and
/// enters in the order of coming: a small event does not overtake a large one,
/// so that the large one gets its turn.
/// @tparam Waiter What waits for room.
template <class Waiter>
class add_window {
  struct place {
    uint64_t bytes;
    Waiter who;
  };

public:
  /// Names a waiter.
  using ticket = typename std::list<place>::iterator;

  /// @param max_open Maximum number of open adds, at least 1.
  /// @param max_bytes Maximum size of all open adds. An add that is larger than
  /// this enters while no other one is open.
  add_window(uint32_t max_open, uint64_t max_bytes) noexcept
    : max_open_(max_open), max_bytes_(max_bytes) {
    // nop
  }

  /// Enters, if there is room and nobody waits. @returns whether it did.
  bool try_enter(uint64_t bytes) noexcept {
    if (!waiting_.empty() || !has_room(bytes))
      return false;
    enter(bytes);
    return true;
  }

  /// Appends a waiter. Call this only if try_enter() returned false.
  ticket wait(uint64_t bytes, Waiter who) {
    waiting_bytes_ += bytes;
    return waiting_.insert(waiting_.end(), {bytes, std::move(who)});
  }

  /// Ends an open add, and calls `admit` with each waiter that enters then.
  template <class F>
  void leave(uint64_t bytes, F admit) {
    --open_;
    open_bytes_ -= bytes;
    admit_waiting(admit);
  }

  /// Ends an open add and begins another one in its place, ahead of those that
  /// wait. @returns whether it did; it does not if the other one is too large.
  bool replace(uint64_t leaving, uint64_t entering) noexcept {
    if (open_ > 1 && open_bytes_ - leaving + entering > max_bytes_)
      return false;
    open_bytes_ = open_bytes_ - leaving + entering;
    most_open_bytes_ = std::max(most_open_bytes_, open_bytes_);
    return true;
  }

  /// Removes a waiter, which does not enter. Calls `admit` with each waiter
  /// that had to wait for that one only.
  template <class F>
  void give_up(ticket x, F admit) {
    waiting_bytes_ -= x->bytes;
    waiting_.erase(x);
    admit_waiting(admit);
  }

  /// Removes the waiters for which `is_over` is true and calls `drop` with
  /// them. Calls `admit` with each waiter that enters then.
  template <class P, class D, class F>
  void give_up_if(P is_over, D drop, F admit) {
    for (auto i = waiting_.begin(); i != waiting_.end();) {
      if (!is_over(i->who)) {
        ++i;
        continue;
      }
      waiting_bytes_ -= i->bytes;
      drop(i->who);
      i = waiting_.erase(i);
    }
    admit_waiting(admit);
  }

  /// Removes and returns all waiters, in their order.
  std::vector<Waiter> give_up_all() {
    std::vector<Waiter> result;
    for (auto& x : waiting_)
      result.push_back(std::move(x.who));
    waiting_.clear();
    waiting_bytes_ = 0;
    return result;
  }

  [[nodiscard]] size_t open() const noexcept {
    return open_;
  }

  [[nodiscard]] uint64_t open_bytes() const noexcept {
    return open_bytes_;
  }

  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_.size();
  }

  [[nodiscard]] uint64_t waiting_bytes() const noexcept {
    return waiting_bytes_;
  }

  /// @returns the highest number of adds that were open at the same time.
  [[nodiscard]] size_t most_open() const noexcept {
    return most_open_;
  }

  /// @returns the highest size of the adds that were open at the same time.
  [[nodiscard]] uint64_t most_open_bytes() const noexcept {
    return most_open_bytes_;
  }

private:
  [[nodiscard]] bool has_room(uint64_t bytes) const noexcept {
    if (open_ == 0)
      return true;
    return open_ < max_open_ && open_bytes_ <= max_bytes_
           && bytes <= max_bytes_ - open_bytes_;
  }

  void enter(uint64_t bytes) noexcept {
    ++open_;
    open_bytes_ += bytes;
    most_open_ = std::max(most_open_, open_);
    most_open_bytes_ = std::max(most_open_bytes_, open_bytes_);
  }

  template <class F>
  void admit_waiting(F& admit) {
    while (!waiting_.empty() && has_room(waiting_.front().bytes)) {
      auto x = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= x.bytes;
      enter(x.bytes);
      admit(x.who);
    }
  }

  size_t max_open_;
  uint64_t max_bytes_;
  size_t open_ = 0;
  uint64_t open_bytes_ = 0;
  size_t most_open_ = 0;
  uint64_t most_open_bytes_ = 0;
  std::list<place> waiting_;
  uint64_t waiting_bytes_ = 0;
};

} // namespace pulse
