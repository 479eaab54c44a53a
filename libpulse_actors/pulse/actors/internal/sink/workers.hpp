#pragma once

#include "pulse/actors/internal/caf/answer_inbox.hpp"
#include "pulse/actors/internal/runtime/request_table.hpp"
#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/core/repeated_lines.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pulse::internal {

/// The subscribers of a sink. This class sends events to them, and notes in the
/// ledger how each event ended.
class sink_workers {
public:
  using time_point = sink_context::time_point;
  using worker_id = delivery_ledger::worker_id;

  explicit sink_workers(sink_context& ctx)
    : ctx_(ctx),
      inbox_(ctx.self),
      crash_lines_("more subscribers died", writer_of(ctx)),
      failure_lines_("more times subscribers failed", writer_of(ctx)) {
    // nop
  }

  /// Adds a subscriber, or changes what it takes.
  void add(const event_listener& who, const subscription& how);

  /// Removes a subscriber.
  /// @returns whether the actor was a subscriber.
  bool remove(const event_listener& who);

  /// Call this when a monitored actor died.
  void on_down(const caf::down_msg& what);

  /// Sends the events that the ledger dispatches.
  void dispatch();

  /// Notes in the ledger what the subscribers answered since the last call.
  void take_answers();

  /// Treats errors as failures whose worker did not die shortly afterwards, and
  /// sends probes to late workers.
  void tick(time_point now);

  [[nodiscard]] size_t size() const noexcept {
    return workers_.size();
  }

  /// @returns whether tick() has something to decide soon.
  [[nodiscard]] bool has_pending_failures() const noexcept {
    return !pending_failures_.empty();
  }

private:
  using ticket = delivery_ledger::ticket;
  using blame = delivery_ledger::blame;

  /// What a subscriber is to answer.
  struct open_request {
    worker_id by = 0;
    /// The event, unless it is a batch.
    ticket what;
    /// The events of a batch; empty for a single event.
    std::vector<ticket> batch;

    [[nodiscard]] const ticket* begin() const noexcept {
      return batch.empty() ? &what : batch.data();
    }
    [[nodiscard]] const ticket* end() const noexcept {
      return begin() + size();
    }
    [[nodiscard]] size_t size() const noexcept {
      return batch.empty() ? 1 : batch.size();
    }
  };

  struct pending_failure {
    open_request what;
    std::string reason;
    time_point due;
    /// Whether the worker had begun with the event or the batch.
    bool is_of_handler = false;
  };

  /// A batch that is being made.
  struct new_batch {
    open_request request;
    std::vector<event> events;
  };

  static repeated_lines::write_function writer_of(sink_context& ctx) {
    return [&ctx](const auto& x) { ctx.report(log_level::warning, x); };
  }

  void settle_failures_of(worker_id who, const caf::error& reason);
  void hand_over(const delivery_ledger::dispatch& x);
  void hand_over_batches();
  template <class Content>
  void send(open_request request, const Content& what);
  void send_probe(const worker_table::probe& x);
  void on_answer(const open_request& what, const answer& how);
  void on_error(const open_request& what, const caf::error& err);
  void on_parts(const open_request& what, const batch_outcome& how);
  void end_badly(const open_request& what, const caf::error& err,
                 milliseconds delay = {});
  void fail(const open_request& what, const std::string& why,
            std::optional<milliseconds> delay = {});
  void note_failure(const open_request& what, const std::string& why);

  sink_context& ctx_;
  answer_inbox<sink_self::pointer> inbox_;
  request_table<open_request> open_;
  std::vector<answer> answers_;
  // Whether they handle events or batches is known to the ledger only.
  std::unordered_map<worker_id, caf::actor> workers_;
  // Includes subscribers that have left and may still hold events. These are
  // monitored, but not kept alive.
  std::unordered_map<caf::actor_addr, worker_id> ids_;
  std::vector<pending_failure> pending_failures_;
  repeated_lines crash_lines_;
  repeated_lines failure_lines_;
  std::vector<delivery_ledger::dispatch> out_;
  std::vector<new_batch> batches_;
  std::vector<worker_table::probe> probes_;
  worker_id last_id_ = 0;
};

} // namespace pulse::internal
