#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/system.hpp"

#include <caf/sec.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// How the blocking classes of system.hpp ask actors.

namespace pulse::internal {

// -- calls --------------------------------------------------------------------

/// How long a call may still take; without a value: as long as the actor takes.
using time_limit = std::optional<milliseconds>;

/// Counts from its construction.
class countdown {
public:
  explicit countdown(time_limit limit) : limit_(limit) {
    // nop
  }

  [[nodiscard]] time_limit left() const {
    if (!limit_)
      return {};
    const auto gone = std::chrono::duration_cast<milliseconds>(
      std::chrono::steady_clock::now() - begin_);
    return std::max(*limit_ - gone, milliseconds{1});
  }

private:
  time_limit limit_;
  std::chrono::steady_clock::time_point begin_
    = std::chrono::steady_clock::now();
};

inline bool is_late(const caf::error& x) {
  return x == caf::sec::request_timeout;
}

inline caf::error late_error(milliseconds limit, const char* consequence) {
  return make_error({errc::timed_out, "no reply came within "
                                        + std::to_string(limit.count())
                                        + " ms; " + consequence});
}

inline caf::error check_limit(time_limit limit) {
  if (!limit || *limit >= milliseconds{1})
    return {};
  return make_error({errc::invalid_option, "within() needs at least 1 ms, not "
                                             + std::to_string(limit->count())});
}

/// ask() or ask_within().
template <class Result, class Handle, class... Ts>
caf::expected<Result> ask_for(caf::actor_system& sys, time_limit limit,
                              const Handle& to, Ts&&... xs) {
  return limit ? ask_within<Result>(sys, *limit, to, std::forward<Ts>(xs)...)
               : ask<Result>(sys, to, std::forward<Ts>(xs)...);
}

/// @returns the handle, when a dead actor has been restarted.
template <class Handle>
caf::expected<Handle>
find_callee(const detail::callee<Handle>& x, const countdown& time) {
  if (auto bad = check_limit(x.limit))
    return bad;
  auto result = x.handle.renew_within(*x.sys, time.left());
  if (!result)
    return late_error(*x.limit, "the actor died, and its restart takes longer, "
                                "so nothing was sent");
  return result;
}

/// Sends a request to the actor that find_callee() found, and waits for its
/// reply.
template <class Result, class Handle, class... Ts>
caf::expected<Result> call_found(const detail::callee<Handle>& to,
                                 const countdown& time,
                                 const caf::expected<Handle>& who, Ts&&... xs) {
  if (!who)
    return who.error();
  auto result = ask_for<Result>(*to.sys, time.left(), *who,
                                std::forward<Ts>(xs)...);
  if (to.limit && !result && is_late(result.error()))
    return late_error(*to.limit,
                      "the request goes on and may still have its effect");
  return result;
}

/// Sends a request and waits for its reply.
template <class Result, class Handle, class... Ts>
caf::expected<Result> call(const detail::callee<Handle>& to, Ts&&... xs) {
  const countdown time{to.limit};
  return call_found<Result>(to, time, find_callee(to, time),
                            std::forward<Ts>(xs)...);
}

/// It is no error to close an actor that is closed already.
inline caf::expected<void> closed_as_well(caf::expected<void> x) {
  if (!x && to_failure(x.error()).code == errc::closed)
    return {};
  return x;
}

template <class Handle>
caf::expected<void> close_child(const detail::callee<Handle>& x) {
  const countdown time{x.limit};
  const auto who = find_callee(x, time);
  if (who)
    x.handle.keep(); // another one of that name may be opened
  return closed_as_well(call_found<void>(x, time, who, caf::close_atom_v));
}

// -- restarted actors ---------------------------------------------------------

inline auto kind_of(const stream_actor&) {
  return atom::stream_v;
}

inline auto kind_of(const reader_actor&) {
  return atom::reader_v;
}

inline auto kind_of(const sink_actor&) {
  return atom::sink_v;
}

/// @returns the handle of the restarted actor.
template <class Handle>
caf::expected<Handle> find(caf::actor_system& sys, time_limit limit,
                           const root_actor& root, const std::string& name) {
  return ask_for<Handle>(sys, limit, root, caf::get_atom_v, kind_of(Handle{}),
                         name);
}

// -- calls without waiting ----------------------------------------------------

/// Sends a request to the restarted actor, when the root has told its handle.
template <class Handle>
class forwarding_slot : public detail::reply_slot {
public:
  forwarding_slot(detail::callee<Handle> to, caf::message what,
                  std::unique_ptr<detail::reply_slot> slot)
    : to_(std::move(to)), what_(std::move(what)), slot_(std::move(slot)) {
    // nop
  }

  void set(const detail::reply_content& reply) override {
    if (reply.template match_elements<caf::error>())
      return slot_->fail(reply.template get_as<caf::error>(0));
    const auto& fresh = reply.template get_as<Handle>(0);
    to_.handle.replace(fresh);
    detail::send_request(*to_.sys,
                         caf::actor_cast<caf::strong_actor_ptr>(fresh),
                         std::move(what_), std::move(slot_));
  }

  void fail(caf::error why) override {
    slot_->fail(std::move(why));
  }

private:
  detail::callee<Handle> to_;
  caf::message what_;
  std::unique_ptr<detail::reply_slot> slot_;
};

/// Sends a request and does not wait, not even for the restart of a dead actor.
template <class Result, class Handle, class... Ts>
future<Result> call_async(const detail::callee<Handle>& to, Ts&&... xs) {
  const auto who = to.handle.get();
  const auto [root, name] = to.handle.origin();
  if (!root || is_alive(who))
    return ask_async<Result>(*to.sys, who, std::forward<Ts>(xs)...);
  auto slot = std::make_unique<detail::promised_reply<Result>>();
  auto result = slot->get_future();
  detail::send_request(*to.sys, caf::actor_cast<caf::strong_actor_ptr>(root),
                       caf::make_message(caf::get_atom_v, kind_of(who), name),
                       std::make_unique<forwarding_slot<Handle>>(
                         to, caf::make_message(std::forward<Ts>(xs)...),
                         std::move(slot)));
  return result;
}

} // namespace pulse::internal
