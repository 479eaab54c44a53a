#include "pulse/actors/system.hpp"

#include "pulse/actors/ask.hpp"
#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/handling/handler.hpp"
#include "pulse/actors/internal/handling/late_subscription.hpp"
#include "pulse/actors/internal/producing/actor.hpp"
#include "pulse/actors/internal/pulling/inbox.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/core/log.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <mutex>
#include <tuple>
#include <utility>

namespace pulse {

namespace {

// It is no error to close an actor that is closed already.
template <class Handle>
caf::expected<void> ask_to_close(caf::actor_system& sys, const Handle& who) {
  auto result = ask<void>(sys, who, caf::close_atom_v);
  if (!result && to_failure(result.error()).code == errc::closed)
    return {};
  return result;
}

template <class Handle>
caf::expected<void>
close_child(caf::actor_system& sys, const detail::shared_handle<Handle>& x) {
  const auto who = x.renew(sys);
  x.keep(); // another one of that name may be opened
  return ask_to_close(sys, who);
}

caf::expected<stream_actor> find(caf::actor_system& sys, const root_actor& root,
                                 const stream_actor&, const std::string& name) {
  return ask<stream_actor>(sys, root, caf::get_atom_v, atom::stream_v, name);
}

caf::expected<reader_actor> find(caf::actor_system& sys, const root_actor& root,
                                 const reader_actor&, const std::string& name) {
  return ask<reader_actor>(sys, root, caf::get_atom_v, atom::reader_v, name);
}

caf::expected<sink_actor> find(caf::actor_system& sys, const root_actor& root,
                               const sink_actor&, const std::string& name) {
  return ask<sink_actor>(sys, root, caf::get_atom_v, atom::sink_v, name);
}

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

bool is_late(const caf::error& x) {
  return x == caf::sec::request_timeout;
}

// Waits until the actor has subscribed. In connect_mode::lazy it may do so
// later.
template <class Handle>
caf::expected<void>
wait_for_subscription(caf::actor_system& sys, const Handle& who, bool lazy) {
  if (!lazy)
    return ask<void>(sys, who, caf::subscribe_atom_v);
  auto result = ask_within<void>(sys, lazy_wait, who, caf::subscribe_atom_v);
  if (!result && is_late(result.error()))
    return {};
  return result;
}

caf::expected<handler_actor> when_subscribed(caf::actor_system& sys,
                                             handler_actor handler, bool lazy) {
  if (auto ok = wait_for_subscription(sys, handler, lazy); !ok)
    return std::move(ok.error());
  return handler;
}

template <class Handle>
caf::expected<void>
subscribe_to(caf::actor_system& sys, const detail::shared_handle<Handle>& to,
             const event_listener& listener, subscription how) {
  if (!to.is_lazy())
    return ask<void>(sys, to.renew(sys), caf::subscribe_atom_v, listener, how);
  auto [root, name] = to.origin();
  auto late = internal::spawn_late_subscription(sys, to.renew(sys),
                                                std::move(root),
                                                std::move(name), listener, how);
  return wait_for_subscription(sys, late, true);
}

// Makes an inbox of a reader or a sink.
template <class Inbox, class Handle>
caf::expected<Inbox>
open_inbox(caf::actor_system& sys, const detail::shared_handle<Handle>& from,
           internal::pull_source_options options, subscription how) {
  std::tie(options.root, options.name) = from.origin();
  internal::pull_endpoint to;
  to.find = [&sys, from] {
    return caf::actor_cast<caf::actor>(from.renew(sys));
  };
  to.subscribe = [&sys, from, how](const event_listener& who) {
    return subscribe_to(sys, from, who, how);
  };
  auto core = internal::inbox_core::make(sys, std::move(options),
                                         std::move(to));
  if (!core)
    return std::move(core.error());
  if (auto done = (*core)->subscribe(); !done)
    return std::move(done.error());
  return Inbox{std::move(*core)};
}

} // namespace

// -- handles ------------------------------------------------------------------

namespace detail {

template <class Handle>
struct shared_handle<Handle>::state {
  std::mutex mutex;
  Handle handle;
  root_actor root;
  std::string name;
  bool lazy;
};

template <class Handle>
shared_handle<Handle>::shared_handle(Handle x, root_actor root,
                                     std::string name, bool lazy)
  : state_(std::make_shared<state>()) {
  state_->handle = std::move(x);
  state_->root = std::move(root);
  state_->name = std::move(name);
  state_->lazy = lazy;
}

template <class Handle>
bool shared_handle<Handle>::is_lazy() const {
  return state_->lazy;
}

template <class Handle>
Handle shared_handle<Handle>::get() const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  return state_->handle;
}

template <class Handle>
Handle shared_handle<Handle>::renew(caf::actor_system& sys) const {
  std::unique_lock<std::mutex> guard{state_->mutex};
  auto known = state_->handle;
  const auto root = state_->root;
  guard.unlock();
  if (!root || internal::is_alive(known))
    return known;
  auto fresh = find(sys, root, known, state_->name);
  if (!fresh)
    return known; // it was closed
  guard.lock();
  state_->handle = *fresh;
  return *fresh;
}

template <class Handle>
void shared_handle<Handle>::keep() const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  state_->root = nullptr;
}

template <class Handle>
std::pair<root_actor, std::string> shared_handle<Handle>::origin() const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  return {state_->root, state_->name};
}

template class shared_handle<stream_actor>;
template class shared_handle<reader_actor>;
template class shared_handle<sink_actor>;

} // namespace detail

// -- stream -------------------------------------------------------------------

stream::stream(caf::actor_system& sys, stream_actor handle)
  : sys_(&sys), handle_(std::move(handle)) {
  // nop
}

stream::stream(caf::actor_system& sys,
               detail::shared_handle<stream_actor> handle)
  : sys_(&sys), handle_(std::move(handle)) {
  // nop
}

caf::expected<event_id> stream::add(std::string name, std::string payload,
                                    std::string topic, std::string dedup_id) {
  return ask<event_id>(*sys_, handle_.renew(*sys_), caf::add_atom_v,
                       new_event{std::move(name), std::move(payload),
                                 std::move(topic), std::move(dedup_id)});
}

caf::expected<event_id> stream::add_if_exists(std::string name,
                                              std::string payload,
                                              std::string topic) {
  return ask<event_id>(*sys_, handle_.renew(*sys_), atom::add_exist_v,
                       new_event{std::move(name), std::move(payload),
                                 std::move(topic)});
}

caf::expected<std::vector<add_result>>
stream::add(std::vector<new_event> events) {
  return ask<std::vector<add_result>>(*sys_, handle_.renew(*sys_),
                                      caf::add_atom_v, std::move(events));
}

caf::expected<pulse::producer> stream::producer(const producer_options& how,
                                                failure_handler on_failure) {
  if (auto ok = validate(how); !ok)
    return make_error(ok.error());
  return pulse::producer{*sys_, produced(), how, std::move(on_failure)};
}

internal::produced_stream stream::produced() const {
  auto [root, name] = handle_.origin();
  return {handle_.renew(*sys_), std::move(root), std::move(name)};
}

caf::expected<uint64_t> stream::remove(std::vector<event_id> ids) {
  return ask<uint64_t>(*sys_, handle_.renew(*sys_), atom::remove_v,
                       std::move(ids));
}

caf::expected<std::vector<event>> stream::range(range_query query) {
  return ask<std::vector<event>>(*sys_, handle_.renew(*sys_), atom::range_v,
                                 query);
}

caf::expected<uint64_t> stream::trim(uint64_t max_len) {
  return ask<uint64_t>(*sys_, handle_.renew(*sys_), atom::trim_v, max_len);
}

caf::expected<stream_info> stream::info() {
  return ask<stream_info>(*sys_, handle_.renew(*sys_), atom::info_v);
}

caf::expected<stream_retention> stream::retention() {
  return ask<stream_retention>(*sys_, handle_.renew(*sys_), atom::retention_v);
}

caf::expected<bool> stream::destroy() {
  return ask<bool>(*sys_, handle_.renew(*sys_), atom::destroy_v);
}

caf::expected<std::vector<dead_letter>> stream::dead_letters(dead_query query) {
  return ask<std::vector<dead_letter>>(*sys_, handle_.renew(*sys_),
                                       atom::dead_v, std::move(query));
}

caf::expected<redrive_result> stream::redrive(redrive_request request) {
  return ask<redrive_result>(*sys_, handle_.renew(*sys_), atom::redrive_v,
                             std::move(request));
}

caf::expected<uint64_t> stream::purge(purge_request request) {
  return ask<uint64_t>(*sys_, handle_.renew(*sys_), atom::purge_v,
                       std::move(request));
}

caf::expected<void> stream::close() {
  return close_child(*sys_, handle_);
}

// -- reader -------------------------------------------------------------------

reader::reader(caf::actor_system& sys, reader_actor handle)
  : sys_(&sys), handle_(std::move(handle)) {
  // nop
}

reader::reader(caf::actor_system& sys,
               detail::shared_handle<reader_actor> handle)
  : sys_(&sys), handle_(std::move(handle)) {
  // nop
}

caf::expected<reader_inbox> reader::inbox(subscription how) {
  return open_inbox<reader_inbox>(*sys_, handle_, {}, how);
}

caf::expected<void> reader::subscribe(const event_listener& listener,
                                      subscription how) {
  return subscribe_to(*sys_, handle_, listener, how);
}

caf::expected<void> reader::subscribe(const caf::actor& listener,
                                      subscription how) {
  return subscribe(as_listener(listener), how);
}

caf::expected<bool> reader::unsubscribe(const event_listener& listener) {
  return ask<bool>(*sys_, handle_.renew(*sys_), caf::unsubscribe_atom_v,
                   listener);
}

caf::expected<bool> reader::unsubscribe(const caf::actor& listener) {
  return unsubscribe(as_listener(listener));
}

caf::expected<void> reader::add_stream(std::string name, start_position start) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::add_stream_v,
                   std::move(name), start);
}

caf::expected<bool> reader::remove_stream(std::string name) {
  return ask<bool>(*sys_, handle_.renew(*sys_), atom::rem_stream_v,
                   std::move(name));
}

caf::expected<void> reader::on_notice(const notice_listener& listener) {
  return ask<void>(*sys_, handle_.renew(*sys_), caf::subscribe_atom_v,
                   listener);
}

caf::expected<void> reader::on_notice(const caf::actor& listener) {
  return on_notice(caf::actor_cast<notice_listener>(listener));
}

caf::expected<void>
reader::on_notice(std::function<void(const notice&)> listener) {
  return on_notice(spawn_listener(*sys_, std::move(listener)));
}

caf::expected<reader_info> reader::info() {
  return ask<reader_info>(*sys_, handle_.renew(*sys_), atom::info_v);
}

caf::expected<void> reader::close() {
  return close_child(*sys_, handle_);
}

// -- sink ---------------------------------------------------------------------

sink::sink(caf::actor_system& sys, sink_actor handle)
  : sys_(&sys), handle_(std::move(handle)) {
  // nop
}

sink::sink(caf::actor_system& sys, detail::shared_handle<sink_actor> handle)
  : sys_(&sys), handle_(std::move(handle)) {
  // nop
}

caf::expected<void> sink::subscribe(const event_listener& listener,
                                    subscription how) {
  return subscribe_to(*sys_, handle_, listener, how);
}

caf::expected<void> sink::subscribe(const caf::actor& listener,
                                    subscription how) {
  return subscribe(as_listener(listener), how);
}

caf::expected<bool> sink::unsubscribe(const event_listener& listener) {
  return ask<bool>(*sys_, handle_.renew(*sys_), caf::unsubscribe_atom_v,
                   listener);
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
  return when_subscribed(
    *sys_, internal::spawn_handler(*sys_, handled(), std::move(fun), how),
    handle_.is_lazy());
}

caf::expected<handler_actor>
sink::start_batch_handler(batch_handler fun, const batch_handler_options& how) {
  if (auto ok = check(how, fun); !ok)
    return make_error(ok.error());
  return when_subscribed(
    *sys_, internal::spawn_batch_handler(*sys_, handled(), std::move(fun), how),
    handle_.is_lazy());
}

internal::handled_sink sink::handled() const {
  auto [root, name] = handle_.origin();
  return {handle_.renew(*sys_), std::move(root), std::move(name),
          handle_.is_lazy()};
}

caf::expected<sink_inbox> sink::inbox(subscription how) {
  const auto facts = info();
  if (!facts)
    return facts.error();
  internal::pull_source_options options;
  options.is_sink = true;
  options.ack_wait = facts->ack_wait;
  return open_inbox<sink_inbox>(*sys_, handle_, std::move(options), how);
}

caf::expected<void> sink::ack(delivery_id delivery) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::ack_v,
                   std::move(delivery));
}

caf::expected<void> sink::ack(std::vector<delivery_id> deliveries) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::ack_v,
                   std::move(deliveries));
}

caf::expected<void> sink::nack(delivery_id delivery, milliseconds delay) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::nack_v,
                   std::move(delivery), caf::timespan{delay});
}

caf::expected<void> sink::extend(delivery_id delivery) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::extend_v,
                   std::move(delivery));
}

caf::expected<void> sink::term(delivery_id delivery, std::string reason) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::term_v,
                   std::move(delivery), std::move(reason));
}

caf::expected<void> sink::add_stream(std::string name, start_position start) {
  return ask<void>(*sys_, handle_.renew(*sys_), atom::add_stream_v,
                   std::move(name), start);
}

caf::expected<bool> sink::remove_stream(std::string name) {
  return ask<bool>(*sys_, handle_.renew(*sys_), atom::rem_stream_v,
                   std::move(name));
}

caf::expected<void> sink::on_notice(const notice_listener& listener) {
  return ask<void>(*sys_, handle_.renew(*sys_), caf::subscribe_atom_v,
                   listener);
}

caf::expected<void> sink::on_notice(const caf::actor& listener) {
  return on_notice(caf::actor_cast<notice_listener>(listener));
}

caf::expected<void>
sink::on_notice(std::function<void(const notice&)> listener) {
  return on_notice(spawn_listener(*sys_, std::move(listener)));
}

caf::expected<sink_info> sink::info() {
  return ask<sink_info>(*sys_, handle_.renew(*sys_), atom::info_v);
}

caf::expected<void> sink::close() {
  return close_child(*sys_, handle_);
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
    x = find(*sys_, handle_, stream_actor{}, name);
  if (!x)
    return x.error();
  return pulse::stream{*sys_, detail::shared_handle<stream_actor>{
                                std::move(*x), handle_, std::move(name), lazy}};
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
  return pulse::reader{*sys_, detail::shared_handle<reader_actor>{
                                std::move(*x), std::move(root), std::move(name),
                                how_ == connect_mode::lazy}};
}

caf::expected<pulse::sink> system::sink(sink_options options) {
  auto name = options.name;
  auto x = ask<sink_actor>(*sys_, handle_, caf::open_atom_v,
                           std::move(options));
  if (!x)
    return x.error();
  return pulse::sink{*sys_, detail::shared_handle<sink_actor>{
                              std::move(*x), handle_, std::move(name),
                              how_ == connect_mode::lazy}};
}

caf::expected<system_info> system::info() {
  return ask<system_info>(*sys_, handle_, atom::info_v);
}

caf::expected<caf::timespan> system::ping() {
  return ask<caf::timespan>(*sys_, handle_, caf::ping_atom_v);
}

caf::expected<void> system::close() {
  return ask_to_close(*sys_, handle_);
}

} // namespace pulse
