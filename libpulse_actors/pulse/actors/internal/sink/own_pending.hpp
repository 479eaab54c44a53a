#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/actors/internal/sink/read_attempts.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Reads the events that are pending for this sink, but that the sink does not
/// know, for instance after a lost connection, a failed claim or a late reply.
/// It reads on the shared connection, after all acks that were sent, so that no
/// acknowledged event is delivered again.
class sink_own_pending {
public:
  sink_own_pending(sink_context& ctx, sink_intake& intake,
                   sink_outcome_writer& outcomes, sink_read_attempts& attempts)
    : ctx_(ctx), intake_(intake), outcomes_(outcomes), attempts_(attempts) {
    // nop
  }

  /// @returns whether a page is being read.
  [[nodiscard]] bool reading() const noexcept {
    return reading_;
  }

  /// Reads the next page of the streams that have to be recovered.
  /// @pre `!reading() && ctx.recovery_due()`
  void read_page();

private:
  void ask_counts();
  void on_counts(const std::vector<uint32_t>& streams,
                 const resp::reply& reply);
  [[nodiscard]] command_ptr page_command() const;
  void on_page(resp::reply& reply, std::chrono::nanoseconds sent);
  void accept(const resp::event_page& page,
              const std::vector<uint32_t>& streams);
  void skip_trimmed(const resp::event_page& page,
                    const std::vector<uint32_t>& streams);
  void finish();
  [[nodiscard]] bool has_counts(const event_block& block,
                                const std::vector<uint32_t>& streams) const;

  sink_context& ctx_;
  sink_intake& intake_;
  sink_outcome_writer& outcomes_;
  sink_read_attempts& attempts_;
  bool reading_ = false;
  // The streams of the page that is being read, and the size of the page.
  std::vector<uint32_t> asked_streams_;
  uint32_t asked_ = 0;
  // For each stream: the ID that was read last.
  std::vector<event_id> last_;
  std::map<std::pair<uint32_t, event_id>, stored_counts> counts_;
};

} // namespace pulse::internal
