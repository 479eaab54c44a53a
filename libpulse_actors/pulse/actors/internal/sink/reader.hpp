#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/actors/internal/sink/read_attempts.hpp"
#include "pulse/core/delivery/read_planner.hpp"
#include "pulse/resp/reply.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace pulse::internal {

/// How much longer than BLOCK a read may take, because the server checks
/// blocked clients only now and then, and because the network may be slow.
inline constexpr milliseconds sink_block_margin{2'000};

/// @returns how long a read blocks. It is much shorter than a lease, so that
/// the leases of the events are still fresh when the reply arrives.
inline milliseconds block_time_of(const sink_options& x) {
  return std::min(x.lease / 4, milliseconds{5'000});
}

/// Reads the new events of a sink, with one read at a time, on a connection of
/// its own.
class sink_reader {
public:
  sink_reader(sink_context& ctx, sink_intake& intake,
              sink_read_attempts& attempts);
  ~sink_reader();
  sink_reader(const sink_reader&) = delete;
  sink_reader& operator=(const sink_reader&) = delete;

  /// Starts a read.
  /// @param wanted About how many events of all streams together.
  /// @param room How many events may come at most.
  /// @pre `!reading() && wanted > 0 && room >= wanted`, and a stream is open.
  void read(size_t wanted, size_t room);

  /// @returns whether the pause after the last read is over.
  [[nodiscard]] bool may_read() const {
    return ctx_.now() >= not_before_;
  }

  /// @returns when that pause is over, if that is later than now, or when
  /// tick() interrupts again.
  [[nodiscard]] sink_context::time_point next_time() const {
    if (interrupting())
      return next_interruption_;
    return may_read() ? sink_context::time_point::max() : not_before_;
  }

  /// Runs a command that waits for something, on the connection of the reads.
  /// It counts as a read, so it can be interrupted.
  /// @param then Gets the reply. It is not called if the command failed.
  /// @pre `!reading()`
  void wait(command_ptr what, std::function<void(const resp::reply&)> then);

  /// Ends a blocked read, because the set of streams changed or the sink
  /// closes.
  void interrupt();

  /// Interrupts again until the read has returned, after pauses that grow. This
  /// is necessary because Redis ignores an interruption that arrives before the
  /// read, and a connection ignores it while it does not exist yet.
  void tick();

  /// @returns whether a read was interrupted and has not returned yet.
  [[nodiscard]] bool interrupting() const noexcept {
    return reading_ && interrupted_;
  }

  /// Closes the blocking connection. A read that is under way fails.
  void disconnect();

  [[nodiscard]] bool reading() const noexcept {
    return reading_;
  }

  /// @returns whether a read is under way that may bring events.
  [[nodiscard]] bool reading_events() const noexcept {
    return reading_ && !waiting_;
  }

  /// @returns the number of reads that were started, which identifies the last
  /// one.
  [[nodiscard]] uint64_t reads() const noexcept {
    return reads_;
  }

private:
  [[nodiscard]] command_ptr read_command(const read_planner::read& what) const;
  void send_interruption();
  void begin(bool waits, sink_context::fetch what);
  void ended();
  void on_read(resp::reply& reply);
  void accept(const std::shared_ptr<const event_block>& block,
              const std::vector<uint32_t>& streams);

  sink_context& ctx_;
  sink_intake& intake_;
  sink_read_attempts& attempts_;
  connection_actor blocking_;
  read_planner planner_;
  bool reading_ = false;
  // Whether that read only waits.
  bool waiting_ = false;
  // Whether the read that is under way was interrupted.
  bool interrupted_ = false;
  sink_context::time_point next_interruption_;
  milliseconds interruption_pause_{0};
  uint64_t reads_ = 0;
  sink_context::time_point not_before_;
  // How many events the read may bring, about.
  uint32_t asked_ = 0;
  // See sink_context, when the read was sent.
  uint64_t give_backs_ = 0;
  // The read that is under way.
  sink_context::fetch fetch_;
};

} // namespace pulse::internal
