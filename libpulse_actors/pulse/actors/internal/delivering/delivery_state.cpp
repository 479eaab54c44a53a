#include "pulse/actors/internal/delivering/delivery_state.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/type_ids.hpp"

#include <utility>

namespace pulse {

namespace internal {

delivery_state::~delivery_state() {
  complete(make_error(
    {errc::handler_failed,
     "the delivery was destroyed without an outcome, because an exception left "
     "its handler, an operator of the flow dropped it, or the flow ended: call "
     "ack() or fail() for each delivery"}));
}

void delivery_state::complete(caf::error why) {
  if (!completed_.exchange(true) && number_ != 0)
    box_->add(number_, std::move(why));
}

} // namespace internal

const event& delivery::operator*() const noexcept {
  return state_->what();
}

void delivery::ack() const {
  state_->complete({});
}

void delivery::fail(caf::error why) const {
  if (!why)
    why = make_error(
      {errc::handler_failed, "fail() was called without a reason"});
  // CAF's own errors mean other things to a sink: that its worker died, or even
  // that it succeeded.
  if (!is_error_of<errc>(why))
    why = make_error({errc::handler_failed, describe(why)});
  state_->complete(std::move(why));
}

} // namespace pulse
