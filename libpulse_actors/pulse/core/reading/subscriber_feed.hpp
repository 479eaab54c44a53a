#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// What became of an event that was offered to a feed.
enum class offer_result : uint8_t {
  /// It waits for its turn.
  taken,
  /// It waits for its turn; the oldest one made room for it and is lost.
  dropped_oldest,
  /// It did not fit: the feed leaves the live tail and fetches it later.
  left_tail,
  /// The feed has left the live tail before; it fetches the event later.
  behind,
  /// It did not fit, and that ends the subscription.
  overflow,
};

/// What a reader keeps for one of its subscribers: the events that wait for
/// it, how many more it may be sent, and, per stream, what it missed because
/// it was too slow. What was missed comes later, page by page, while other
/// streams go on; per stream the order is kept.
///
/// A subscriber holds at most `credit` events. To learn what it has handled
/// without an answer for each event, some deliveries ask for one; it gives
/// back the credit of all deliveries up to it.
class subscriber_feed {
public:
  /// One event to send.
  struct delivery {
    event what;
    /// Credit that the answer gives back; 0: do not ask for an answer.
    uint32_t returns = 0;
  };

  /// Events of a stream that the feed missed: after `after`, up to and with
  /// `until`, at most `count` of them.
  struct missing_range {
    std::string stream;
    event_id after;
    event_id until;
    uint32_t count = 0;
  };

  /// Events that were missed and are gone: between `after` and
  /// `first_available`.
  struct loss {
    std::string stream;
    event_id after;
    event_id first_available;
    uint64_t count = 0;
  };

  /// @param buffer Events that may wait, at least 1; half as many again while
  /// the feed catches up.
  /// @param credit At least 1.
  subscriber_feed(overflow_policy overflow, uint32_t buffer, uint32_t credit);

  // -- the live tail ----------------------------------------------------------

  /// Offers the next event of its stream.
  offer_result offer(const event& x);

  /// Free places for waiting events.
  [[nodiscard]] uint32_t room() const noexcept;

  /// Whether it missed nothing, so that it gains from reading on.
  [[nodiscard]] bool live() const noexcept {
    return missed_.empty();
  }

  // -- sending ----------------------------------------------------------------

  /// @returns the next event to send, if one waits and there is credit.
  std::optional<delivery> next();

  /// An answer came: gives back the credit.
  void returned(uint32_t credit) noexcept;

  void set_credit(uint32_t credit) noexcept {
    credit_ = credit;
  }

  // -- catching up ------------------------------------------------------------

  /// @returns what to fetch now, if something was missed, there is room and
  /// nothing is being fetched. To be followed by `fetched`, `not_fetched` or
  /// `given_up`.
  /// @param max_count Most events to ask for, at least 1.
  std::optional<missing_range> next_range(uint32_t max_count);

  /// Takes an event of the range.
  void take(const event& x);

  /// The range is done as far as `last`.
  /// @param complete Nothing of the range is left behind `last`.
  /// @returns what the feed was offered once and did not find any more.
  std::optional<loss> fetched(event_id last, bool complete);

  /// The range could not be fetched: it is asked for again.
  void not_fetched() noexcept {
    stop_fetching();
  }

  /// The range cannot be fetched, ever: what was missed of its stream is lost.
  loss given_up();

  // -- leaving ----------------------------------------------------------------

  /// Where a successor must begin to get what this feed did not send: after
  /// that ID of that stream.
  [[nodiscard]] std::map<std::string, event_id> unsent() const;

private:
  struct span {
    event_id after;
    event_id until;
    /// Where it began, how many events it misses since, and how many of those
    /// it has fetched.
    event_id begin;
    uint64_t missed = 0;
    uint64_t taken = 0;
  };

  using span_map = std::map<std::string, span, std::less<>>;

  [[nodiscard]] bool full() const noexcept {
    return waiting_.size() + tail_.size() >= buffer_;
  }

  offer_result overflow(const event& x);
  void miss(span_map::iterator where, const event& x);
  void stop_fetching() noexcept;

  overflow_policy policy_;
  uint32_t buffer_;
  uint32_t credit_;
  /// Sent, not given back yet.
  uint32_t held_ = 0;
  /// Sent since the last delivery that asks for an answer.
  uint32_t unasked_ = 0;
  /// Answers that have not come yet.
  uint32_t asked_ = 0;
  std::deque<event> waiting_;
  span_map missed_;
  std::optional<missing_range> fetching_;
  /// Missed up to the end of the range, and the first event of this page.
  uint64_t expected_ = 0;
  std::optional<event_id> page_first_;
  std::string last_stream_;
  /// Live events behind the range that is being fetched: with them the feed
  /// is back at the live tail, even of a stream that never rests.
  std::vector<event> tail_;
  /// Whether `tail_` has them all.
  bool tail_whole_ = false;
};

} // namespace pulse
