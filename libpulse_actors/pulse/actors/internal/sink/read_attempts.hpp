#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/backoff.hpp"

namespace pulse::internal {

/// How the reads of a sink go, those of new events and those of its own pending
/// ones: after a failure the next read waits, longer each time.
class sink_read_attempts {
public:
  explicit sink_read_attempts(sink_context& ctx)
    : ctx_(ctx), random_(ctx.env.new_engine()) {
    // nop
  }

  [[nodiscard]] bool may_read() const {
    return ctx_.now() >= not_before_;
  }

  /// A read of new events succeeded.
  void succeeded() {
    if (failures_ > 0)
      ctx_.report(log_level::info, "reads again");
    failures_ = 0;
    pause_.reset();
  }

  /// A read failed that asked for up to `asked` events of each stream.
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
