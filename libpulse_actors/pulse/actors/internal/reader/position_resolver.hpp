#pragma once

#include "pulse/actors/internal/reader/subscribers.hpp"
#include "pulse/core/reading/stream_position.hpp"
#include "pulse/resp/reply.hpp"

#include <caf/response_promise.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// A stream whose position is known.
struct opened_stream {
  std::string name;
  /// The ID after which the reader begins.
  event_id from;
  /// For the search for missing events.
  stream_position position;
  /// The stream as Redis described it; empty if it did not exist.
  std::optional<stream_state> found;
};

/// The streams whose position a reader does not know yet. For each of them it
/// asks Redis once, which also shows whether the key holds a stream at all.
///
/// For a stream with which the reader was opened, it repeats the question until
/// Redis answers, or refuses with an error that is not transient. For a stream
/// that was added later, it asks once.
class position_resolver {
public:
  /// Called with the streams that one answer of Redis has opened, at least one.
  using open_handler = std::function<void(std::vector<opened_stream>)>;
  /// Called without a failure when all initial streams are open, or with the
  /// reason why one of them cannot be opened now. After a transient failure the
  /// resolver tries again.
  using settle_handler = std::function<void(const failure*)>;

  position_resolver(reader_context& reader, open_handler on_open,
                    settle_handler on_settled);

  /// Fails all waiting requests with `errc::closed`.
  ~position_resolver();

  /// Whether all initial streams are open.
  [[nodiscard]] bool settled() const noexcept;

  [[nodiscard]] std::vector<std::string> names() const;

  /// @returns where these streams shall begin.
  [[nodiscard]] std::map<std::string, start_position> starts() const;

  void add_initial(const std::string& stream, start_position start);

  /// Adds a stream; the promise `waiting` gets the result.
  void add(const std::string& stream, start_position start,
           caf::response_promise waiting);

  /// Removes a stream. @returns false if the resolver does not have it.
  bool remove(const std::string& stream);

  /// Asks Redis now, unless a question is under way, or the pause after a
  /// failure is not over.
  void resolve();

private:
  using found_streams
    = std::vector<std::pair<std::string, std::optional<stream_state>>>;

  struct unresolved {
    start_position start;
    bool initial = false;
    bool asked = false;
    /// The last log line about the stream.
    std::string reported;
    std::vector<caf::response_promise> waiting;
  };

  void resolved(const std::vector<std::string>& streams,
                const outcome<reply_ptr>& x);
  void open(const found_streams& streams);
  void not_opened(const std::string& stream, failure why);
  void settle();
  [[nodiscard]] bool has_unasked() const;

  reader_context& reader_;
  open_handler on_open_;
  settle_handler on_settled_;
  std::map<std::string, unresolved> unresolved_;
  /// Why an initial stream could not be opened.
  failure why_;
  reconnect_backoff backoff_;
  bool asking_ = false;
  bool backing_off_ = false;
};

} // namespace pulse::internal
