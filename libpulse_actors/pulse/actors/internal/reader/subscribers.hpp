#pragma once

#include "pulse/actors/internal/reader/context.hpp"
#include "pulse/core/reading/subscriber_feed.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <caf/actor_addr.hpp>

#include <functional>
#include <string>
#include <unordered_map>

namespace pulse::internal {

/// Credit of a subscriber that asked for no particular credit.
constexpr uint32_t default_reader_credit = 256;

/// The subscribers of a reader. It sends them the events of their feeds, takes
/// their credit back, and fetches the events that slow subscribers missed.
class reader_subscribers {
public:
  /// @param on_room Called when a subscriber can take more.
  reader_subscribers(reader_context& reader, std::function<void()> on_room);

  [[nodiscard]] bool empty() const noexcept {
    return subscribers_.empty();
  }

  [[nodiscard]] size_t size() const noexcept {
    return subscribers_.size();
  }

  /// Adds a subscriber and monitors it, or changes its credit.
  void add(const event_listener& who, const subscription& options);

  /// @returns the feed of the removed subscriber, which tells what was not sent
  /// to it; nullopt if there is no such subscriber.
  std::optional<subscriber_feed> remove(const caf::actor_addr& who);

  /// Offers the next live event to all subscribers. Those that have credit get
  /// it at once.
  void offer(const event& x);

  /// Sends waiting events to all subscribers that have credit, and fetches the
  /// events that they missed.
  void serve();

  /// @returns how many more events the fastest subscriber can take; 0 if they
  /// are too few for a read.
  [[nodiscard]] uint32_t free_slots() const;

private:
  struct subscriber {
    /// Distinguishes this subscription from an earlier one of the same actor.
    uint64_t number = 0;
    event_listener handle;
    subscriber_feed feed;
    reconnect_backoff backoff;
    /// Waits for the end of the pause after a fetch that failed.
    bool backing_off = false;
  };

  /// Identifies a subscription in callbacks, which may run after its end.
  struct key {
    caf::actor_addr who;
    uint64_t number = 0;
  };

  static key key_of(const subscriber& x) {
    return {x.handle.address(), x.number};
  }

  subscriber* find(const key& x);
  void serve(subscriber& x);
  void send_waiting(subscriber& x);
  void send(subscriber& x, subscriber_feed::delivery what);
  void credit_returned(const key& who, uint32_t credit);
  void catch_up(subscriber& x);
  void fetched(const key& who, const subscriber_feed::missing_range& range,
               outcome<reply_ptr> x);
  void take(subscriber& x, const subscriber_feed::missing_range& range,
            const resp::event_page& page);
  void not_fetched(subscriber& x, const std::string& stream,
                   const failure& why);
  void report_gap(const subscriber_feed::loss& x);
  void drop_overflown();

  reader_context& reader_;
  std::function<void()> on_room_;
  std::unordered_map<caf::actor_addr, subscriber> subscribers_;
  uint64_t last_number_ = 0;
  std::vector<event_listener> overflown_;
};

} // namespace pulse::internal
