#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/core/streams/add_window.hpp"
#include "pulse/core/streams/flush_rounds.hpp"

#include <caf/expected.hpp>
#include <caf/message.hpp>
#include <caf/response_promise.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pulse::internal {

using add_promise = std::promise<caf::expected<event_id>>;

/// All adds of a producer: those that wait for room, the open ones, and those
/// that failed. The threads that add share it with the actor that sends the
/// adds to the stream; any thread may call the functions, except those that
/// are for the actor only.
class add_queue {
public:
  using clock = std::chrono::steady_clock;

  /// A request to the stream: `caf::add_atom` and a vector of events. The queue
  /// has the message as well, so that an event that fails can be given back
  /// without a copy of those that do not.
  struct request {
    uint64_t id;
    caf::message message;
  };

  /// An actor's add whose wait has ended: it entered, or it failed.
  struct answer {
    caf::response_promise promise;
    failure why;
  };

  /// @param component Names the producer in logs and errors.
  add_queue(const producer_options& how, std::string component);
  add_queue(const add_queue&) = delete;
  add_queue& operator=(const add_queue&) = delete;
  ~add_queue();

  // -- for threads ------------------------------------------------------------

  /// Moves from `x` and `result` if it returns a success.
  /// @param result Gets the result of the add; may be null.
  status add(new_event& x, clock::time_point deadline,
             std::unique_ptr<add_promise> result = nullptr);

  /// Waits for all adds that began before. Error: `timed_out`.
  status flush(clock::time_point deadline);

  /// Removes and returns the events that failed and that no listener took.
  std::vector<failed_add> take_failed();

  [[nodiscard]] producer_info info() const;

  /// Refuses new adds with this error, also those that wait.
  void stop(const failure& why);

  /// Fails all adds that are not settled. Their answers change nothing then.
  void give_up();

  /// Fails all adds that were sent and have no answer. A later answer changes
  /// nothing.
  void give_up_sent(const failure& why);

  /// Fails all adds that were not sent.
  void give_up_unsent(const failure& why);

  /// Calls the failure handler of threads with `x`. An add of the same thread
  /// takes the place of `x` then.
  void call(const std::function<void(failed_add)>& handler, failed_add x);

  // -- for the actor only -----------------------------------------------------

  /// @param wake Has the actor call start_next() soon. Called by any thread.
  void set_wake(std::function<void()> wake);

  /// Enters at once, or is refused. @returns nothing if it has to wait.
  std::optional<status> add(new_event& x);

  /// Lets an add wait for room. Call this directly after add() returned
  /// nothing.
  /// @param answer Gets the answer, by take_answers().
  void wait(new_event& x, caf::response_promise answer,
            clock::time_point deadline);

  /// Fails the adds of actors whose deadline is over. @returns the next
  /// deadline, if any of them waits.
  std::optional<clock::time_point> expire(clock::time_point now);

  /// Says that the actor has heard the last wake.
  void woken();

  /// @returns the next request to send, if any, and if not too many are under
  /// way.
  std::optional<request> start_next();

  void settle(uint64_t id, const std::vector<add_result>& results);
  void fail(uint64_t id, const failure& why);

  std::vector<answer> take_answers();

  /// Says whether there is a listener, who gets the events that fail.
  void set_listening(bool on);

  /// @returns the next event for the listener, if it has none.
  std::optional<failed_add> next_report();
  /// The listener has taken its event.
  void reported();
  /// The listener has not taken its event.
  void not_reported(failed_add x);

  /// @returns what to ask has_flushed() for.
  uint64_t begin_flush();
  [[nodiscard]] bool has_flushed(uint64_t flushed) const;

  /// @returns whether nothing is open but events that failed and that no
  /// listener gets.
  [[nodiscard]] bool idle() const;

private:
  struct open_add {
    uint64_t bytes;
    uint64_t round;
    std::unique_ptr<add_promise> result;
  };

  /// Adds that are sent as one request.
  struct batch {
    std::vector<new_event> events;
    std::vector<open_add> adds;
    uint64_t bytes = 0;
    caf::message message;
  };

  struct thread_wait {
    std::condition_variable changed;
    bool ended = false;
    failure why;
  };

  struct waiter {
    /// The event of a thread; that of an actor is in `own`.
    new_event* event;
    std::unique_ptr<new_event> own;
    open_add what;
    /// Null if an actor waits.
    thread_wait* thread;
    caf::response_promise promise;
    clock::time_point deadline;
  };

  struct failed {
    failed_add what;
    uint64_t bytes;
    uint64_t round;
  };

  /// The event that the listener has.
  struct report {
    uint64_t bytes;
    uint64_t round;
    /// Another add has its place.
    bool replaced = false;
  };

  using lock = std::unique_lock<std::mutex>;

  static bool is_full(const batch& x);
  [[nodiscard]] bool may_start() const;
  void push(new_event& x, open_add what);
  void leave(uint64_t bytes);
  void admit(waiter& x);
  void refuse(waiter& x, const failure& why);
  void refuse_all(const failure& why);
  void end_round(uint64_t round);
  void fail_one(const new_event& x, open_add& what, const failure& why);
  void fail_all(batch& x, const std::vector<new_event>& events,
                const failure& why);
  void fail_sent(const failure& why);
  void fail_unsent(const failure& why);
  void refuse_if_stuck();
  void wake();
  status add_in_handler(new_event& x, open_add& what);
  [[nodiscard]] bool is_stuck() const;
  [[nodiscard]] failure stuck() const;
  [[nodiscard]] failure full(const std::string& why) const;

  const producer_options how_;
  const std::string component_;
  mutable std::mutex mutex_;
  add_window<waiter> window_;
  flush_rounds rounds_;
  std::condition_variable flushed_;
  failure stopped_;
  std::function<void()> wake_;
  // The actor has been woken, and has not heard it yet.
  bool awake_ = false;
  // Not sent yet.
  std::deque<batch> queued_;
  std::map<uint64_t, batch> under_way_;
  uint64_t last_id_ = 0;
  std::vector<answer> answers_;
  // How many adds of actors wait, and the size of their events.
  size_t actors_waiting_ = 0;
  uint64_t actors_waiting_bytes_ = 0;
  // For the listener.
  std::deque<failed> unreported_;
  bool listening_ = false;
  std::optional<report> report_;
  std::thread::id handler_thread_;
  // For flush(): nobody else gets them.
  std::deque<failed> kept_;
  uint64_t added_ = 0;
  uint64_t failed_ = 0;
};

} // namespace pulse::internal
