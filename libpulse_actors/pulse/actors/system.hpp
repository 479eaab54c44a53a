#pragma once

#include "pulse/actors/ask.hpp"
#include "pulse/actors/handler.hpp"
#include "pulse/actors/inbox.hpp"
#include "pulse/actors/producer.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Blocking classes for code outside of actors: main(), tests, tools. Each call
// blocks its thread until the reply comes, so an actor must never make such a
// call; actors send messages to the handles instead. A failure is a
// `caf::error`; describe() gives its text.
//
// The actors have deadlines of their own, such as `command_timeout` for a
// command of Redis, so each call ends. To wait for less time, call a function
// of `x.within(200ms)`: it fails with `timed_out` then, but the request goes on
// and may still have its effect. To not wait at all, use a function whose name
// ends with _async, or ask_async() with the handle and any message.
//
// If an actor dies of a defect, its root restarts it (see root_actor.hpp). An
// object that `system` opened, other than a reader without a name, then goes on
// with the restarted actor: its next call waits for the restart. A call that
// was under way fails.

namespace pulse {

class system;

namespace detail {

/// The handle of a stream, reader or sink, which the copies of an object share.
/// If its actor died of a defect, it is replaced by that of the restarted
/// actor.
template <class Handle>
class shared_handle {
public:
  /// Without a root the handle stays as it is.
  /// @param lazy Whether calls must not wait until Redis answers.
  explicit shared_handle(Handle x, root_actor root = {}, std::string name = {},
                         bool lazy = false);

  [[nodiscard]] bool is_lazy() const;

  [[nodiscard]] Handle get() const;

  /// Asks the root for the restarted actor if the actor has died, and waits for
  /// its restart. @returns the handle.
  Handle renew(caf::actor_system& sys) const;

  /// The same with a limit. Error: `caf::sec::request_timeout`.
  [[nodiscard]] caf::expected<Handle>
  renew_within(caf::actor_system& sys, std::optional<milliseconds> limit) const;

  /// From now on the handle stays as it is.
  void keep() const;

  /// @returns the root that restarts the actor, and its name there.
  [[nodiscard]] std::pair<root_actor, std::string> origin() const;

  /// From now on the handle is that of the restarted actor.
  void replace(Handle fresh) const;

private:
  struct state;

  std::shared_ptr<state> state_;
};

/// Whom the calls of an object ask, and how long they wait at most.
template <class Handle>
struct callee {
  caf::actor_system* sys;
  shared_handle<Handle> handle;
  std::optional<milliseconds> limit{};
};

} // namespace detail

/// A stream. Each function sends the message with the same meaning to the
/// stream actor; stream_actor.hpp describes results and errors. Any thread may
/// call them.
class stream {
public:
  stream(caf::actor_system& sys, stream_actor handle);

  /// @returns this stream with a deadline for each call; see the top of this
  /// file. Error of these calls: `invalid_option`, if `limit` is less than 1
  /// ms.
  [[nodiscard]] stream within(milliseconds limit) const;

  /// @param dedup_id See new_event.
  [[nodiscard]] caf::expected<event_id>
  add(std::string name, std::string payload, std::string topic = {},
      std::string dedup_id = {});
  [[nodiscard]] caf::expected<event_id>
  add_if_exists(std::string name, std::string payload, std::string topic = {});
  [[nodiscard]] caf::expected<std::vector<add_result>>
  add(std::vector<new_event> events);

  /// Adds without waiting for the result. A producer does the same for many
  /// events, needs less for each, and bounds how many are open.
  [[nodiscard]] future<event_id>
  add_async(std::string name, std::string payload, std::string topic = {},
            std::string dedup_id = {});
  [[nodiscard]] future<std::vector<add_result>>
  add_async(std::vector<new_event> events);

  /// Makes a producer: it adds events without waiting for each answer, as long
  /// as a window of open adds has room. See producer.hpp, and
  /// producer_options for the window.
  ///
  ///     auto out = orders->producer({}, [](pulse::failed_add x) {
  ///       spool(x.event, x.why); // on a thread of its own
  ///     });
  ///
  /// @param on_failure Is called with each event that could not be added. If it
  /// is empty, these events are kept for producer::flush().
  /// Error: `invalid_option`.
  [[nodiscard]] caf::expected<pulse::producer>
  producer(const producer_options& how = {}, failure_handler on_failure = {});

  [[nodiscard]] caf::expected<uint64_t> remove(std::vector<event_id> ids);
  [[nodiscard]] caf::expected<std::vector<event>> range(range_query query = {});
  [[nodiscard]] caf::expected<uint64_t> trim(uint64_t max_len);
  [[nodiscard]] caf::expected<stream_info> info();
  [[nodiscard]] caf::expected<stream_retention> retention();
  [[nodiscard]] caf::expected<bool> destroy();
  [[nodiscard]] caf::expected<std::vector<dead_letter>>
  dead_letters(dead_query query);
  /// Blocks until all letters were processed: with the default rate of 100
  /// letters per second, one second per 100 letters.
  [[nodiscard]] caf::expected<redrive_result> redrive(redrive_request request);
  [[nodiscard]] caf::expected<uint64_t> purge(purge_request request);
  [[nodiscard]] caf::expected<void> close();

  /// @returns the handle of the actor, as it was at the last call. If the actor
  /// died since then, the next call has that of the restarted one.
  [[nodiscard]] stream_actor handle() const {
    return to_.handle.get();
  }

private:
  friend class system;

  explicit stream(detail::callee<stream_actor> to);

  detail::callee<stream_actor> to_;
};

/// A reader. Each function sends the message with the same meaning to the
/// reader actor; reader_actor.hpp describes results and errors. Any thread may
/// call them.
class reader {
public:
  reader(caf::actor_system& sys, reader_actor handle);

  /// @returns this reader with a deadline for each call; see the top of this
  /// file. Error of these calls: `invalid_option`, if `limit` is less than 1
  /// ms.
  [[nodiscard]] reader within(milliseconds limit) const;

  /// Makes an inbox, from which threads fetch events when they have time; see
  /// reader_inbox. Errors: `internal` (no file descriptor is free), those of a
  /// subscription.
  [[nodiscard]] caf::expected<reader_inbox> inbox(subscription how = {});

  /// The listener is an actor that handles `event`, or, with a
  /// subscription::max_batch, `event_batch`.
  [[nodiscard]] caf::expected<void> subscribe(const event_listener& listener,
                                              subscription how = {});
  [[nodiscard]] caf::expected<void> subscribe(const batch_listener& listener,
                                              subscription how = {});
  [[nodiscard]] caf::expected<void> subscribe(const caf::actor& listener,
                                              subscription how = {});
  [[nodiscard]] caf::expected<bool> unsubscribe(const event_listener& listener);
  [[nodiscard]] caf::expected<bool> unsubscribe(const batch_listener& listener);
  [[nodiscard]] caf::expected<bool> unsubscribe(const caf::actor& listener);
  [[nodiscard]] caf::expected<void> add_stream(std::string name,
                                               start_position start = {});
  [[nodiscard]] caf::expected<bool> remove_stream(std::string name);
  /// Adds a listener for notices, which report losses and repairs; see
  /// pulse::notice. The listener is an actor that handles `notice`, or a
  /// function. A function is called on a thread of the actor system, as long as
  /// the reader is open.
  [[nodiscard]] caf::expected<void> on_notice(const notice_listener& listener);
  [[nodiscard]] caf::expected<void> on_notice(const caf::actor& listener);
  [[nodiscard]] caf::expected<void>
  on_notice(std::function<void(const notice&)> listener);
  [[nodiscard]] caf::expected<reader_info> info();
  [[nodiscard]] caf::expected<void> close();

  /// @returns the handle of the actor, as it was at the last call. If the actor
  /// died since then, the next call has that of the restarted one.
  [[nodiscard]] reader_actor handle() const {
    return to_.handle.get();
  }

private:
  friend class system;

  explicit reader(detail::callee<reader_actor> to);

  detail::callee<reader_actor> to_;
};

/// A sink. Each function sends the message with the same meaning to the sink
/// actor; sink_actor.hpp describes results and errors. Any thread may call
/// them.
class sink {
public:
  sink(caf::actor_system& sys, sink_actor handle);

  /// @returns this sink with a deadline for each call; see the top of this
  /// file. Error of these calls: `invalid_option`, if `limit` is less than 1
  /// ms.
  [[nodiscard]] sink within(milliseconds limit) const;

  /// The listener is an actor that handles `event`, or, with a
  /// subscription::max_batch, `event_batch`.
  [[nodiscard]] caf::expected<void> subscribe(const event_listener& listener,
                                              subscription how = {});
  [[nodiscard]] caf::expected<void> subscribe(const batch_listener& listener,
                                              subscription how = {});
  [[nodiscard]] caf::expected<void> subscribe(const caf::actor& listener,
                                              subscription how = {});
  [[nodiscard]] caf::expected<bool> unsubscribe(const event_listener& listener);
  [[nodiscard]] caf::expected<bool> unsubscribe(const batch_listener& listener);
  [[nodiscard]] caf::expected<bool> unsubscribe(const caf::actor& listener);

  /// Handles the events with a function, on threads of its own, so that the
  /// function may block:
  ///
  ///     sink->handle([](const pulse::event& x) { … }, {4});
  ///
  /// The function returns nothing, a `caf::error` or a `pulse::status`. When it
  /// returns, the event is acknowledged; after an error or an exception the
  /// event is delivered again; after term() it becomes a dead letter. The text
  /// of the error or exception is in sink_info::last_failure and in the dead
  /// letter. Replies when the workers have subscribed.
  /// Errors: `invalid_option`, those of a subscription.
  template <class F>
  [[nodiscard]] caf::expected<handler_actor>
  handle(F fun, handler_options how = {}) {
    return start_handler(as_handler(std::move(fun)), how);
  }

  /// The same for batches: `fun` is called with an `event_batch`, and may also
  /// return a `batch_outcome`, if only some of the events failed. See
  /// batch_handler.
  template <class F>
  [[nodiscard]] caf::expected<handler_actor>
  handle_batches(F fun, batch_handler_options how = {}) {
    return start_batch_handler(as_batch_handler(std::move(fun)), how);
  }

  /// Makes an inbox, from which threads fetch events when they have time; see
  /// sink_inbox. Errors: `internal` (no file descriptor is free), those of a
  /// subscription.
  [[nodiscard]] caf::expected<sink_inbox> inbox(subscription how = {});

  [[nodiscard]] caf::expected<void> ack(delivery_id delivery);
  [[nodiscard]] caf::expected<void> ack(std::vector<delivery_id> deliveries);
  [[nodiscard]] future<void> ack_async(std::vector<delivery_id> deliveries);
  [[nodiscard]] caf::expected<void> nack(delivery_id delivery,
                                         milliseconds delay = {});
  [[nodiscard]] caf::expected<void> extend(delivery_id delivery);
  [[nodiscard]] caf::expected<void> extend(std::vector<delivery_id> deliveries);
  [[nodiscard]] caf::expected<void> term(delivery_id delivery,
                                         std::string reason);
  [[nodiscard]] caf::expected<void> add_stream(std::string name,
                                               start_position start = {});
  [[nodiscard]] caf::expected<bool> remove_stream(std::string name);
  /// Adds a listener for notices, which report losses and repairs; see
  /// pulse::notice. The listener is an actor that handles `notice`, or a
  /// function. A function is called on a thread of the actor system, as long as
  /// the sink is open.
  [[nodiscard]] caf::expected<void> on_notice(const notice_listener& listener);
  [[nodiscard]] caf::expected<void> on_notice(const caf::actor& listener);
  [[nodiscard]] caf::expected<void>
  on_notice(std::function<void(const notice&)> listener);
  [[nodiscard]] caf::expected<sink_info> info();
  [[nodiscard]] caf::expected<void> close();

  /// @returns the handle of the actor, as it was at the last call. If the actor
  /// died since then, the next call has that of the restarted one.
  [[nodiscard]] sink_actor handle() const {
    return to_.handle.get();
  }

private:
  friend class system;

  explicit sink(detail::callee<sink_actor> to);

  caf::expected<handler_actor> start_handler(event_handler fun,
                                             const handler_options& how);
  caf::expected<handler_actor>
  start_batch_handler(batch_handler fun, const batch_handler_options& how);
  template <class F>
  caf::expected<handler_actor> start(F spawn);

  detail::callee<sink_actor> to_;
};

/// What system::connect() does if Redis does not answer.
enum class connect_mode {
  /// It waits at most `connect_timeout`, and fails then.
  wait,
  /// It returns at once, also if Redis is away, so that a service starts in any
  /// order. Streams, readers and sinks open as always, and begin to work when
  /// Redis can be reached: stream(), subscribe(), handle() and
  /// handle_batches() wait for Redis at most half a second each, and go on in
  /// the background. What Redis refuses later (a wrong type or retention, a
  /// missing right) is then in the log, and in the errors of adds. Requests
  /// that
  /// need an answer of Redis, such as add(), fail with a connection error after
  /// their timeouts. What is wrong with the connection, such as a wrong
  /// password, is in the log and in the error of ping().
  lazy,
};

/// Owns the root of one endpoint: connect() spawns the root, the destructor
/// drains and closes it. Must not outlive its actor system.
class system {
public:
  /// Checks the options, spawns the root and waits until Redis answers, at most
  /// `connect_timeout`; see connect_mode.
  /// Error: `invalid_option`, `invalid_endpoint`; if it waits also
  /// `connect_failed`, `auth_failed` and other connection errors.
  [[nodiscard]] static caf::expected<system>
  connect(caf::actor_system& sys, redis_options options,
          connect_mode how = connect_mode::wait);
  [[nodiscard]] static caf::expected<system>
  connect(caf::actor_system& sys, std::string url,
          connect_mode how = connect_mode::wait);
  /// The same with the options that the group "pulse" of the configuration of
  /// `sys` holds, see redis_options_of(): `--pulse.redis-url=…` on the command
  /// line.
  [[nodiscard]] static caf::expected<system>
  connect(caf::actor_system& sys, connect_mode how = connect_mode::wait);

  system(system&&) noexcept;
  system& operator=(system&&) noexcept;
  ~system();

  /// Opens a stream, reader or sink. If it is open with the same options, the
  /// result is the one that is open. Errors: see root_actor.hpp.
  [[nodiscard]] caf::expected<pulse::stream> stream(stream_options options);
  [[nodiscard]] caf::expected<pulse::stream> stream(std::string name);
  [[nodiscard]] caf::expected<pulse::reader> reader(reader_options options);
  [[nodiscard]] caf::expected<pulse::sink> sink(sink_options options);

  [[nodiscard]] caf::expected<system_info> info();

  /// Asks Redis for an answer. Until the first one this waits at most
  /// `connect_timeout`, later `command_timeout`.
  /// @returns the time that the answer took. Errors: connection errors.
  [[nodiscard]] caf::expected<caf::timespan> ping();

  /// Drains and closes all streams, readers and sinks, then the root. The
  /// destructor does the same.
  [[nodiscard]] caf::expected<void> close();

  [[nodiscard]] const root_actor& handle() const noexcept {
    return handle_;
  }

private:
  system(caf::actor_system& sys, root_actor handle, connect_mode how);

  caf::actor_system* sys_;
  root_actor handle_;
  connect_mode how_;
};

} // namespace pulse
