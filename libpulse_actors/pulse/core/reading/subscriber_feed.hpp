#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// What became of an event that was offered to a feed.
enum class offer_result : uint8_t {
  /// The event waits in the feed.
  taken,
  /// The event waits in the feed; the oldest waiting event was dropped for it.
  dropped_oldest,
  /// The feed is full: it leaves the live tail, and will fetch this event
  /// later.
  left_tail,
  /// The feed has left the live tail earlier, and will fetch this event later.
  behind,
  /// The feed is full, and the subscription has to end.
  overflow,
};

/// What a reader keeps for one of its subscribers: the events that wait for the
/// subscriber, the credit that the subscriber has left, and, per stream, the
/// events that the subscriber missed because it was too slow. The reader
/// fetches missed events later, page by page, while the feed goes on with other
/// streams. Within a stream the order of events is kept.
///
/// A subscriber holds at most `credit` events. The reader asks for an answer to
/// some deliveries only; such an answer gives back the credit of all deliveries
/// up to that one. The reader gives up answers that do not come, because a
/// subscriber may lose its promise of an answer.
class subscriber_feed {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// One event to send.
  struct delivery {
    event what;
    /// Credit that the answer gives back; 0: this delivery needs no answer.
    uint32_t returns = 0;
    /// Number of that answer, for `sent` and `answered`.
    uint64_t answer = 0;
  };

  /// Several events to send as one message.
  struct batch {
    std::vector<event> what;
    /// See delivery. A batch always needs an answer.
    uint32_t returns = 0;
    uint64_t answer = 0;
  };

  /// A range of missed events of one stream: all IDs above `after` up to
  /// `until`, itself included; at most `count` events.
  struct missing_range {
    std::string stream;
    event_id after;
    event_id until;
    uint32_t count = 0;
  };

  /// Missed events that are no longer in the stream: they are between `after`
  /// and `first_available`.
  struct loss {
    std::string stream;
    event_id after;
    event_id first_available;
    uint64_t count = 0;
  };

  /// @param buffer Maximum number of waiting events, at least 1. Half as many
  /// again may wait while the feed catches up.
  /// @param credit Maximum number of events that the subscriber holds, at least
  /// 1.
  subscriber_feed(overflow_policy overflow, uint32_t buffer, uint32_t credit);

  // -- the live tail ----------------------------------------------------------

  /// Offers a new event, which is the next one of its stream.
  offer_result offer(const event& x);

  /// @returns how many more events may wait.
  [[nodiscard]] uint32_t room() const noexcept;

  /// @returns whether the feed missed no event, so that it needs what the
  /// reader reads next.
  [[nodiscard]] bool live() const noexcept {
    return missed_.empty();
  }

  // -- sending ----------------------------------------------------------------

  /// @returns the next event to send, if an event waits and there is credit
  /// left.
  std::optional<delivery> next();

  /// @returns the next events to send, at most `most` (> 0) and no more than
  /// there is credit for.
  std::optional<batch> next_batch(uint32_t most);

  /// @returns how many events wait to be sent.
  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_.size();
  }

  /// To be called for each delivery or batch that needs an answer, in order,
  /// before the next call of `next` or `next_batch`.
  template <class Delivery>
  void sent(const Delivery& x, time_point when) {
    asked_.push_back({x.answer, x.returns, when});
  }

  /// Gives back the credit of an answer that came. Does nothing if that answer
  /// was given up.
  void answered(uint64_t answer);

  /// @returns when the oldest delivery was sent whose answer has not come yet;
  /// nullopt if there is none.
  [[nodiscard]] std::optional<time_point> waits_since() const noexcept;

  /// Gives up the answers to all deliveries that were sent up to `when`, and
  /// gives back their credit. @returns how many answers that are.
  size_t give_up(time_point when);

  void set_credit(uint32_t credit) noexcept {
    credit_ = credit;
  }

  // -- catching up ------------------------------------------------------------

  /// @returns the range to fetch now. None if no event was missed, if there is
  /// not enough room, or while another range is being fetched. The caller must
  /// then call `fetched`, `not_fetched` or `given_up`.
  /// @param max_count Maximum number of events in the range, at least 1.
  std::optional<missing_range> next_range(uint32_t max_count);

  /// Takes one event of the range that is being fetched.
  void take(const event& x);

  /// Ends the fetch: the events up to `last` were taken.
  /// @param complete Whether the range has no more events after `last`.
  /// @returns the events that the feed missed and that are no longer in the
  /// stream, if there are any.
  std::optional<loss> fetched(event_id last, bool complete);

  /// Ends a fetch that failed. `next_range` will return the range again.
  void not_fetched() noexcept {
    stop_fetching();
  }

  /// Ends a fetch that can never succeed. All missed events of its stream are
  /// lost.
  loss given_up();

  // -- leaving ----------------------------------------------------------------

  /// @returns, per stream, the ID after which another reader must begin to get
  /// all events that this feed did not send.
  [[nodiscard]] std::map<std::string, event_id> unsent() const;

private:
  struct span {
    event_id after;
    event_id until;
    /// The ID after which the span begins, the number of events missed since
    /// then, and how many of them have been fetched.
    event_id begin;
    uint64_t missed = 0;
    uint64_t taken = 0;
  };

  /// A delivery whose answer has not come yet.
  struct open_answer {
    uint64_t number = 0;
    uint32_t credit = 0;
    time_point sent;
  };

  using span_map = std::map<std::string, span, std::less<>>;

  // If no answer is expected, the subscriber would never give back its credit.
  [[nodiscard]] bool may_send() const noexcept {
    return !waiting_.empty() && (held_ < credit_ || asked_.empty());
  }

  [[nodiscard]] bool full() const noexcept {
    return waiting_.size() + tail_.size() >= buffer_;
  }

  offer_result overflow(const event& x);
  void miss(span_map::iterator where, const event& x);
  void stop_fetching() noexcept;

  overflow_policy policy_;
  uint32_t buffer_;
  uint32_t credit_;
  /// Events sent whose credit has not been given back yet.
  uint32_t held_ = 0;
  /// Events sent since the last delivery that asks for an answer.
  uint32_t unasked_ = 0;
  /// Answers that have not come yet, and the number of the last one.
  std::deque<open_answer> asked_;
  uint64_t last_answer_ = 0;
  std::deque<event> waiting_;
  span_map missed_;
  std::optional<missing_range> fetching_;
  /// Number of missed events up to the end of the range, and the ID of the
  /// first event of this page.
  uint64_t expected_ = 0;
  std::optional<event_id> page_first_;
  std::string last_stream_;
  /// Live events after the range that is being fetched. With them the feed
  /// returns to the live tail, even if events are added to the stream without a
  /// pause.
  std::vector<event> tail_;
  /// Whether `tail_` has all live events after the range.
  bool tail_whole_ = false;
};

} // namespace pulse
