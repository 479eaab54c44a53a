#pragma once

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/notice_publisher.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/runtime/turn_clock.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/actors/internal/sink/late_replies.hpp"
#include "pulse/actors/internal/sink/streams.hpp"
#include "pulse/core/delivery/ledger.hpp"
#include "pulse/core/event_filter.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/reading/page_limit.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pulse::internal {

/// A sink with the messages that it sends to itself: a tick, and that
/// subscribers have answered.
using sink_self
  = extended_interface<sink_actor, caf::result<void>(caf::tick_atom),
                       caf::result<void>(caf::update_atom)>;

/// The actors that a sink talks to.
struct sink_peers {
  connection_source redis;
  lease_actor leases;
  /// See notice_publisher.
  notice_publisher::report listens;
};

/// The data that the parts of a sink share. The state of the sink owns it. The
/// parts change it, but they do not call the sink. After each message and each
/// reply, the sink itself does what has become possible.
struct sink_context {
  using time_point = caf::actor_clock::time_point;

  /// @param options Must be valid.
  /// @param advance Is called after each reply, and does what has become
  /// possible.
  sink_context(sink_self::pointer self, sink_options options, sink_peers peers,
               const environment& env, std::function<void()> advance);

  sink_self::pointer self;
  turn_clock<sink_self::pointer> turn;
  requester<sink_self::pointer> requests;
  death_watch<sink_self::pointer> deaths;
  sink_options options;
  connection_source redis;
  lease_actor leases;
  notice_publisher notices;
  environment env;
  std::string consumer;
  std::string log_name;
  event_filter filter;
  delivery_ledger ledger;
  sink_streams streams;
  /// The streams whose leases are renewed.
  std::set<uint32_t> leased;
  sink_info counts;
  /// Whether the sink drains and then stops.
  bool closing = false;
  /// How many events reads and claims may ask for. Their replies shall arrive
  /// in a small part of a lease.
  page_limit pages{options.lease / 8};
  late_replies late;
  /// When Redis answered last.
  time_point last_contact;
  /// The sink claims no events of other nodes before this time.
  time_point no_claims_before;
  /// Whether the last command that recovers events failed.
  bool failing_commands = false;
  /// Whether such a command failed because Redis could not be reached.
  bool outage = false;
  /// How often contact with Redis was lost, as far as the sink noticed.
  uint64_t disturbances = 0;
  /// How many events a keyed sink gave back so far.
  uint64_t give_backs = 0;
  /// Whether Redis refused a command because a group is missing. Then the sink
  /// finds out which group it is, and creates it again.
  bool check_groups = false;

  [[nodiscard]] time_point now() const {
    return turn.now();
  }

  /// @returns whether the sink acknowledges events. If not, Redis keeps no
  /// pending list, and events are delivered at most once.
  [[nodiscard]] bool acks() const noexcept {
    return options.ack != ack_mode::none;
  }

  /// @returns whether the sink shares the keys of its streams with other nodes,
  /// see sink_shared_keys.
  [[nodiscard]] bool shares_keys() const noexcept {
    return acks() && options.dispatch == dispatch_mode::keyed;
  }

  /// Runs a batch on the shared connection.
  template <class Then, class Fail>
  void run(command_ptr batch, Then then, Fail fail) {
    requests.ask(redis.commands, std::move(then), std::move(fail), atom::run_v,
                 std::move(batch));
  }

  /// Call this when Redis refused a command on a stream. It notes whether the
  /// groups have to be checked.
  void note_refusal(const failure& why) {
    if (why.code == errc::no_group || why.code == errc::wrong_type
        || why.code == errc::permission_denied)
      check_groups = true;
  }

  /// Notes that the sink read an event of a stream.
  void note_read(uint32_t stream, const event& x) {
    auto& s = streams[stream];
    s.last_read = std::max(s.last_read, x.id());
    s.history.received(x);
  }

  /// Call this when a command brought events of a stream. The lease of the
  /// stream is renewed from now on, as long as the sink holds events of it (see
  /// sink_lease_guard).
  /// @param sent Time since boot at which the command was sent. The lease of
  /// the events lasts at least from then on.
  void keep_lease(uint32_t stream, std::chrono::nanoseconds sent);

  /// @returns whether the lease of a stream was renewed in time since the sink
  /// last found out which events are its own. Then no other node can have taken
  /// any of them over, by the rules.
  [[nodiscard]] bool kept_in_time(uint32_t stream) const {
    return kept_in_time(stream, streams[stream].lease);
  }
  /// The same for a lease that is not renewed any more.
  [[nodiscard]] bool kept_in_time(uint32_t stream,
                                  const lease_ptr& which) const {
    return which && which->clock->lapses == streams[stream].known_lapses
           && !which->clock->has_lapsed(options.lease, env.boot_time());
  }

  /// A command that brings events and is about to be sent.
  struct fetch {
    /// See late_replies.
    uint64_t number = 0;
    /// For the batch.
    std::shared_ptr<reply_progress> progress;
    /// Time since boot.
    std::chrono::nanoseconds sent{};
  };

  /// Call this before such a command is sent, and `late.remove()` when it has
  /// ended.
  /// @param from The streams that it may bring events of.
  /// @param block How long the command waits for events.
  fetch begin_fetch(std::vector<uint32_t> from, milliseconds block = {});

  /// Renews the leases of events whose replies arrive slowly.
  void keep_late_leases();

  /// @param sent Time since boot at which a command was sent that brought
  /// events of `stream`.
  /// @returns whether other nodes may have claimed these events meanwhile,
  /// because this node was stopped while the reply waited, or because their
  /// lease was not renewed. Then the sink drops the reply, and reads the events
  /// that are still pending for it.
  [[nodiscard]] bool is_stale(uint32_t stream,
                              std::chrono::nanoseconds sent) const;

  /// Makes the sink read its own pending events of all streams again, because
  /// the reply to a read is missing.
  void recover_all() {
    ++disturbances;
    if (acks())
      streams.recover_all();
  }

  /// Notes what Redis answered about the events of a stream that wait for their
  /// next attempt.
  /// @param due_in In how many ms the next one is due; -1: none waits.
  void note_delayed(uint32_t stream, int64_t waiting, int64_t due_in);

  /// @param due See delivery_ledger::action.
  /// @returns the rest of the pause in ms; -1: the event did not fail, or its
  /// pause is over.
  [[nodiscard]] int64_t
  rest_of_pause(const std::optional<time_point>& due) const;

  /// @returns when the pause of a claimed event is over; nothing if the event
  /// may be delivered at once.
  [[nodiscard]] std::optional<time_point>
  end_of_pause(const resp::pauses_by_id& pauses, event_id id) const;

  /// Publishes once that very many events of a stream failed and wait.
  void report_failures(uint32_t stream);

  /// Logs a line.
  void report(log_level level, const std::string& line) const {
    log(level, log_name, line);
  }

  /// Counts, logs and publishes that events were removed before the sink read
  /// them.
  void report_gap(const std::string& stream, event_id after,
                  event_id first_available, uint64_t lost, bool exact);

  /// The same for pending events of which Redis said that they are not in the
  /// stream any more. Does nothing if `gone` is empty.
  void report_trimmed(uint32_t stream, const std::vector<event_id>& gone);

  /// Counts, logs and publishes that somebody deleted the consumer of this
  /// sink. What is noticed within a third of a lease is one deletion.
  /// @param kept How many events the sink claimed anew.
  void report_deleted_consumer(uint32_t stream, size_t kept);

  /// The same for the consumer of the events that wait for their next attempt.
  /// @param restored How many of them are pending again; 0: nothing happened.
  void report_restored(uint32_t stream, int64_t restored);

  /// Call this when Redis has answered. After a long silence of Redis it stops
  /// claims for one lease, so that all nodes can renew their leases first. The
  /// idle time of events also grows while Redis is away, so without this pause
  /// the nodes would claim each other's events after an outage.
  void note_contact();

  /// Call these when a command that recovers events failed, or worked.
  void note_command_failed(const failure& why);
  void note_command_worked();

  /// Logs news about a stream of this sink, and sends them to the listeners.
  void publish(notice news) {
    news.sink = options.name;
    notices.publish(log_name, news);
  }
};

} // namespace pulse::internal
