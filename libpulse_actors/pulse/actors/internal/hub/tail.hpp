#pragma once

#include "pulse/actors/internal/hub/context.hpp"
#include "pulse/core/reading/page_limit.hpp"
#include "pulse/core/reading/read_turns.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pulse::internal {

/// The tail reads of up to `max_streams` streams, as one blocking XREAD at a
/// time, on a connection of its own.
///
/// Now and then, and after each read that failed or brought nothing, it asks
/// Redis about the streams just before the next read. That shows readers which
/// events were removed before they were read, and whether a stream was deleted
/// or replaced. Because both commands are on one connection, the answer
/// describes the stream at the cursor of the read.
class hub_tail {
public:
  /// More would make each read slow.
  static constexpr size_t max_streams = 256;

  /// @param on_page Called when a read has brought something.
  /// @param on_failure Called when a read has failed. No other read begins
  /// before back_off() or read_on() is called.
  hub_tail(hub_context& hub, std::function<void()> on_page,
           std::function<void(hub_tail&, const failure&)> on_failure);

  hub_tail(const hub_tail&) = delete;
  hub_tail& operator=(const hub_tail&) = delete;

  /// Closes the connection, which ends a read that is under way.
  ~hub_tail();

  [[nodiscard]] bool full() const noexcept {
    return streams_.size() >= max_streams;
  }

  /// @returns the streams of the last read.
  [[nodiscard]] std::vector<std::string> last_read() const;

  void add(const std::string& stream);

  void remove(const std::string& stream) {
    streams_.erase(stream);
  }

  /// Begins the next read, if one is needed. If a read is under way that is not
  /// the one that is needed now, ends it soon.
  void update();

  /// Goes on after a failure, at once or after a pause.
  void read_on();
  void back_off();

private:
  using time_point = caf::actor_clock::time_point;

  /// A stream of the read that is under way.
  struct part {
    event_id after;
    page_hub::read read;
    /// What Redis said about the stream before the read.
    bool checked = false;
    std::optional<stream_state> found;
  };

  void begin();
  [[nodiscard]] std::map<std::string, page_hub::tail_read> needed() const;
  [[nodiscard]] uint32_t count_of(uint64_t streams, uint64_t wanted) const;
  void check(std::vector<std::string> streams);
  void on_checked(const std::vector<std::string>& streams,
                  const outcome<reply_ptr>& x);
  void on_read(const outcome<reply_ptr>& x);
  void fail(const failure& why);
  void hand_over(const std::shared_ptr<const event_block>& block,
                 std::chrono::steady_clock::duration took);
  void drained();
  [[nodiscard]] stream_page page_of(const std::string& stream) const;
  [[nodiscard]] bool is_outdated() const;
  void interrupt();
  void unblock();

  hub_context& hub_;
  std::function<void()> on_page_;
  std::function<void(hub_tail&, const failure&)> on_failure_;
  /// The streams, and when they are to be checked next.
  std::map<std::string, time_point> streams_;
  connection_actor redis_;
  page_limit limit_;
  read_turns turns_;
  reconnect_backoff backoff_;
  /// The read that is under way.
  std::map<std::string, part> sent_;
  /// Number of reads so far. The answer to a check may come after its read has
  /// failed, and then says nothing about the next one.
  uint64_t reads_ = 0;
  /// The events per stream that it asked for.
  uint32_t asked_ = 0;
  bool busy_ = false;
  /// The read waits in Redis for events.
  bool blocks_ = false;
  bool interrupted_ = false;
  hub_timers::handle unblock_timer_;
  /// A read has failed, and the next one does not begin yet.
  bool paused_ = false;
  /// Number of failed reads in a row, and the error of the last one.
  uint64_t failures_ = 0;
  errc last_failure_ = errc::none;
};

} // namespace pulse::internal
