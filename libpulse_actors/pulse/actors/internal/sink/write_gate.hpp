#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"

#include <string>

namespace pulse::internal {

/// Decides when one kind of writing is tried again after Redis did not confirm
/// it. Each kind has a gate of its own: a dead letter that Redis refuses does
/// not delay the acks.
class write_gate {
public:
  /// @param what What is written, for the log, e.g. "acks".
  write_gate(sink_context& ctx, std::string what)
    : ctx_(ctx), what_(std::move(what)), random_(ctx.env.new_engine()) {
    // nop
  }

  [[nodiscard]] bool is_open() const {
    return ctx_.now() >= not_before_;
  }

  /// Closes the gate for a while. Of several failures in a row, the first one
  /// is logged.
  void failed(const failure& why) {
    if (!std::exchange(failing_, true))
      ctx_.report(log_level::warning, "Redis did not confirm " + what_ + ": "
                                        + to_string(why) + "; trying again");
    not_before_ = ctx_.now() + pause_.next(random_);
  }

  void worked() {
    if (std::exchange(failing_, false))
      ctx_.report(log_level::info, what_ + " are confirmed again");
    pause_.reset();
  }

private:
  sink_context& ctx_;
  std::string what_;
  random_engine random_;
  sink_context::time_point not_before_;
  bool failing_ = false;
  reconnect_backoff pause_{milliseconds{100}, milliseconds{1'500}};
};

} // namespace pulse::internal
