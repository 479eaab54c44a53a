#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/core/delivery/fetch_window.hpp"

namespace pulse::internal {

/// What a sink takes in: decides how many more events it wants, and what
/// becomes of each event that Redis gave to it.
class sink_intake {
public:
  sink_intake(sink_context& ctx, sink_outcome_writer& outcomes)
    : ctx_(ctx), outcomes_(outcomes), window_(ctx.options.max_in_flight) {
    // nop
  }

  /// Adapts the window to how many events were finished meanwhile.
  void update_window() {
    window_.settled(outcomes_.take_acked(), ctx_.now());
  }

  /// @returns how many more events the sink wants.
  [[nodiscard]] size_t demand() const;

  /// An event came, in whatever way: a wanted one goes to the ledger, one that
  /// the filter does not want is acknowledged, a malformed one given up.
  /// @param crash_candidate Whether a node died that may have worked on the
  /// event.
  void accept(uint32_t stream, event x, bool crash_candidate = false);

private:
  sink_context& ctx_;
  sink_outcome_writer& outcomes_;
  fetch_window window_;
};

} // namespace pulse::internal
