#pragma once

#include "pulse/actors/internal/reader/page_fetcher.hpp"
#include "pulse/actors/internal/reader/position_resolver.hpp"
#include "pulse/actors/internal/reader/subscribers.hpp"
#include "pulse/core/reading/cursor_set.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pulse::internal {

/// Follows the streams of a reader: it gets the events after its cursors from
/// the hub while a subscriber can take them, and offers them to the
/// subscribers.
///
/// With pages the hub also sends what Redis says about the streams. That shows
/// events that were removed before they were read, and streams that were
/// deleted or replaced.
///
/// A cursor moves only over events that were offered, so a failed read loses
/// nothing.
class reader_tail {
public:
  reader_tail(reader_context& reader, reader_subscribers& subscribers,
              hub_source_ptr hubs);

  [[nodiscard]] const cursor_set& cursors() const noexcept {
    return cursors_;
  }

  /// Begins to read streams.
  void add(const std::vector<opened_stream>& streams);

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

  /// Asks for events, if there are streams and a subscriber can take events.
  void read_on();

private:
  void ask_anew();
  bool ask();
  [[nodiscard]] page_request next_request(uint32_t count);
  void name(page_request& x, const cursor_set::map_type::value_type& what,
            bool check) const;
  void on_pages(const outcome<stream_pages_ptr>& x);
  void take(const stream_page& x);
  void check(const stream_page& x);
  /// @returns whether the cursor is before the begin of a page.
  [[nodiscard]] bool is_before(const stream_page& x) const;
  void distribute(const stream_page& x);
  void report_malformed(const event& x);
  void on_failure(const failure& why);
  void report_findings();
  void report(const std::string& stream, const stream_position::finding& x);

  reader_context& reader_;
  reader_subscribers& subscribers_;
  cursor_set cursors_;
  page_fetcher fetcher_;
  /// Streams that begin, or begin anew: how Redis described them then. See
  /// page_cache::query.
  std::map<std::string, stream_state, std::less<>> opened_;
  /// What the next request of the hub has to name, see page_request.
  std::set<std::string> changed_;
  std::vector<std::string> removed_;
  /// The hub has to find out about the streams before it reads them next.
  bool check_now_ = false;
  bool has_read_ = false;
};

} // namespace pulse::internal
