#include "pulse/actors/system.hpp"

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/facade/calls.hpp"
#include "pulse/actors/internal/handling/handler.hpp"
#include "pulse/actors/internal/handling/late_subscription.hpp"
#include "pulse/actors/internal/producing/actor.hpp"
#include "pulse/actors/internal/pulling/inbox.hpp"
#include "pulse/actors/internal/runtime/subscribing.hpp"
#include "pulse/core/log.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace pulse {

namespace {

using internal::ask_for;
using internal::call;
using internal::call_async;
using internal::close_child;
using internal::closed_as_well;
using internal::countdown;
using internal::find_callee;
using internal::is_late;
using internal::late_error;
using internal::time_limit;

event_listener as_listener(const caf::actor& x) {
  return caf::actor_cast<event_listener>(x);
}

// The actor has no reference to itself, so it terminates when the last holder
// releases its handle.
notice_listener spawn_listener(caf::actor_system& sys,
                               std::function<void(const notice&)> fun) {
  return sys.spawn([fun = std::move(fun)](notice_listener::pointer) {
    return notice_listener::behavior_type{fun};
  });
}

// How long a call waits for Redis in connect_mode::lazy.
constexpr milliseconds lazy_wait{500};

// In connect_mode::lazy an actor may subscribe later.
template <class Handle>
caf::expected<void>
wait_lazily(caf::actor_system& sys, time_limit limit, const Handle& who) {
  auto result = ask_within<void>(sys,
                                 std::min(limit.value_or(lazy_wait), lazy_wait),
                                 who, caf::subscribe_atom_v);
  if (!result && is_late(result.error()))
    return {};
  return result;
}

template <class Handle>
caf::expected<void> subscribe_to(const detail::callee<Handle>& to,
                                 const event_listener& listener,
                                 subscription how) {
  if (!to.handle.is_lazy())
    return call<void>(to, caf::subscribe_atom_v, listener, how);
  const countdown time{to.limit};
  const auto who = find_callee(to, time);
  if (!who)
    return who.error();
  auto [root, name] = to.handle.origin();
  auto late = internal::spawn_late_subscription(*to.sys, *who, std::move(root),
                                                std::move(name), listener, how);
  return wait_lazily(*to.sys, time.left(), late);
}

// Makes an inbox of a reader or a sink.
template <class Inbox, class Handle>
caf::expected<Inbox> open_inbox(const detail::callee<Handle>& from,
                                internal::pull_source_options options,
                                subscription how) {
  if (how.max_batch > 0)
    return make_error({errc::invalid_option,
                       "an inbox takes no batches: max_batch must be 0; get() "
                       "returns all events that have arrived"});
  std::tie(options.root, options.name) = from.handle.origin();
  internal::pull_endpoint to;
  to.find = [&sys = *from.sys, handle = from.handle] {
    return caf::actor_cast<caf::actor>(handle.renew(sys));
  };
  to.subscribe = [from, how](const event_listener& who) {
    return subscribe_to(from, who, how);
  };
  auto core = internal::inbox_core::make(*from.sys, std::move(options),
                                         std::move(to));
  if (!core)
    return std::move(core.error());
  if (auto done = (*core)->subscribe(); !done)
    return std::move(done.error());
  return Inbox{std::move(*core)};
}

} // namespace

// -- stream -------------------------------------------------------------------

stream::stream(caf::actor_system& sys, stream_actor handle)
  : to_{&sys, detail::shared_handle<stream_actor>{std::move(handle)}} {
  // nop
}

stream stream::within(milliseconds limit) const {
  auto result = *this;
  result.to_.limit = limit;
  return result;
}

stream::stream(detail::callee<stream_actor> to) : to_(std::move(to)) {
  // nop
}

caf::expected<event_id> stream::add(std::string name, std::string payload,
                                    std::string topic, std::string dedup_id) {
  return call<event_id>(to_, caf::add_atom_v,
                        new_event{std::move(name), std::move(payload),
                                  std::move(topic), std::move(dedup_id)});
}

caf::expected<event_id> stream::add_if_exists(std::string name,
                                              std::string payload,
                                              std::string topic) {
  return call<event_id>(to_, atom::add_exist_v,
                        new_event{std::move(name), std::move(payload),
                                  std::move(topic)});
}

caf::expected<std::vector<add_result>>
stream::add(std::vector<new_event> events) {
  return call<std::vector<add_result>>(to_, caf::add_atom_v, std::move(events));
}

future<event_id> stream::add_async(std::string name, std::string payload,
                                   std::string topic, std::string dedup_id) {
  return call_async<event_id>(to_, caf::add_atom_v,
                              new_event{std::move(name), std::move(payload),
                                        std::move(topic), std::move(dedup_id)});
}

future<std::vector<add_result>>
stream::add_async(std::vector<new_event> events) {
  return call_async<std::vector<add_result>>(to_, caf::add_atom_v,
                                             std::move(events));
}

caf::expected<pulse::producer> stream::producer(const producer_options& how,
                                                failure_handler on_failure) {
  if (auto ok = validate(how); !ok)
    return make_error(ok.error());
  const countdown time{to_.limit};
  auto who = find_callee(to_, time);
  if (!who)
    return std::move(who.error());
  auto [root, name] = to_.handle.origin();
  return pulse::producer{*to_.sys,
                         {std::move(*who), std::move(root), std::move(name)},
                         how,
                         std::move(on_failure)};
}

caf::expected<uint64_t> stream::remove(std::vector<event_id> ids) {
  return call<uint64_t>(to_, atom::remove_v, std::move(ids));
}

caf::expected<std::vector<event>> stream::range(range_query query) {
  return call<std::vector<event>>(to_, atom::range_v, query);
}

caf::expected<uint64_t> stream::trim(uint64_t max_len) {
  return call<uint64_t>(to_, atom::trim_v, max_len);
}

caf::expected<stream_info> stream::info() {
  return call<stream_info>(to_, atom::info_v);
}

caf::expected<stream_retention> stream::retention() {
  return call<stream_retention>(to_, atom::retention_v);
}

caf::expected<bool> stream::destroy() {
  return call<bool>(to_, atom::destroy_v);
}

caf::expected<std::vector<dead_letter>> stream::dead_letters(dead_query query) {
  return call<std::vector<dead_letter>>(to_, atom::dead_v, std::move(query));
}

caf::expected<redrive_result> stream::redrive(redrive_request request) {
  return call<redrive_result>(to_, atom::redrive_v, std::move(request));
}

caf::expected<uint64_t> stream::purge(purge_request request) {
  return call<uint64_t>(to_, atom::purge_v, std::move(request));
}

caf::expected<void> stream::close() {
  return close_child(to_);
}

// -- reader -------------------------------------------------------------------

reader::reader(caf::actor_system& sys, reader_actor handle)
  : to_{&sys, detail::shared_handle<reader_actor>{std::move(handle)}} {
  // nop
}

reader reader::within(milliseconds limit) const {
  auto result = *this;
  result.to_.limit = limit;
  return result;
}

reader::reader(detail::callee<reader_actor> to) : to_(std::move(to)) {
  // nop
}

caf::expected<reader_inbox> reader::inbox(subscription how) {
  return open_inbox<reader_inbox>(to_, {}, how);
}

caf::expected<void> reader::subscribe(const event_listener& listener,
                                      subscription how) {
  return subscribe_to(to_, listener, how);
}

caf::expected<void> reader::subscribe(const batch_listener& listener,
                                      subscription how) {
  return subscribe(caf::actor_cast<event_listener>(listener),
                   internal::for_batches(how));
}

caf::expected<void> reader::subscribe(const caf::actor& listener,
                                      subscription how) {
  return subscribe(as_listener(listener), how);
}

caf::expected<bool> reader::unsubscribe(const event_listener& listener) {
  return call<bool>(to_, caf::unsubscribe_atom_v, listener);
}

caf::expected<bool> reader::unsubscribe(const batch_listener& listener) {
  return unsubscribe(caf::actor_cast<event_listener>(listener));
}

caf::expected<bool> reader::unsubscribe(const caf::actor& listener) {
  return unsubscribe(as_listener(listener));
}

caf::expected<void> reader::add_stream(std::string name, start_position start) {
  return call<void>(to_, atom::add_stream_v, std::move(name), start);
}

caf::expected<bool> reader::remove_stream(std::string name) {
  return call<bool>(to_, atom::rem_stream_v, std::move(name));
}

caf::expected<void> reader::on_notice(const notice_listener& listener) {
  return call<void>(to_, caf::subscribe_atom_v, listener);
}

caf::expected<void> reader::on_notice(const caf::actor& listener) {
  return on_notice(caf::actor_cast<notice_listener>(listener));
}

caf::expected<void>
reader::on_notice(std::function<void(const notice&)> listener) {
  return on_notice(spawn_listener(*to_.sys, std::move(listener)));
}

caf::expected<reader_info> reader::info() {
  return call<reader_info>(to_, atom::info_v);
}

caf::expected<void> reader::close() {
  return close_child(to_);
}

// -- sink ---------------------------------------------------------------------

sink::sink(caf::actor_system& sys, sink_actor handle)
  : to_{&sys, detail::shared_handle<sink_actor>{std::move(handle)}} {
  // nop
}

sink sink::within(milliseconds limit) const {
  auto result = *this;
  result.to_.limit = limit;
  return result;
}

sink::sink(detail::callee<sink_actor> to) : to_(std::move(to)) {
  // nop
}

caf::expected<void> sink::subscribe(const event_listener& listener,
                                    subscription how) {
  return subscribe_to(to_, listener, how);
}

caf::expected<void> sink::subscribe(const batch_listener& listener,
                                    subscription how) {
  return subscribe(caf::actor_cast<event_listener>(listener),
                   internal::for_batches(how));
}

caf::expected<void> sink::subscribe(const caf::actor& listener,
                                    subscription how) {
  return subscribe(as_listener(listener), how);
}

caf::expected<bool> sink::unsubscribe(const event_listener& listener) {
  return call<bool>(to_, caf::unsubscribe_atom_v, listener);
}

caf::expected<bool> sink::unsubscribe(const batch_listener& listener) {
  return unsubscribe(caf::actor_cast<event_listener>(listener));
}

caf::expected<bool> sink::unsubscribe(const caf::actor& listener) {
  return unsubscribe(as_listener(listener));
}

namespace {

template <class Options, class Handler>
status check(const Options& how, const Handler& fun) {
  if (!fun)
    return failure{errc::invalid_option,
                   "the handler is an empty function; pass one that can be "
                   "called"};
  return check(how);
}

} // namespace

caf::expected<handler_actor> sink::start_handler(event_handler fun,
                                                 const handler_options& how) {
  if (auto ok = check(how, fun); !ok)
    return make_error(ok.error());
  return start([&](internal::handled_sink from) {
    return internal::spawn_handler(*to_.sys, std::move(from), std::move(fun),
                                   how);
  });
}

caf::expected<handler_actor>
sink::start_batch_handler(batch_handler fun, const batch_handler_options& how) {
  if (auto ok = check(how, fun); !ok)
    return make_error(ok.error());
  return start([&](internal::handled_sink from) {
    return internal::spawn_batch_handler(*to_.sys, std::move(from),
                                         std::move(fun), how);
  });
}

// Waits until the handler has subscribed. In connect_mode::lazy it may do so
// later. A handler that comes too late must not run unnoticed.
template <class F>
caf::expected<handler_actor> sink::start(F spawn) {
  const countdown time{to_.limit};
  auto who = find_callee(to_, time);
  if (!who)
    return std::move(who.error());
  const auto lazy = to_.handle.is_lazy();
  auto [root, name] = to_.handle.origin();
  handler_actor result
    = spawn({std::move(*who), std::move(root), std::move(name), lazy});
  auto ok = lazy ? wait_lazily(*to_.sys, time.left(), result)
                 : ask_for<void>(*to_.sys, time.left(), result,
                                 caf::subscribe_atom_v);
  if (ok)
    return result;
  if (!to_.limit || !is_late(ok.error()))
    return ok.error();
  internal::tell(result, caf::close_atom_v);
  return late_error(*to_.limit, "so the handler was stopped");
}

caf::expected<sink_inbox> sink::inbox(subscription how) {
  const auto facts = info();
  if (!facts)
    return facts.error();
  internal::pull_source_options options;
  options.is_sink = true;
  options.ack_wait = facts->ack_wait;
  return open_inbox<sink_inbox>(to_, std::move(options), how);
}

caf::expected<void> sink::ack(delivery_id delivery) {
  return call<void>(to_, atom::ack_v, std::move(delivery));
}

caf::expected<void> sink::ack(std::vector<delivery_id> deliveries) {
  return call<void>(to_, atom::ack_v, std::move(deliveries));
}

future<void> sink::ack_async(std::vector<delivery_id> deliveries) {
  return call_async<void>(to_, atom::ack_v, std::move(deliveries));
}

caf::expected<void> sink::nack(delivery_id delivery, milliseconds delay) {
  return call<void>(to_, atom::nack_v, std::move(delivery),
                    caf::timespan{delay});
}

caf::expected<void> sink::extend(delivery_id delivery) {
  return call<void>(to_, atom::extend_v, std::move(delivery));
}

caf::expected<void> sink::extend(std::vector<delivery_id> deliveries) {
  return call<void>(to_, atom::extend_v, std::move(deliveries));
}

caf::expected<void> sink::term(delivery_id delivery, std::string reason) {
  return call<void>(to_, atom::term_v, std::move(delivery), std::move(reason));
}

caf::expected<void> sink::add_stream(std::string name, start_position start) {
  return call<void>(to_, atom::add_stream_v, std::move(name), start);
}

caf::expected<bool> sink::remove_stream(std::string name) {
  return call<bool>(to_, atom::rem_stream_v, std::move(name));
}

caf::expected<void> sink::on_notice(const notice_listener& listener) {
  return call<void>(to_, caf::subscribe_atom_v, listener);
}

caf::expected<void> sink::on_notice(const caf::actor& listener) {
  return on_notice(caf::actor_cast<notice_listener>(listener));
}

caf::expected<void>
sink::on_notice(std::function<void(const notice&)> listener) {
  return on_notice(spawn_listener(*to_.sys, std::move(listener)));
}

caf::expected<sink_info> sink::info() {
  return call<sink_info>(to_, atom::info_v);
}

caf::expected<void> sink::close() {
  return close_child(to_);
}

// -- system -------------------------------------------------------------------

system::system(caf::actor_system& sys, root_actor handle, connect_mode how)
  : sys_(&sys), handle_(std::move(handle)), how_(how) {
  // nop
}

caf::expected<system> system::connect(caf::actor_system& sys,
                                      redis_options options, connect_mode how) {
  auto root = spawn_root(sys, std::move(options));
  if (!root)
    return root.error();
  system result{sys, std::move(*root), how};
  if (how == connect_mode::lazy)
    return result;
  auto pong = result.ping();
  if (!pong)
    return pong.error();
  return result;
}

caf::expected<system> system::connect(caf::actor_system& sys,
                                      connect_mode how) {
  auto options = redis_options_of(sys.config());
  if (!options)
    return std::move(options.error());
  return connect(sys, std::move(*options), how);
}

caf::expected<system> system::connect(caf::actor_system& sys, std::string url,
                                      connect_mode how) {
  redis_options options;
  options.url = std::move(url);
  return connect(sys, std::move(options), how);
}

system::system(system&& other) noexcept = default;

system& system::operator=(system&& other) noexcept {
  std::swap(sys_, other.sys_);
  std::swap(handle_, other.handle_);
  std::swap(how_, other.how_);
  return *this;
}

system::~system() {
  if (!handle_)
    return; // moved from
  if (auto ok = close(); !ok)
    log(log_level::warning, "pulse.system",
        "closing failed: " + describe(ok.error()));
}

caf::expected<pulse::stream> system::stream(stream_options options) {
  auto name = options.name;
  const bool lazy = how_ == connect_mode::lazy;
  auto x = lazy ? ask_within<stream_actor>(*sys_, lazy_wait, handle_,
                                           caf::open_atom_v, std::move(options))
                : ask<stream_actor>(*sys_, handle_, caf::open_atom_v,
                                    std::move(options));
  // The root has spawned the actor, and waits for the answer of Redis.
  if (!x && is_late(x.error()))
    x = internal::find<stream_actor>(*sys_, {}, handle_, name);
  if (!x)
    return x.error();
  return pulse::stream{detail::callee<stream_actor>{
    sys_, detail::shared_handle<stream_actor>{std::move(*x), handle_,
                                              std::move(name), lazy}}};
}

caf::expected<pulse::stream> system::stream(std::string name) {
  stream_options options;
  options.name = std::move(name);
  return stream(std::move(options));
}

caf::expected<pulse::reader> system::reader(reader_options options) {
  auto name = options.name;
  auto x = ask<reader_actor>(*sys_, handle_, caf::open_atom_v,
                             std::move(options));
  if (!x)
    return x.error();
  // The root cannot find a reader without a name.
  auto root = name.empty() ? root_actor{} : handle_;
  return pulse::reader{detail::callee<reader_actor>{
    sys_, detail::shared_handle<reader_actor>{std::move(*x), std::move(root),
                                              std::move(name),
                                              how_ == connect_mode::lazy}}};
}

caf::expected<pulse::sink> system::sink(sink_options options) {
  auto name = options.name;
  auto x = ask<sink_actor>(*sys_, handle_, caf::open_atom_v,
                           std::move(options));
  if (!x)
    return x.error();
  return pulse::sink{detail::callee<sink_actor>{
    sys_,
    detail::shared_handle<sink_actor>{std::move(*x), handle_, std::move(name),
                                      how_ == connect_mode::lazy}}};
}

caf::expected<system_info> system::info() {
  return ask<system_info>(*sys_, handle_, atom::info_v);
}

caf::expected<caf::timespan> system::ping() {
  return ask<caf::timespan>(*sys_, handle_, caf::ping_atom_v);
}

caf::expected<void> system::close() {
  return closed_as_well(ask<void>(*sys_, handle_, caf::close_atom_v));
}

} // namespace pulse
