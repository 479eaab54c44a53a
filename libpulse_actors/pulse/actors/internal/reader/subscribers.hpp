#pragma once

#include "pulse/actors/internal/reader/context.hpp"
#include "pulse/core/reading/subscriber_feed.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <caf/actor_addr.hpp>

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

namespace pulse::internal {

/// Credit of a subscriber that asked for no particular credit.
constexpr uint32_t default_reader_credit = 256;

/// The subscribers of a reader. It sends them the events of their feeds, takes
/// their credit back, and fetches the events that slow subscribers missed.
///
/// If an answer is late, it asks the subscriber whether it still handles its
/// messages. If so, it gives the answer up. A subscriber that hangs gets
/// nothing more, so its mailbox does not grow.
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

  /// Adds a subscriber and monitors it, or changes what it takes.
  void add(const event_listener& who, const subscription& options);

  /// @returns the feed of the removed subscriber, which tells what was not sent
  /// to it; nullopt if there is no such subscriber.
  std::optional<subscriber_feed> remove(const caf::actor_addr& who);

  /// Offers the next live event to all subscribers. Those that have credit get
  /// it at once, and those that handle batches when a batch is full. Call
  /// serve() after the last event of a page.
  void offer(const event& x);

  /// Sends waiting events to all subscribers that have credit, and fetches the
  /// events that they missed.
  void serve();

  /// @returns, per stream, the ID after which events were not sent to some
  /// subscriber.
  [[nodiscard]] std::map<std::string, event_id> unsent() const;

  /// @returns how many more events the fastest subscriber can take; 0 if they
  /// are too few for a read.
  [[nodiscard]] uint32_t free_slots() const;

private:
  struct subscriber {
    /// Distinguishes this subscription from an earlier one of the same actor.
    uint64_t number = 0;
    event_listener handle;
    subscriber_feed feed;
    /// See subscription.
    uint32_t max_batch = 0;
    reconnect_backoff backoff;
    /// Waits for the end of the pause after a fetch that failed.
    bool backing_off = false;
    /// Whether the reader asked the subscriber if it handles its messages.
    bool probing = false;
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
  void send(subscriber& x, subscriber_feed::batch what);
  template <class Delivery, class Content>
  void ask(subscriber& x, const Delivery& what, Content content);
  void answered(const key& who, uint64_t answer);
  void watch();
  void check_answers();
  void probe(subscriber& x);
  void give_up_answers(const key& who, subscriber_feed::time_point sent);
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
  /// Whether a timer runs until the next answer is late.
  bool watching_ = false;
};

} // namespace pulse::internal
