#pragma once

#include "pulse/actors/internal/reader/context.hpp"
#include "pulse/core/reading/subscriber_feed.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <caf/actor_addr.hpp>

#include <functional>
#include <string>
#include <unordered_map>

namespace pulse::internal {

/// Credit of a subscriber that asked for none in particular.
constexpr uint32_t default_reader_credit = 256;

/// The subscribers of a reader: sends them what their feeds hold, takes their
/// credit back, and fetches what slow ones missed.
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

  /// @returns its feed, for what it was not sent; nullopt if there is none.
  std::optional<subscriber_feed> remove(const caf::actor_addr& who);

  /// Offers the next live event to all. Who has credit is sent it at once.
  void offer(const event& x);

  /// Sends what waits, as far as there is credit, and fetches what was missed.
  void serve();

  /// @returns how many more events the quickest subscriber can take, 0 if that
  /// is not worth a read yet.
  [[nodiscard]] uint32_t free_slots() const;

private:
  struct subscriber {
    /// Tells it from an earlier subscription of the same actor.
    uint64_t number = 0;
    event_listener handle;
    subscriber_feed feed;
    reconnect_backoff backoff;
    /// Waits before it fetches again what could not be fetched.
    bool backing_off = false;
  };

  /// A subscriber as seen by what happens later.
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
