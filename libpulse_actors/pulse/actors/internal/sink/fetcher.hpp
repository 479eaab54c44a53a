#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/settler.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/core/delivery/fetch_window.hpp"
#include "pulse/core/reading/page_limit.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Brings events from Redis into the ledger of a sink: new ones by a blocking
/// read, own pending ones after a lost connection (adoption), those of dead
/// nodes by a sweep. What the filter does not want, and what is malformed,
/// goes to the settler.
class sink_fetcher {
public:
  sink_fetcher(sink_context& ctx, sink_settler& settler);
  ~sink_fetcher();
  sink_fetcher(const sink_fetcher&) = delete;
  sink_fetcher& operator=(const sink_fetcher&) = delete;

  /// Reads on if there is room and nothing in the way.
  void fetch();

  /// Sweeps, repeats what failed.
  void tick(sink_context::time_point now);

  /// @returns whether leases are fresh enough to dispatch. If not (this node
  /// was stopped, or Redis is away), asks Redis what is still ours.
  bool leases_hold();

  /// The set of streams changed, or the sink closes: ends a blocked read. Asks
  /// again with each tick until the read has returned, since Redis forgets a
  /// request that is ahead of the read.
  void interrupt();

  /// @returns whether a read was interrupted and has not returned yet.
  [[nodiscard]] bool interrupting() const noexcept {
    return reading_ && interrupted_;
  }

  /// Gives up the blocking connection with whatever it reads.
  void disconnect();

  [[nodiscard]] bool reading() const noexcept {
    return reading_;
  }

  /// Number of reads begun: tells one from the next.
  [[nodiscard]] uint64_t reads() const noexcept {
    return reads_;
  }

private:
  using time_point = sink_context::time_point;

  // new events
  [[nodiscard]] size_t room() const;
  void read_more(size_t room);
  void on_read(resp::reply& reply);
  void read_failed(const failure& why);
  void accept(uint32_t stream, event x, bool crash_candidate = false);

  // Whether what a read brings may be somebody else's by now.
  [[nodiscard]] bool is_stale() const;

  // own pending events
  void adopt_all();
  [[nodiscard]] bool must_adopt() const;
  [[nodiscard]] std::vector<uint32_t> to_adopt() const;
  void adopt_next_page();
  void ask_own_counts(const std::vector<uint32_t>& streams);
  void on_own_counts(const std::vector<uint32_t>& streams,
                     const resp::reply& reply);
  void on_own_page(resp::reply& reply);
  [[nodiscard]] stored_counts own_counts(uint32_t stream, event_id id) const;

  // those of dead nodes
  void sweep(time_point now);
  // Returns how many events came.
  size_t on_taken(uint32_t stream, resp::reply& reply);
  // What is known of an event that was somebody else's.
  struct history {
    delivery_counts counts;
    bool crash_candidate = false;
    // Nodes that died at it for sure.
    uint32_t proven_crashes = 0;
  };

  [[nodiscard]] static history history_of(const resp::pending_entry& fact);
  [[nodiscard]] static std::vector<history>
  histories_of(const std::vector<resp::pending_entry>& facts,
               const std::vector<event_extent>& taken);
  void report_trimmed(uint32_t stream,
                      const std::vector<resp::pending_entry>& facts,
                      const std::vector<event_extent>& taken);
  void take_over(uint32_t stream, const std::shared_ptr<event_block>& block,
                 const std::vector<history>& histories);
  [[nodiscard]] std::string why_give_up(const history& x) const;
  void clean_consumers(time_point now);
  void command_failed(const failure& why);
  void command_worked();
  void verify(uint32_t stream);
  void check_own(time_point now);
  void note_strays(uint32_t stream, const std::vector<event_id>& ours);

  sink_context& ctx_;
  sink_settler& settler_;
  connection_actor blocking_;
  fetch_window window_;
  page_limit pages_;
  uint32_t asked_ = 0; // most events that the read or adoption may bring
  random_engine random_;

  bool reading_ = false;
  bool interrupted_ = false; // the read under way
  uint64_t reads_ = 0;
  uint64_t failing_reads_ = 0;
  std::chrono::nanoseconds read_sent_{}; // time since boot
  time_point read_not_before_;
  reconnect_backoff read_pause_{milliseconds{100}, milliseconds{1'500}};

  std::set<uint32_t> adopt_; // streams whose own pending are to be read
  std::vector<uint32_t> adopting_from_;
  bool adopting_ = false;
  std::vector<event_id> adopted_to_; // per stream
  std::map<std::pair<uint32_t, event_id>, stored_counts> own_counts_;

  time_point next_sweep_;
  time_point next_cleaning_;
  size_t sweeps_under_way_ = 0;
  bool outage_ = false;
  bool failing_commands_ = false;
  size_t verifying_ = 0;
  time_point verify_not_before_;
  time_point next_check_;
  // Own pending events that were unknown at the last check, by stream.
  std::map<uint32_t, std::set<event_id>> strays_;
};

} // namespace pulse::internal
