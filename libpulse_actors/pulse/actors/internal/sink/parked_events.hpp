#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"

#include <memory>
#include <vector>

namespace pulse::internal {

/// Reads the contents of parked events again when the ledger wants them, and
/// reports when very many events are parked.
class sink_parked_events {
public:
  sink_parked_events(sink_context& ctx, const sink_intake& intake,
                     sink_outcome_writer& outcomes)
    : ctx_(ctx),
      intake_(intake),
      outcomes_(outcomes),
      gate_(ctx, "reads of events that had failed") {
    // nop
  }

  /// Reads wanted contents as far as there is room.
  void fetch();

  void tick();

private:
  using wanted = delivery_ledger::wanted_content;

  /// What one command asks for.
  struct page {
    uint32_t stream = 0;
    std::vector<wanted> items;
  };
  using page_ptr = std::shared_ptr<const page>;

  void read(const page_ptr& what);
  status accept(const page& what, resp::reply& reply);
  void failed(const page& what, const failure& why);

  sink_context& ctx_;
  const sink_intake& intake_;
  sink_outcome_writer& outcomes_;
  write_gate gate_;
  // The contents of how many events are being read.
  size_t reading_ = 0;
  // The streams that had parked events at the last tick.
  std::vector<uint32_t> streams_;
  bool reported_full_ = false;
};

} // namespace pulse::internal
