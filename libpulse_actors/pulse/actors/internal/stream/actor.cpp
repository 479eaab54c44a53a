#include "pulse/actors/internal/stream/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/runtime/tick_timer.hpp"
#include "pulse/actors/internal/stream/dead_letters.hpp"
#include "pulse/actors/internal/stream/operations.hpp"
#include "pulse/actors/internal/stream/retention.hpp"
#include "pulse/actors/internal/stream/trimmer.hpp"
#include "pulse/actors/internal/stream/work.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/streams/repeat_counter.hpp"
#include "pulse/core/streams/unique_ids.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace pulse {

namespace {

using internal::pending_adds;
using internal::pending_operation;

// Maximum time to wait for the reply of a command that finds out whether adds
// were stored.
constexpr milliseconds longest_attempt{5'000};

// @returns whether a batch of adds that failed with `x` may have been stored.
bool is_outcome_unknown(errc x) {
  return x == errc::connection_lost || x == errc::timed_out
         || x == errc::protocol_error || x == errc::payload_too_large;
}

// @returns whether Redis refuses adds with this error for a reason that an
// operator can remove. A full stream has a log line of its own, and lost
// connections have those of the connection.
bool is_refusal(errc x) {
  switch (x) {
    case errc::out_of_memory:
    case errc::read_only:
    case errc::unavailable:
    case errc::loading:
    case errc::permission_denied:
    case errc::wrong_type:
    case errc::redis_error:
    case errc::retention_conflict:
      return true;
    default:
      return false;
  }
}

struct stream_state {
  using self_type = internal::stream_self;
  using time_point = caf::actor_clock::time_point;
  using work_handle = internal::stream_work_queue::handle;

  static inline const char* name = "pulse.stream";

  stream_state(self_type::pointer self, stream_options x,
               connection_actor redis, internal::environment env)
    : self(self),
      options(std::move(x)),
      redis(std::move(redis)),
      env(std::move(env)),
      format(options),
      work(format),
      agreement(self, options, this->redis, format,
                [this](const status& ok) { on_agreement(ok); }),
      trimmer(self, options, this->redis, format, counters),
      dead_letters(self, options, this->redis, this->env, [this] { arm(); }),
      uniques(this->env.random_bits()),
      random(this->env.new_engine()),
      timer(self) {
    // nop
  }

  stream_state(const stream_state&) = delete;
  stream_state& operator=(const stream_state&) = delete;

  // CAF sends no reply, or none with a reason, for promises that are destroyed,
  // so they are settled here.
  ~stream_state() {
    work.fail_all(about({errc::closed, "it was closed before this was sent"}),
                  about({errc::closed, "it was closed before Redis answered; "
                                       "the outcome is unknown"}));
    for (auto& promise : retention_promises)
      promise.deliver(make_error(about({errc::closed, "it was closed"})));
    for (auto& promise : close_promises)
      promise.deliver(caf::unit);
  }

  self_type::behavior_type make_behavior() {
    agreement.ask();
    arm();
    return internal::replies_to_requests<self_type::behavior_type>(
      self, log_name(),
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
        return perform(internal::read_info(format, counters));
      },
      [=](atom::retention) { return on_retention(); },
      [=](atom::destroy) -> caf::result<bool> {
        return perform(internal::destroy_stream(format));
      },
      [=](atom::dead, const dead_query& x) { return dead_letters.list(x); },
      [=](atom::redrive, const redrive_request& x) {
        return dead_letters.redrive(x);
      },
      [=](atom::purge, const purge_request& x) {
        return dead_letters.purge(x);
      },
      [=](caf::close_atom) { return on_close(); },
      [=](caf::tick_atom) { on_tick(); });
  }

  // -- adding -----------------------------------------------------------------

  caf::result<event_id> on_add(const new_event& x, bool only_if_exists) {
    if (auto ok = validate(x, options); !ok)
      return make_error(ok.error());
    if (auto ok = admit(1, size_of(x)); !ok)
      return make_error(ok.error());
    auto promise = internal::new_promise(self);
    push(x, only_if_exists, {promise, nullptr, 0});
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
    request->promise = internal::new_promise(self);
    for (size_t i = 0; i < xs.size(); ++i)
      if (request->results[i].code == errc::none)
        push(xs[i], false, {{}, request, i});
    pump();
    return request->promise;
  }

  void push(const new_event& x, bool only_if_exists,
            internal::add_target target) {
    work.push(x, only_if_exists,
              options.idempotent ? uniques.next() : std::string_view{},
              std::move(target), self->clock().now());
  }

  [[nodiscard]] size_t size_of(const new_event& x) const {
    return x.name.size() + x.payload.size() + x.topic.size()
           + format.key.size();
  }

  // @returns whether the queue has room for the request. An empty queue takes
  // any request, since one that is larger than the queue could never be sent
  // otherwise.
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

  // -- what the stream keeps --------------------------------------------------

  caf::result<stream_retention> on_retention() {
    if (agreement.reached() && agreement.known())
      return format.keeps;
    retention_promises.push_back(internal::new_promise(self));
    auto promise = retention_promises.back();
    agreement.ask();
    return promise;
  }

  void on_agreement(const status& ok) {
    const auto& known = ok ? agreement.known() : ok;
    for (auto& promise : std::exchange(retention_promises, {})) {
      if (known)
        promise.deliver(format.keeps);
      else
        promise.deliver(make_error(about(known.error())));
    }
    if (ok) {
      trimmer.start();
      arm();
    } else {
      const auto failed
        = fail_waiting(ok.error(), self->clock().now() - agreement.asked_at());
      if (failed > 0 && is_refusal(ok.error().code))
        report_refusal(failed, ok.error());
    }
    pump();
  }

  // -- other operations -------------------------------------------------------

  // Runs the operation after the adds that came before it.
  caf::response_promise perform(internal::stream_operation x) {
    auto promise = internal::new_promise(self);
    if (auto ok = admit(1, x.commands->bytes.size()); !ok) {
      promise.deliver(make_error(ok.error()));
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
    close_promises.push_back(internal::new_promise(self));
    auto promise = close_promises.back();
    stop_if_done();
    return promise;
  }

  // -- sending ----------------------------------------------------------------

  void pump() {
    const auto now = self->clock().now();
    const auto next = [&] {
      return work.start_next(now, last_id, agreement.reached());
    };
    for (auto x = next(); x != work.end(); x = next()) {
      if (auto* adds = std::get_if<pending_adds>(&*x))
        send_adds(x, *adds);
      else
        send_operation(x, std::get<pending_operation>(*x));
    }
    if (work.adds_are_next() && !agreement.reached())
      agreement.ask();
    stop_if_done();
  }

  void send_adds(work_handle x, pending_adds& adds) {
    run_adds(x, adds.batch.finish());
  }

  void run_adds(work_handle x, command_ptr commands) {
    internal::run_on(
      self, redis, std::move(commands),
      [=](const resp::reply& reply) { on_added(x, reply); },
      [=](const failure& why) { on_add_failed(x, why); });
  }

  void send_operation(work_handle x, const pending_operation& operation) {
    internal::run_on(
      self, redis, operation.commands,
      [=](resp::reply& reply) { on_performed(x, reply); },
      [=](const failure& why) { on_operation_failed(x, why); });
  }

  // -- replies ----------------------------------------------------------------

  void on_added(work_handle x, const resp::reply& reply) {
    auto& adds = std::get<pending_adds>(*x);
    if (const resp::cursor at{reply};
        adds.outcome_unknown && at.is(resp::node_type::error)) {
      // The script did not run, so the outcome of the adds is still unknown.
      return on_add_failed(x, resp::error_of(at));
    }
    auto results = adds.batch.results(reply);
    const auto added = settle(adds, results);
    if (std::exchange(told_of_retries, false))
      report(log_level::info,
             "the connection is back, adds are confirmed again");
    retry_pause.reset();
    work.finish(x);
    trimmer.added(added);
    agreement.renew();
    pump();
  }

  uint64_t settle(pending_adds& adds, resp::add_results& results) {
    uint64_t confirmed = 0;
    uint64_t rejected = 0;
    uint64_t refused = 0;
    failure why;
    for (size_t i = 0; i < results.ids.size(); ++i) {
      auto& result = results.ids[i];
      if (result) {
        ++confirmed;
        last_id = *result;
      } else {
        rejected += result.error().code == errc::stream_full ? 1 : 0;
        if (is_refusal(result.error().code)) {
          ++refused;
          why = result.error();
        }
        result = about(result.error());
      }
      adds.targets[i].settle(result);
    }
    counters.added += confirmed;
    counters.found += results.found;
    counters.trimmed += results.removed;
    counters.lost += results.dropped;
    count_full(rejected, results.dropped);
    if (refused > 0)
      report_refusal(refused, why);
    else if (confirmed > 0)
      report_end_of_refusal();
    return confirmed;
  }

  void report_refusal(uint64_t adds, const failure& why) {
    if (std::exchange(refused_with, why.code) != why.code)
      refusals.end();
    if (const auto n = refusals.add(adds, self->clock().now()))
      report(log_level::warning,
             "adds fail, " + std::to_string(*n)
               + " since the last such line: " + to_string(why));
  }

  void report_end_of_refusal() {
    refused_with = errc::none;
    if (const auto n = refusals.end(); n > 0)
      report(log_level::info, "adds are confirmed again, after "
                                + std::to_string(n) + " had failed");
  }

  void count_full(uint64_t rejected, uint64_t dropped) {
    counters.rejected += rejected;
    counters.dropped += dropped;
    if (rejected + dropped == 0) {
      told_of_full = false;
      return;
    }
    trimmer.full();
    if (!std::exchange(told_of_full, true))
      report(log_level::warning,
             "it is full, hard_max_len is "
               + std::to_string(format.keeps.hard_max_len) + ": "
               + (rejected > 0 ? "adds fail" : "its oldest events are lost")
               + " until sinks have acknowledged more of it");
  }

  void on_add_failed(work_handle x, const failure& why) {
    auto& adds = std::get<pending_adds>(*x);
    if (may_retry(adds, why))
      return retry(x);
    give_up(x, why);
  }

  void give_up(work_handle x, const failure& why) {
    auto& adds = std::get<pending_adds>(*x);
    const bool unknown = adds.outcome_unknown;
    const auto text = about(unknown ? still_unknown(why) : why);
    for (auto& target : adds.targets)
      target.settle(text);
    const auto waited = self->clock().now() - adds.sent;
    work.finish(x);
    if (unknown)
      fail_waiting({errc::connect_failed, "not sent: " + to_string(why)},
                   waited);
    else if (why.code == errc::connect_failed)
      fail_waiting(why, waited);
    pump();
  }

  // Requests that came in the first half of the time that another one waited
  // fail as well, since they would not fare better; later ones get an attempt
  // of their own. If the actor is closing, all fail, because closing does not
  // wait until Redis is back. @returns how many failed.
  size_t fail_waiting(const failure& why, time_point::duration waited) {
    const auto now = self->clock().now();
    const auto before = work.waiting();
    work.fail_waiting(about(why),
                      close_promises.empty() ? now - waited / 2 : now);
    return before - work.waiting();
  }

  // -- adds that lost their connection ----------------------------------------

  [[nodiscard]] bool may_retry(const pending_adds& adds,
                               const failure& why) const {
    const bool open = is_outcome_unknown(why.code)
                      || (adds.outcome_unknown && is_transient(why.code));
    return open && adds.batch.repeatable() && close_promises.empty()
           && time_left(adds) > milliseconds{0};
  }

  [[nodiscard]] milliseconds time_left(const pending_adds& adds) const {
    return std::chrono::duration_cast<milliseconds>(
      adds.sent + options.retry_timeout - self->clock().now());
  }

  void retry(work_handle x) {
    auto& adds = std::get<pending_adds>(*x);
    const bool first = !adds.outcome_unknown;
    work.begin_retries(x);
    if (first) {
      counters.retried += adds.targets.size();
      if (!std::exchange(told_of_retries, true))
        report(log_level::warning,
               "the connection was lost during "
                 + std::to_string(adds.targets.size())
                 + " adds: those that are not stored are repeated");
      return send_retry(x);
    }
    // Redis is reachable, but refuses commands: wait before the next attempt.
    adds.waits_for_retry = true;
    retry_at = std::min(retry_at,
                        self->clock().now() + retry_pause.next(random));
    arm();
  }

  void send_retry(work_handle x) {
    auto& adds = std::get<pending_adds>(*x);
    const auto age = std::chrono::duration_cast<milliseconds>(
      self->clock().now() - adds.sent);
    run_adds(x, adds.batch.repeat(adds.after, age,
                                  std::clamp(time_left(adds), milliseconds{1},
                                             longest_attempt)));
  }

  [[nodiscard]] static failure still_unknown(const failure& why) {
    return {errc::connection_lost,
            "the connection was lost during the add, and it could not be "
            "determined whether the event is stored: "
              + to_string(why)};
  }

  void on_tick() {
    timer.on_tick();
    const auto now = self->clock().now();
    if (now >= retry_at) {
      retry_at = time_point::max();
      for (auto x = work.next_retry(); x != work.end(); x = work.next_retry())
        send_retry(x);
    }
    trimmer.tick(now);
    dead_letters.tick(now);
    arm();
  }

  void arm() {
    timer.arm(
      std::min({retry_at, trimmer.next_tick(), dead_letters.next_tick()}));
  }

  void on_performed(work_handle x, resp::reply& reply) {
    auto& operation = std::get<pending_operation>(*x);
    operation.on_reply(options.name, reply, operation.promise);
    work.finish(x);
    stop_if_done();
  }

  void on_operation_failed(work_handle x, const failure& why) {
    std::get<pending_operation>(*x).promise.deliver(make_error(about(why)));
    work.finish(x);
    stop_if_done();
  }

  void stop_if_done() {
    if (!close_promises.empty() && work.idle())
      self->quit();
  }

  // -- texts ------------------------------------------------------------------

  [[nodiscard]] failure about(const failure& x) const {
    return internal::about_stream(options.name, x);
  }

  void report(log_level level, const std::string& line) const {
    log(level, log_name(), line);
  }

  [[nodiscard]] std::string log_name() const {
    return std::string{name} + " " + options.name;
  }

  self_type::pointer self;
  stream_options options;
  connection_actor redis;
  internal::environment env;
  resp::add_format format;
  internal::stream_work_queue work;
  stream_counters counters;
  internal::stream_agreement agreement;
  internal::stream_trimmer trimmer;
  internal::stream_dead_letters dead_letters;
  unique_ids uniques;
  // The ID of the add that was confirmed last.
  event_id last_id = event_id::min();
  reconnect_backoff retry_pause{milliseconds{100}, milliseconds{1'500}};
  random_engine random;
  time_point retry_at = time_point::max();
  internal::tick_timer<self_type::pointer> timer;
  bool told_of_retries = false;
  bool told_of_full = false;
  repeat_counter refusals;
  errc refused_with = errc::none;
  std::vector<caf::response_promise> retention_promises;
  std::vector<caf::response_promise> close_promises;
};

} // namespace

stream_actor spawn_stream(caf::actor_system& sys, stream_options options,
                          connection_actor redis,
                          const internal::environment& env,
                          const internal::io_host_ptr& host) {
  return internal::spawn_hosted_state<stream_state>(sys, host,
                                                    std::move(options),
                                                    std::move(redis), env);
}

} // namespace pulse
