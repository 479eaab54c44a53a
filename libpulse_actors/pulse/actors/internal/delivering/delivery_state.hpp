#pragma once

#include "pulse/actors/delivery.hpp"
#include "pulse/actors/internal/delivering/outcome_box.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace pulse::internal {

/// The part of a delivery that its copies share.
class delivery_state {
public:
  /// @param number Identifies the delivery to the owner of the box. 0: nobody
  /// waits for an outcome.
  delivery_state(event what, uint64_t number, std::shared_ptr<outcome_box> box)
    : what_(std::move(what)), number_(number), box_(std::move(box)) {
    // nop
  }

  delivery_state(const delivery_state&) = delete;
  delivery_state& operator=(const delivery_state&) = delete;

  ~delivery_state();

  [[nodiscard]] const event& what() const noexcept {
    return what_;
  }

  /// Passes the outcome on, unless there was one. An empty error acknowledges.
  void complete(caf::error why);

private:
  event what_;
  uint64_t number_;
  std::shared_ptr<outcome_box> box_;
  std::atomic<bool> completed_ = false;
};

} // namespace pulse::internal
