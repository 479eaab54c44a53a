#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/resp/add_batch.hpp"

#include <caf/actor_clock.hpp>
#include <caf/response_promise.hpp>

#include <functional>
#include <list>
#include <memory>
#include <variant>
#include <vector>

// The work of a stream actor: batches of adds, and other operations, in the
// order in which they came.

namespace pulse::internal {

/// A request to add several events. Its reply is sent when the last result is
/// known.
struct add_many_request {
  caf::response_promise promise;
  std::vector<add_result> results;
  size_t open = 0;
};

/// Where the result of one add goes.
struct add_target {
  /// For a request of one event.
  caf::response_promise promise;
  /// For a request of several events: that request, and the index of this
  /// event.
  std::shared_ptr<add_many_request> many;
  size_t index = 0;

  void settle(const outcome<event_id>& x);
};

/// Adds that are sent together as one batch of commands.
struct pending_adds {
  explicit pending_adds(const resp::add_format& format) : batch(format) {
    // nop
  }

  /// @returns whether the batch is so large that a larger one would be no
  /// cheaper.
  [[nodiscard]] bool full() const noexcept;

  resp::add_batch batch;
  std::vector<add_target> targets;
  /// Size of the commands in bytes, and whether the batch was not full, when it
  /// was sent.
  size_t size = 0;
  bool small = false;
  /// When the first add came.
  caf::actor_clock::time_point came;
  /// When the batch was sent for the first time.
  caf::actor_clock::time_point sent;
  /// An ID that the stream had reached when the batch was sent.
  event_id after;
  /// The batch was sent as a call of the script. Such a batch is the last one
  /// that is under way: if Redis does not know the script, the connection
  /// repeats the call behind all commands that were sent meanwhile.
  bool is_script = false;
  /// The connection was lost: the adds may have been stored or not.
  bool outcome_unknown = false;
  /// The batch waits for the next attempt to find out whether it was stored.
  /// False with an unknown outcome: an attempt is under way.
  bool waits_for_retry = false;
};

/// Any other operation.
struct pending_operation {
  /// Fulfils the promise with what the reply of Redis means.
  using handler
    = std::function<void(const std::string& stream, resp::reply& from,
                         caf::response_promise& promise)>;

  command_ptr commands;
  caf::response_promise promise;
  handler on_reply;
};

using stream_work = std::variant<pending_adds, pending_operation>;

/// The requests of a stream actor: those that wait, in order, and those that
/// are under way.
class stream_work_queue {
public:
  using handle = std::list<stream_work>::iterator;
  using time_point = caf::actor_clock::time_point;

  /// `format` must outlive the queue.
  explicit stream_work_queue(const resp::add_format& format)
    : format_(&format) {
    // nop
  }

  /// Appends an add to the last batch, or begins a new one.
  /// @param unique See resp::add_batch::append().
  void push(const new_event& x, bool only_if_exists, std::string_view unique,
            add_target target, time_point now);

  void push(pending_operation x);

  /// @returns the work to send now, which then counts as under way. `end()` if
  /// no work waits, if enough adds are under way, or if one batch of them is a
  /// call of the script or has an unknown outcome, because adds must keep their
  /// order. Adds also wait while `may_add` is false.
  /// @param last The highest ID that the stream is known to have.
  handle start_next(time_point now, event_id last, bool may_add = true);

  /// Call this when the connection was lost during a batch of adds.
  void begin_retries(handle x);

  /// @returns a batch of adds that waits for its next attempt; it does not wait
  /// any more then. `end()` if there is none.
  handle next_retry();

  [[nodiscard]] handle end() noexcept {
    return under_way_.end();
  }

  /// Call this when work that was under way has got its reply.
  void finish(handle x);

  /// Fails the work at the front of the queue, up to the first adds that came
  /// after `latest`.
  void fail_waiting(const failure& why, time_point latest);

  /// Fails all work.
  /// @param waiting For work that was not sent.
  /// @param under_way For work that Redis may have executed.
  void fail_all(const failure& waiting, const failure& under_way);

  /// @returns whether the next work is a batch of adds.
  [[nodiscard]] bool adds_are_next() const noexcept {
    return !waiting_.empty()
           && std::holds_alternative<pending_adds>(waiting_.front());
  }

  [[nodiscard]] bool idle() const noexcept {
    return waiting_.empty() && under_way_.empty();
  }

  /// @returns the number of adds and operations that wait; waiting_bytes() has
  /// the size of their commands.
  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_count_;
  }

  [[nodiscard]] size_t waiting_bytes() const noexcept {
    return waiting_bytes_;
  }

private:
  void uncount(const stream_work& x);
  [[nodiscard]] bool has_room_for(const pending_adds& x) const noexcept;

  const resp::add_format* format_;
  std::list<stream_work> waiting_;
  std::list<stream_work> under_way_;
  size_t adds_under_way_ = 0;
  size_t events_under_way_ = 0;
  size_t bytes_under_way_ = 0;
  size_t small_under_way_ = 0;
  size_t unknown_outcomes_ = 0;
  bool script_under_way_ = false;
  size_t waiting_count_ = 0;
  size_t waiting_bytes_ = 0;
};

} // namespace pulse::internal
