#pragma once

#include "pulse/actors/internal/reader/blocking_fetcher.hpp"
#include "pulse/actors/internal/reader/subscribers.hpp"
#include "pulse/core/reading/cursor_set.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// The live reading of a reader: fetches what is new behind its cursors, while
/// somebody can take it, and offers it to the subscribers.
///
/// Now and then, and whenever a read failed or brought nothing, it compares its
/// cursors with what Redis says of the streams: that shows events that were
/// removed before they were read, and streams that began anew.
///
/// A cursor moves only over events that were offered, so a failed read loses
/// nothing. A stream that Redis refuses to read would fail the read of all: it
/// is suspended, and tried again from time to time.
class reader_tail {
public:
  reader_tail(reader_context& reader, reader_subscribers& subscribers,
              const connection_source& redis);

  [[nodiscard]] const cursor_set& cursors() const noexcept {
    return cursors_;
  }

  /// Begins to read a stream behind `from`.
  void add(const std::string& stream, event_id from,
           const stream_position& position);

  /// @returns false if it does not read the stream.
  bool remove(const std::string& stream);

  /// Reads again what a feed was not sent.
  void take_back(const subscriber_feed& feed);

  /// Starts a read if there is something to read and somebody to take it.
  void read_on();

  /// Ends a read that is under way, without its events.
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
  uint64_t probe_timer_ = 0;
  /// Waits after a failed read, or for what a probe shows.
  bool backing_off_ = false;
  /// Failed reads in a row, and what the last one said.
  uint64_t failures_ = 0;
  /// Most events that the read under way may bring.
  uint32_t asked_ = 0;
  errc last_failure_ = errc::none;
  /// When to look for what is missing, if not before the next read.
  time_point next_check_;
  bool check_now_ = false;
  bool has_read_ = false;
  /// Since when nobody could take what a read would bring.
  std::optional<time_point> paused_;
};

} // namespace pulse::internal
