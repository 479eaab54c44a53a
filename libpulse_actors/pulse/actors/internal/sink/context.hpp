#pragma once

#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/notice_board.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/core/delivery/ledger.hpp"
#include "pulse/core/event_filter.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/reading/page_limit.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse::internal {

/// A sink with the message that only itself sends.
using sink_self = sink_actor::extend<caf::reacts_to<caf::tick_atom>>;

/// One stream of a sink. Lives as long as the sink, at the same index.
struct sink_stream {
  enum class phase : uint8_t {
    /// Its group is not known to exist (yet, or any more).
    opening,
    open,
    /// Removed, but subscribers still work on events of it.
    leaving,
    removed,
  };

  std::string name;
  std::string key;
  start_position start;
  phase at = phase::opening;
  /// Highest ID read from the group, and whether the group was ever open.
  event_id last_read;
  bool was_open = false;
  /// Behind which ID other members may hold events, at the last audit.
  std::optional<event_id> others_from;
  lease_ptr lease;
  /// Redis may have given events to this sink of which the sink does not know.
  bool recover_pending = false;

  [[nodiscard]] bool is_open() const noexcept {
    return at == phase::open;
  }
};

/// What the parts of a sink share. Owned by the state of the sink. The parts
/// change it, but none of them calls the sink: after each message and each
/// reply the sink itself does what has become possible.
struct sink_context {
  using time_point = caf::actor_clock::time_point;

  /// @param options Must be valid.
  /// @param listens See notice_board.
  /// @param advance Called after each reply: does what has become possible.
  sink_context(sink_self::pointer self, sink_options options,
               connection_source redis, lease_actor leases,
               notice_board::report listens, const environment& env,
               std::function<void()> advance);

  sink_self::pointer self;
  requester<sink_self::pointer> requests;
  sink_options options;
  connection_source redis;
  lease_actor leases;
  notice_board notices;
  environment env;
  std::string consumer;
  std::string log_name;
  event_filter filter;
  delivery_ledger ledger;
  std::vector<sink_stream> streams;
  sink_info counts;
  /// The sink drains and will stop.
  bool closing = false;
  /// Limits all reads and claims.
  page_limit pages;
  /// When Redis answered last.
  time_point last_contact;
  /// Until then no events of other nodes are claimed.
  time_point no_claims_before;
  /// Whether commands fail, and whether one failed for want of Redis.
  bool failing_commands = false;
  bool outage = false;
  /// Redis refused a command as if a group were gone: find out which group it
  /// is, and create it again.
  bool check_groups = false;

  [[nodiscard]] time_point now() const {
    return self->clock().now();
  }

  /// At most once: Redis keeps no pending list.
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

  /// To be called when Redis refused a command on a stream. Notes whether the
  /// groups have to be checked.
  void note_refusal(const failure& why) {
    if (why.code == errc::no_group || why.code == errc::wrong_type
        || why.code == errc::permission_denied)
      check_groups = true;
  }

  /// Has all streams recovered whose own pending events may be unknown.
  void recover_all() {
    if (acks())
      for (auto& x : streams)
        x.recover_pending = true;
  }

  /// @returns whether own pending events have to be read, and can be.
  [[nodiscard]] bool recovery_due() const noexcept {
    return std::any_of(streams.begin(), streams.end(), [](const auto& x) {
      return x.recover_pending && x.is_open();
    });
  }

  /// Logs a line.
  void report(log_level level, const std::string& line) const {
    log(level, log_name, line);
  }

  /// Counts, logs and publishes that events were removed before the sink had
  /// them.
  void report_gap(const std::string& stream, event_id after,
                  event_id first_available, uint64_t lost, bool exact);

  /// Redis answered. The idle time of events goes on while Redis is away. So
  /// after a long silence nobody claims for one lease, until all nodes have
  /// renewed their leases: otherwise an outage would shuffle all events.
  void note_contact();

  /// A command that recovers events failed, or worked.
  void note_command_failed(const failure& why);
  void note_command_worked();

  /// Logs news about a stream of this sink and tells who listens.
  void publish(notice news) {
    news.sink = options.name;
    notices.publish(log_name, news);
  }
};

} // namespace pulse::internal
