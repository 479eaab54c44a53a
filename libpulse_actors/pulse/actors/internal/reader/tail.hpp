#pragma once

#include "pulse/actors/internal/reader/blocking_fetcher.hpp"
#include "pulse/actors/internal/reader/subscribers.hpp"
#include "pulse/core/reading/cursor_set.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// Reads the live tail of a reader's streams: it fetches new events after its
/// cursors while a subscriber can take them, and offers them to the
/// subscribers.
///
/// From time to time, and after each read that failed or brought nothing, it
/// compares its cursors with what Redis reports about the streams. That shows
/// events that were removed before they were read, and streams that were
/// deleted or replaced.
///
/// A cursor moves only over events that were offered, so a failed read loses
/// nothing. A stream that Redis refuses to read would make the read of all
/// streams fail. So the tail suspends that stream, and tries it again from time
/// to time.
class reader_tail {
public:
  reader_tail(reader_context& reader, reader_subscribers& subscribers,
              const connection_source& redis);

  [[nodiscard]] const cursor_set& cursors() const noexcept {
    return cursors_;
  }

  /// Begins to read a stream after `from`.
  void add(const std::string& stream, event_id from,
           const stream_position& position);

  /// Goes on with a stream where a tail that has ended was.
  void resume(const std::string& stream, const stream_cursor& x);

  /// @returns the cursors, moved back to these IDs.
  [[nodiscard]] cursor_set::map_type
  cursors_without(const std::map<std::string, event_id>& unsent);

  /// Stops reading a stream. @returns false if the tail does not have it.
  bool remove(const std::string& stream);

  /// Moves the cursors back, so that the events are read again that the feed of
  /// a removed subscriber did not send.
  void take_back(const subscriber_feed& feed);

  /// Starts a read, if there are active streams and a subscriber can take
  /// events.
  void read_on();

  /// Ends a read that is under way, and discards its events.
  void interrupt() {
    fetcher_.interrupt();
  }

  void close() {
    fetcher_.close();
  }

private:
  using time_point = caf::actor_clock::time_point;
  using asked_streams = std::vector<std::pair<std::string, event_id>>;

  void on_page(blocking_fetcher::read_end x);
  void distribute(const std::shared_ptr<event_block>& block);
  void report_malformed(const event& x);
  void on_failure(const failure& why);
  void back_off();
  void probe(bool suspended);
  void on_probed(const std::vector<std::string>& streams,
                 const outcome<reply_ptr>& x);
  void on_suspended_probed(const std::vector<std::string>& streams,
                           const outcome<reply_ptr>& x);
  void pause();
  void resume();
  void check_if_due();
  void on_checked(const asked_streams& asked, const outcome<reply_ptr>& x);
  void report_findings();
  void report(const std::string& stream, const stream_position::finding& x);
  void suspend(const std::string& stream, const failure& why);
  void probe_suspended_later();

  reader_context& reader_;
  reader_subscribers& subscribers_;
  cursor_set cursors_;
  blocking_fetcher fetcher_;
  reconnect_backoff backoff_;
  reader_timers::handle probe_timer_;
  /// Waits for the end of the pause after a failed read, or for the result of a
  /// probe.
  bool backing_off_ = false;
  /// Number of failed reads in a row, and the error of the last one.
  uint64_t failures_ = 0;
  /// Maximum number of events of the read that is under way.
  uint32_t asked_ = 0;
  errc last_failure_ = errc::none;
  /// When to check for missing events, unless `check_now_` asks for a check
  /// before the next read.
  time_point next_check_;
  bool check_now_ = false;
  bool has_read_ = false;
  /// Since when no subscriber could take events.
  std::optional<time_point> paused_;
};

} // namespace pulse::internal
