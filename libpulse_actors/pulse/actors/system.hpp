#pragma once

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

// For code outside actors: main(), tests, tools. Each call blocks its thread
// until the answer, so never call it from an actor; actors send messages to
// the handles instead. Failures are `caf::error`s, see describe().

namespace pulse {

/// A stream, see stream_actor.
class stream {
public:
  stream(caf::actor_system& sys, stream_actor handle);

  /// @param dedup_id See new_event.
  caf::expected<event_id> add(std::string name, std::string payload,
                              std::string topic = {},
                              std::string dedup_id = {});
  caf::expected<event_id> add_if_exists(std::string name, std::string payload,
                                        std::string topic = {});
  caf::expected<std::vector<add_result>> add(std::vector<new_event> events);
  caf::expected<uint64_t> remove(std::vector<event_id> ids);
  caf::expected<std::vector<event>> range(range_query query = {});
  caf::expected<uint64_t> trim(uint64_t max_len);
  caf::expected<stream_info> info();
  caf::expected<bool> destroy();
  caf::expected<std::vector<dead_letter>> dead_letters(dead_query query);
  /// Blocks until all were redriven: at the default rate, a second for a
  /// hundred.
  caf::expected<redrive_result> redrive(redrive_request request);
  caf::expected<uint64_t> purge(purge_request request);
  caf::expected<void> close();

  [[nodiscard]] const stream_actor& handle() const noexcept {
    return handle_;
  }

private:
  caf::actor_system* sys_;
  stream_actor handle_;
};

/// A reader, see reader_actor.
class reader {
public:
  reader(caf::actor_system& sys, reader_actor handle);

  /// `listener`: a typed actor that handles `pulse::event`, or any
  /// `caf::actor` that does.
  caf::expected<void> subscribe(const event_listener& listener,
                                subscription how = {});
  caf::expected<void> subscribe(const caf::actor& listener,
                                subscription how = {});
  caf::expected<bool> unsubscribe(const event_listener& listener);
  caf::expected<bool> unsubscribe(const caf::actor& listener);
  caf::expected<void> add_stream(std::string name, start_position start = {});
  caf::expected<bool> remove_stream(std::string name);
  /// Asks for notices: what was lost or repaired, see pulse::notice.
  /// `listener`: a typed actor that handles them, any `caf::actor` that does,
  /// or a function, which is called on a thread of the actor system as long as
  /// the reader is open.
  caf::expected<void> on_notice(const notice_listener& listener);
  caf::expected<void> on_notice(const caf::actor& listener);
  caf::expected<void> on_notice(std::function<void(const notice&)> listener);
  caf::expected<reader_info> info();
  caf::expected<void> close();

  [[nodiscard]] const reader_actor& handle() const noexcept {
    return handle_;
  }

private:
  caf::actor_system* sys_;
  reader_actor handle_;
};

/// A sink, see sink_actor.
class sink {
public:
  sink(caf::actor_system& sys, sink_actor handle);

  caf::expected<void> subscribe(const event_listener& listener,
                                subscription how = {});
  caf::expected<void> subscribe(const caf::actor& listener,
                                subscription how = {});
  caf::expected<bool> unsubscribe(const event_listener& listener);
  caf::expected<bool> unsubscribe(const caf::actor& listener);
  caf::expected<void> ack(delivery_id delivery);
  caf::expected<void> nack(delivery_id delivery, milliseconds delay = {});
  caf::expected<void> extend(delivery_id delivery);
  caf::expected<void> term(delivery_id delivery, std::string reason);
  caf::expected<void> add_stream(std::string name, start_position start = {});
  caf::expected<bool> remove_stream(std::string name);
  /// Asks for notices: what was lost or repaired, see pulse::notice.
  /// `listener`: a typed actor that handles them, any `caf::actor` that does,
  /// or a function, which is called on a thread of the actor system as long as
  /// the sink is open.
  caf::expected<void> on_notice(const notice_listener& listener);
  caf::expected<void> on_notice(const caf::actor& listener);
  caf::expected<void> on_notice(std::function<void(const notice&)> listener);
  caf::expected<sink_info> info();
  caf::expected<void> close();

  [[nodiscard]] const sink_actor& handle() const noexcept {
    return handle_;
  }

private:
  caf::actor_system* sys_;
  sink_actor handle_;
};

/// The library in one object: spawns the root of an endpoint and closes it
/// (draining) in the destructor. Must not outlive its actor system.
class system {
public:
  /// Checks the options, spawns the root and waits until Redis answered, at
  /// most `connect_timeout`.
  /// Error: `invalid_option`, `invalid_endpoint`, `connect_failed`,
  /// `auth_failed`.
  static caf::expected<system> connect(caf::actor_system& sys,
                                       redis_options options);
  static caf::expected<system> connect(caf::actor_system& sys, std::string url);

  system(system&&) noexcept;
  system& operator=(system&&) noexcept;
  ~system();

  /// Opens, or finds what is open with the same options.
  caf::expected<pulse::stream> stream(stream_options options);
  caf::expected<pulse::stream> stream(std::string name);
  caf::expected<pulse::reader> reader(reader_options options);
  caf::expected<pulse::sink> sink(sink_options options);

  caf::expected<system_info> info();

  /// Drains and closes all; the destructor does it as well.
  caf::expected<void> close();

  [[nodiscard]] const root_actor& handle() const noexcept {
    return handle_;
  }

private:
  system(caf::actor_system& sys, root_actor handle);

  caf::actor_system* sys_;
  root_actor handle_;
};

} // namespace pulse
