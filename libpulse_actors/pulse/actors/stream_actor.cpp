#include "pulse/actors/stream_actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/spawn_state.hpp"
#include "pulse/actors/internal/stream_operations.hpp"
#include "pulse/actors/internal/stream_work.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/trim_schedule.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace pulse {

namespace {

using internal::pending_adds;
using internal::pending_operation;

struct stream_state {
  using self_type = stream_actor;
  using work_handle = internal::stream_work_queue::handle;
  using self_pointer
    = self_type::stateful_pointer<internal::state_box<stream_state>>;

  static inline const char* name = "pulse.stream";

  stream_state(self_pointer self, stream_options x, connection_actor redis)
    : self(self),
      options(std::move(x)),
      redis(std::move(redis)),
      format(options),
      work(format),
      trims(options.protect_unacked ? options.max_len : 0) {
    if (options.max_len == 0 && options.ttl.count() == 0)
      tell(log_level::warning,
           "neither max_len nor ttl limits it: it grows until Redis is full");
  }

  stream_state(const stream_state&) = delete;
  stream_state& operator=(const stream_state&) = delete;

  // CAF 0.17.6 leaves it to us to answer who waits.
  ~stream_state() {
    work.fail_all(about({errc::closed, "it was closed before this was sent"}),
                  about({errc::closed, "it was closed before Redis answered; "
                                       "the outcome is unknown"}));
    for (auto& promise : close_promises)
      internal::answer(promise, caf::unit);
  }

  self_type::behavior_type make_behavior() {
    return {
      [=](caf::add_atom, const new_event& x) { return on_add(x, false); },
      [=](atom::add_exist, const new_event& x) { return on_add(x, true); },
      [=](caf::add_atom, const std::vector<new_event>& xs) {
        return on_add_many(xs);
      },
      [=](atom::remove, const std::vector<event_id>& ids) {
        return on_remove(ids);
      },
      [=](atom::range, const range_query& x) { return on_range(x); },
      [=](atom::trim, uint64_t max_len) -> caf::result<uint64_t> {
        return perform(internal::trim_exactly(format.key, max_len));
      },
      [=](atom::info) -> caf::result<stream_info> {
        return perform(internal::read_info(format.key));
      },
      [=](atom::destroy) -> caf::result<bool> {
        return perform(internal::destroy_stream(format.key));
      },
      [=](caf::close_atom) { return on_close(); },
    };
  }

  // -- adding -----------------------------------------------------------------

  caf::result<event_id> on_add(const new_event& x, bool only_if_exists) {
    if (auto ok = validate(x, options); !ok)
      return make_error(ok.error());
    if (auto ok = admit(1, size_of(x)); !ok)
      return make_error(ok.error());
    auto promise = self->make_response_promise();
    work.push(x, only_if_exists, {promise, nullptr, 0}, self->clock().now());
    pump();
    return promise;
  }

  caf::result<std::vector<add_result>>
  on_add_many(const std::vector<new_event>& xs) {
    auto request = std::make_shared<internal::add_many_request>();
    request->results.resize(xs.size());
    size_t bytes = 0;
    for (size_t i = 0; i < xs.size(); ++i) {
      if (auto ok = validate(xs[i], options); !ok) {
        request->results[i] = {{}, ok.error().code, ok.error().what};
        continue;
      }
      bytes += size_of(xs[i]);
      ++request->open;
    }
    if (auto ok = admit(request->open, bytes); !ok)
      return make_error(ok.error());
    if (request->open == 0)
      return std::move(request->results);
    request->promise = self->make_response_promise();
    for (size_t i = 0; i < xs.size(); ++i)
      if (request->results[i].code == errc::none)
        work.push(xs[i], false, {{}, request, i}, self->clock().now());
    pump();
    return request->promise;
  }

  [[nodiscard]] size_t size_of(const new_event& x) const {
    return x.name.size() + x.payload.size() + x.topic.size()
           + format.key.size();
  }

  // Whether there is room for more. A queue that is empty takes anything, so
  // that what is larger than the queue is not refused for ever.
  [[nodiscard]] status admit(size_t count, size_t bytes) const {
    if (!close_promises.empty())
      return about({errc::closed, "it is being closed: open it again"});
    if (work.waiting() == 0)
      return {};
    if (work.waiting() + count > options.max_queued)
      return about(
        {errc::overloaded, std::to_string(work.waiting())
                             + " requests wait for Redis and max_queued is "
                             + std::to_string(options.max_queued)
                             + ": slow down and retry"});
    if (work.waiting_bytes() + bytes > options.max_queued_bytes)
      return about(
        {errc::overloaded, std::to_string(work.waiting_bytes())
                             + " bytes wait for Redis and max_queued_bytes is "
                             + std::to_string(options.max_queued_bytes)
                             + ": slow down and retry"});
    return {};
  }

  // -- other operations -------------------------------------------------------

  // Runs after the adds that came before it.
  caf::response_promise perform(internal::stream_operation x) {
    auto promise = self->make_response_promise();
    if (auto ok = admit(1, x.commands->bytes.size()); !ok) {
      internal::answer(promise, make_error(ok.error()));
      return promise;
    }
    work.push(pending_operation{std::move(x.commands), promise, x.on_reply});
    pump();
    return promise;
  }

  caf::result<uint64_t> on_remove(const std::vector<event_id>& ids) {
    if (ids.empty())
      return uint64_t{0};
    return perform(internal::remove_events(format.key, ids));
  }

  caf::result<std::vector<event>> on_range(const range_query& x) {
    if (x.limit < 1 || x.limit > 10'000)
      return make_error(about({errc::invalid_option, "the limit of a range is "
                                                       + std::to_string(x.limit)
                                                       + ": use 1 to 10000"}));
    return perform(internal::read_range(format.key, x));
  }

  caf::result<void> on_close() {
    close_promises.push_back(self->make_response_promise());
    auto promise = close_promises.back();
    stop_if_done();
    return promise;
  }

  // -- sending ----------------------------------------------------------------

  void pump() {
    const auto now = self->clock().now();
    for (auto x = work.start_next(now); x != work.end();
         x = work.start_next(now)) {
      if (auto* adds = std::get_if<pending_adds>(&*x))
        send_adds(x, *adds);
      else
        send_operation(x, std::get<pending_operation>(*x));
    }
    stop_if_done();
  }

  void send_adds(work_handle x, pending_adds& adds) {
    auto commands = std::make_shared<command_batch>();
    commands->bytes = adds.batch.finish(commands->count);
    self->request(redis, caf::infinite, atom::run_v, command_ptr{commands})
      .then([=](const reply_ptr& reply) { on_added(x, *reply); },
            [=](caf::error& why) { on_add_failed(x, to_failure(why)); });
  }

  void send_operation(work_handle x, const pending_operation& operation) {
    self->request(redis, caf::infinite, atom::run_v, operation.commands)
      .then([=](const reply_ptr& reply) { on_performed(x, *reply); },
            [=](caf::error& why) { on_operation_failed(x, to_failure(why)); });
  }

  // -- replies ----------------------------------------------------------------

  void on_added(work_handle x, const resp::reply& reply) {
    auto& adds = std::get<pending_adds>(*x);
    auto results = adds.batch.results(reply);
    uint64_t added = 0;
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i])
        ++added;
      else
        results[i] = about(results[i].error());
      adds.targets[i].settle(results[i]);
    }
    work.finish(x);
    if (trims.added(added, self->clock().now()))
      trim();
    pump();
  }

  void on_add_failed(work_handle x, const failure& why) {
    const auto now = self->clock().now();
    auto& adds = std::get<pending_adds>(*x);
    const auto text = about(why);
    for (auto& target : adds.targets)
      target.settle(text);
    const auto waited = now - adds.since;
    work.finish(x);
    // What came while this waited has no better prospect, only what came late
    // gets a try of its own; and closing does not wait for Redis to come back.
    if (why.code == errc::connect_failed)
      work.fail_waiting(text, close_promises.empty() ? now - waited / 2 : now);
    pump();
  }

  void on_performed(work_handle x, resp::reply& reply) {
    auto& operation = std::get<pending_operation>(*x);
    operation.on_reply(options.name, reply, operation.promise);
    work.finish(x);
    stop_if_done();
  }

  void on_operation_failed(work_handle x, const failure& why) {
    internal::answer(std::get<pending_operation>(*x).promise,
                     make_error(about(why)));
    work.finish(x);
    stop_if_done();
  }

  void stop_if_done() {
    if (!close_promises.empty() && work.idle())
      self->quit();
  }

  // -- trimming ---------------------------------------------------------------

  void trim() {
    self
      ->request(redis, caf::infinite, atom::run_v,
                internal::safe_trim(format.key, options.max_len))
      .then([=](const reply_ptr& reply) { on_trimmed(*reply); },
            [=](caf::error& why) { on_trim_failed(to_failure(why)); });
  }

  void on_trimmed(const resp::reply& reply) {
    trims.done();
    const auto x = internal::read_trimmed(reply);
    if (!x)
      return on_trim_failed(x.error());
    last_trim_failure = errc::none;
    if (!x->held_by.empty() && trims.alarming(x->length))
      tell(log_level::warning,
           "it holds " + std::to_string(x->length) + " events, max_len is "
             + std::to_string(options.max_len) + ": sink \"" + x->held_by
             + "\" has not acknowledged the older ones; let it catch up or "
               "delete it");
  }

  // Told once per reason: it will fail again with the next adds.
  void on_trim_failed(const failure& why) {
    trims.done();
    if (why.code != last_trim_failure)
      tell(log_level::warning, "cannot trim it: " + to_string(why));
    last_trim_failure = why.code;
  }

  // -- texts ------------------------------------------------------------------

  [[nodiscard]] failure about(const failure& x) const {
    return internal::about_stream(options.name, x);
  }

  void tell(log_level level, const std::string& line) const {
    log(level, std::string{name} + " " + options.name, line);
  }

  self_pointer self;
  stream_options options;
  connection_actor redis;
  resp::add_format format;
  internal::stream_work_queue work;
  trim_schedule trims;
  errc last_trim_failure = errc::none;
  std::vector<caf::response_promise> close_promises;
};

} // namespace

stream_actor spawn_stream(caf::actor_system& sys, stream_options options,
                          connection_actor redis) {
  return internal::spawn_state<stream_state>(sys, std::move(options),
                                             std::move(redis));
}

} // namespace pulse
