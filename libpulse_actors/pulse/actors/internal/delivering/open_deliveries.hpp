#pragma once

#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/delivering/delivery_state.hpp"
#include "pulse/actors/internal/handling/outcome.hpp"

#include <caf/response_promise.hpp>

#include <memory>
#include <unordered_map>
#include <utility>

namespace pulse::internal {

/// The deliveries of a subscriber that have no outcome yet. It lives in the
/// state of that actor, which handles `caf::update_atom`.
template <class Self>
class open_deliveries {
public:
  /// @param self The actor; must outlive this.
  explicit open_deliveries(Self self)
    : self_(self), box_(std::make_shared<outcome_box>(self->address())) {
    // nop
  }

  /// Makes a delivery of the event that the actor handles now.
  /// @param wants_outcome Whether an outcome matters although the sender waits
  /// for no answer.
  /// @returns the delivery, and the answer of the handler.
  std::pair<delivery, caf::response_promise> add(const event& x,
                                                 bool wants_outcome) {
    auto promise = new_promise(self_);
    uint64_t number = 0;
    if (promise.pending() || wants_outcome) {
      number = ++last_;
      open_.emplace(number, entry{x, promise});
    }
    return {delivery{std::make_shared<delivery_state>(x, number, box_)},
            std::move(promise)};
  }

  /// To be called for each `caf::update_atom`: passes the outcomes on that have
  /// arrived.
  /// @param from The sink; gets those of manual mode as messages.
  template <class Sink>
  void settle(const Sink& from) {
    for (auto& x : box_->take())
      if (auto found = open_.extract(x.number)) {
        auto& [what, promise] = found.mapped();
        internal::settle(self_, from, what, promise, x.why);
      }
  }

  /// Whoever waits for the outcomes is gone.
  void clear() {
    open_.clear();
  }

  [[nodiscard]] size_t size() const noexcept {
    return open_.size();
  }

private:
  /// An empty promise: the sink wants messages.
  struct entry {
    event what;
    caf::response_promise promise;
  };

  Self self_;
  std::shared_ptr<outcome_box> box_;
  std::unordered_map<uint64_t, entry> open_;
  uint64_t last_ = 0;
};

} // namespace pulse::internal
