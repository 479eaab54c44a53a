#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"

namespace pulse::internal {

/// Decides when a sink may read again after a failed read of new events or of
/// its own pending events: the pauses grow with each failure.
class sink_read_attempts {
public:
  explicit sink_read_attempts(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  [[nodiscard]] bool may_read() const {
    return ctx_.now() >= not_before_;
  }

  /// @returns when the sink may read again, if that is later than now.
  [[nodiscard]] sink_context::time_point next_time() const {
    return may_read() ? sink_context::time_point::max() : not_before_;
  }

  /// Call this after a read of new events succeeded.
  void succeeded() {
    if (failures_ > 0)
      ctx_.report(log_level::info, "the sink reads again");
    failures_ = 0;
    pause_.reset();
  }

  /// Call this after a read failed.
  /// @param asked How many events it asked for.
  void failed(uint32_t asked, const failure& why) {
    ++ctx_.counts.read_failures;
    ctx_.pages.failed(asked, why.code);
    not_before_ = ctx_.now() + pause_.next(random_);
    if (!ctx_.closing && failures_++ == 0)
      ctx_.report(log_level::warning,
                  "a read failed: " + to_string(why) + "; trying again");
  }

private:
  sink_context& ctx_;
  uint64_t failures_ = 0;
  sink_context::time_point not_before_;
  reconnect_backoff pause_{milliseconds{100}, milliseconds{1'500}};
  random_engine random_;
};

} // namespace pulse::internal
