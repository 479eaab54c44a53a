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

// What a stream actor has to do: batches of adds and other operations, in the
// order in which they came.

namespace pulse::internal {

/// Fulfils a promise; messages that were no requests get no answer.
template <class T>
void answer(caf::response_promise& promise, T&& x) {
  if (!promise.async())
    promise.deliver(std::forward<T>(x));
}

/// A request to add several events: answered when the last result is in.
struct add_many_request {
  caf::response_promise promise;
  std::vector<add_result> results;
  size_t open = 0;
};

/// Who is told the result of one add.
struct add_target {
  /// For a request of one event.
  caf::response_promise promise;
  /// For a request of several: that request, and which of its events.
  std::shared_ptr<add_many_request> many;
  size_t index = 0;

  void settle(const outcome<event_id>& x);
};

/// Adds that make one batch of commands.
struct pending_adds {
  explicit pending_adds(const resp::add_format& format) : batch(format) {
    // nop
  }

  /// So many events or bytes are enough to keep Redis busy.
  [[nodiscard]] bool full() const noexcept {
    return batch.size() >= 1'000 || batch.bytes() >= (1u << 20);
  }

  resp::add_batch batch;
  std::vector<add_target> targets;
  /// When the first of them came, later: when they were sent.
  caf::actor_clock::time_point since;
  /// An ID that the stream had when they were sent.
  event_id after;
  /// Their connection died: they may be stored or not.
  bool outcome_unknown = false;
  /// For the next attempt to find out; otherwise one is under way.
  bool waits_for_retry = false;
};

/// Any other operation.
struct pending_operation {
  /// Answers the promise from Redis' reply.
  using handler
    = std::function<void(const std::string& stream, resp::reply& from,
                         caf::response_promise& promise)>;

  command_ptr commands;
  caf::response_promise promise;
  handler on_reply;
};

using stream_work = std::variant<pending_adds, pending_operation>;

/// The work of a stream actor: what waits, in order, and what is under way.
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

  /// @returns what is to be sent now; `end()` if nothing is, or if two batches
  /// of adds are under way, or if the outcome of one is unknown: adds keep
  /// their order. It then counts as under way.
  /// @param last The last ID that the stream is known to have.
  handle start_next(time_point now, event_id last);

  /// To be called when the connection died under a batch of adds.
  void begin_retries(handle x);

  /// @returns a batch of adds that waits for its next attempt, and lets it wait
  /// no longer; `end()` if there is none.
  handle next_retry();

  [[nodiscard]] handle end() noexcept {
    return under_way_.end();
  }

  /// To be called when something under way was answered.
  void finish(handle x);

  /// Fails all that has waited since `since` or longer.
  void fail_waiting(const failure& why, time_point since);

  /// Fails everything. @param under_way For what Redis may have done.
  void fail_all(const failure& waiting, const failure& under_way);

  [[nodiscard]] bool idle() const noexcept {
    return waiting_.empty() && under_way_.empty();
  }

  /// Adds and operations that wait, and the bytes of their commands.
  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_count_;
  }

  [[nodiscard]] size_t waiting_bytes() const noexcept {
    return waiting_bytes_;
  }

private:
  void uncount(const stream_work& x);

  const resp::add_format* format_;
  std::list<stream_work> waiting_;
  std::list<stream_work> under_way_;
  size_t adds_under_way_ = 0;
  size_t unknown_outcomes_ = 0;
  size_t waiting_count_ = 0;
  size_t waiting_bytes_ = 0;
};

} // namespace pulse::internal
