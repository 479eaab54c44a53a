#pragma once

#include "pulse/actors/internal/reader/subscribers.hpp"
#include "pulse/core/reading/stream_position.hpp"
#include "pulse/resp/reply.hpp"

#include <caf/response_promise.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// The streams whose position a reader does not know yet: asks Redis where
/// they are, once each. That also shows whether the key is a stream at all.
///
/// Streams that the reader was opened with are tried until it works, or until
/// Redis refuses for good. Streams added later are tried once.
class position_resolver {
public:
  /// Called with a stream, the ID behind which to read it, and what is known
  /// about what lies behind.
  using open_handler
    = std::function<void(const std::string&, event_id, const stream_position&)>;
  /// Called when all initial streams are open, or with why one cannot be.
  using settle_handler = std::function<void(const failure*)>;

  position_resolver(reader_context& reader, open_handler on_open,
                    settle_handler on_settled);

  /// Fails all that wait, with `errc::closed`.
  ~position_resolver();

  /// Whether all initial streams are open.
  [[nodiscard]] bool settled() const noexcept;

  [[nodiscard]] std::vector<std::string> names() const;

  void add_initial(const std::string& stream, start_position start);

  /// Adds a stream; `waiting` gets the result.
  void add(const std::string& stream, start_position start,
           caf::response_promise waiting);

  /// Gives up a stream. @returns false if there is none of that name.
  bool remove(const std::string& stream);

  /// Asks Redis now, unless it is being asked, or rests after a failure.
  void resolve();

private:
  struct unresolved {
    start_position start;
    bool initial = false;
    bool asked = false;
    std::vector<caf::response_promise> waiting;
  };

  void resolved(const std::vector<std::string>& streams,
                const outcome<reply_ptr>& x);
  void open(const std::string& stream,
            const std::optional<stream_state>& found);
  void not_opened(const std::string& stream, failure why);
  void settle();
  [[nodiscard]] bool has_unasked() const;

  reader_context& reader_;
  open_handler on_open_;
  settle_handler on_settled_;
  std::map<std::string, unresolved> unresolved_;
  /// Why an initial stream is not open.
  failure why_;
  reconnect_backoff backoff_;
  bool asking_ = false;
  bool backing_off_ = false;
};

} // namespace pulse::internal
