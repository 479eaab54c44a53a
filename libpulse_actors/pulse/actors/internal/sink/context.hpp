#pragma once

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/notice_publisher.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/core/delivery/ledger.hpp"
#include "pulse/core/event_filter.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/reading/page_limit.hpp"
#include "pulse/core/streams/group_history.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// A sink with the message that it sends to itself.
using sink_self
  = extended_interface<sink_actor, caf::result<void>(caf::tick_atom)>;

/// One stream of a sink. It keeps its index as long as the sink lives.
struct sink_stream {
  enum class phase : uint8_t {
    /// The sink does not know (yet, or any more) that the group exists.
    opening,
    /// The group exists, and the sink reads the stream.
    open,
    /// The stream was removed, but subscribers still work on its events.
    leaving,
    removed,
  };

  std::string name;
  std::string key;
  start_position start;
  phase at = phase::opening;
  /// The highest ID that the sink has read from the group.
  event_id last_read;
  /// What the sink knows about the group and the stream.
  group_history history;
  /// Whether the stream has been open at least once. If so, a missing group was
  /// deleted, and it must be created again at the old position.
  bool was_open = false;
  /// After which ID other members may have held events at the last audit.
  std::optional<event_id> others_from;
  lease_ptr lease;
  /// Whether events may be pending for this sink that the sink does not know.
  bool recover_pending = false;
  /// How many events of the group wait in Redis for their next attempt, as far
  /// as this sink knows, and when the next one is due.
  uint64_t delayed = 0;
  bool reported_delays = false;
  std::optional<caf::actor_clock::time_point> next_due;

  /// Notes that an event is pending that this sink does not hold.
  void note_other_holds(event_id id) {
    others_from = others_from ? std::min(*others_from, id) : id;
  }

  [[nodiscard]] bool is_open() const noexcept {
    return at == phase::open;
  }
};

/// The data that the parts of a sink share. The state of the sink owns it. The
/// parts change it, but they do not call the sink. After each message and each
/// reply, the sink itself does what has become possible.
struct sink_context {
  using time_point = caf::actor_clock::time_point;

  /// @param options Must be valid.
  /// @param listens See notice_publisher.
  /// @param advance Is called after each reply, and does what has become
  /// possible.
  sink_context(sink_self::pointer self, sink_options options,
               connection_source redis, lease_actor leases,
               notice_publisher::report listens, const environment& env,
               std::function<void()> advance);

  sink_self::pointer self;
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
  std::vector<sink_stream> streams;
  sink_info counts;
  /// Whether the sink drains and then stops.
  bool closing = false;
  /// The largest page that reads and claims may ask for.
  page_limit pages;
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
  /// Whether Redis refused a command because a group is missing. Then the sink
  /// finds out which group it is, and creates it again.
  bool check_groups = false;

  [[nodiscard]] time_point now() const {
    return self->clock().now();
  }

  /// @returns whether the sink acknowledges events. If not, Redis keeps no
  /// pending list, and events are delivered at most once.
  [[nodiscard]] bool acks() const noexcept {
    return options.ack != ack_mode::none;
  }

  [[nodiscard]] std::optional<uint32_t>
  index_of(std::string_view stream) const noexcept {
    for (size_t i = 0; i < streams.size(); ++i)
      if (streams[i].name == stream)
        return static_cast<uint32_t>(i);
    return std::nullopt;
  }

  [[nodiscard]] size_t open_streams() const noexcept {
    size_t result = 0;
    for (const auto& x : streams)
      result += x.is_open() ? 1 : 0;
    return result;
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

  /// @param sent Time since boot at which a command was sent that brings
  /// events.
  /// @returns whether other nodes may have claimed these events meanwhile,
  /// because this node was stopped while the reply waited. Then the sink drops
  /// the reply, and reads the events that are still pending for it.
  [[nodiscard]] bool is_stale(std::chrono::nanoseconds sent) const {
    return acks() && env.boot_time() - sent > options.lease / 2;
  }

  /// Makes the sink read its own pending events of all streams again, because
  /// the reply to a read is missing.
  void recover_all() {
    ++disturbances;
    if (acks())
      for (auto& x : streams)
        x.recover_pending = true;
  }

  /// @returns whether the sink has to read own pending events of a stream that
  /// is open.
  [[nodiscard]] bool recovery_due() const noexcept {
    return std::any_of(streams.begin(), streams.end(), [](const auto& x) {
      return x.recover_pending && x.is_open();
    });
  }

  /// Notes what Redis answered about the events of a stream that wait for their
  /// next attempt.
  /// @param due_in In how many ms the next one is due; -1: none waits.
  void note_delayed(uint32_t stream, int64_t waiting, int64_t due_in);

  /// Logs a line.
  void report(log_level level, const std::string& line) const {
    log(level, log_name, line);
  }

  /// Counts, logs and publishes that events were removed before the sink read
  /// them.
  void report_gap(const std::string& stream, event_id after,
                  event_id first_available, uint64_t lost, bool exact);

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
