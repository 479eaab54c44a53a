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

  /// Reads the next page of the streams that have to be recovered, if the sink
  /// has room for it.
  /// @pre `!reading() && ctx.recovery_due()`
  void read_page();

  /// Lets the leases of events end that nobody is about to read any more.
  void tick() {
    if (!ctx_.streams.recovery_due())
      let_go();
  }

private:
  /// A stream with pending events that the sink does not know.
  struct unread {
    uint32_t stream = 0;
    size_t events = 0;
  };

  void ask_counts();
  void on_counts(const resp::reply& reply, std::chrono::nanoseconds sent);
  size_t note_pending(uint32_t stream,
                      const std::vector<resp::pending_entry>& facts);
  void note_counts(uint32_t stream, const resp::pending_entry& x);
  void hold_leases(std::chrono::nanoseconds known_at);
  void let_go();
  void ask_page();
  [[nodiscard]] command_ptr
  page_command(std::shared_ptr<reply_progress> progress) const;
  void on_page(resp::reply& reply, std::chrono::nanoseconds sent);
  void accept(const resp::event_page& page,
              const std::vector<uint32_t>& streams);
  void note_read(uint32_t stream, event_id id);
  void skip_trimmed(const resp::event_page& page,
                    const std::vector<uint32_t>& streams);
  void end_page();
  void finish(uint32_t stream);
  void failed(const failure& why);
  [[nodiscard]] bool has_counts(const event_block& block,
                                const std::vector<uint32_t>& streams) const;

  sink_context& ctx_;
  sink_intake& intake_;
  sink_outcome_writer& outcomes_;
  sink_read_attempts& attempts_;
  bool reading_ = false;
  // The streams that were asked for pending events.
  std::vector<uint32_t> asked_streams_;
  // Those of them whose events were not all read yet, and the number of
  // give_backs in ctx_ when they were found.
  std::vector<unread> unread_;
  uint64_t give_backs_ = 0;
  // The first streams of unread_, of which a page is being read; for how many
  // events of each it asked, and how many it brought.
  std::vector<uint32_t> page_streams_;
  uint32_t asked_ = 0;
  std::map<uint32_t, size_t> got_;
  // For each stream: the ID that was read last.
  std::vector<event_id> last_;
  // Each read of a page adds one to the delivery counters in Redis. So these
  // are the counts before the first read.
  std::map<std::pair<uint32_t, event_id>, stored_counts> counts_;
  // Keeps the leases of the streams in unread_, see late_replies; 0: nothing.
  uint64_t held_ = 0;
};

} // namespace pulse::internal
