#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/leases/actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulse::test {

/// A fake lease keeper, controlled by the test, for the deterministic
/// scheduler. It renews leases when the test calls renew(). When a sink asks
/// which events it still owns, the reply is the list that the test passed to
/// owns().
class fake_leases {
public:
  using boot_clock = std::function<std::chrono::nanoseconds()>;

  fake_leases(caf::actor_system& sys, boot_clock now)
    : state_(std::make_shared<state>()) {
    state_->now = std::move(now);
    actor_ = sys.spawn(behave, state_);
  }

  fake_leases(const fake_leases&) = delete;
  fake_leases& operator=(const fake_leases&) = delete;

  ~fake_leases() {
    state_->kept.clear();
    state_->held_ends.clear();
    state_->held_updates.clear();
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

  [[nodiscard]] lease_actor handle() const {
    return actor_;
  }

  /// @returns the requests since the last call, as in "add a, update a, delete
  /// a".
  std::string log() {
    return std::exchange(state_->log, {});
  }

  /// Sets the events that the consumer still owns in Redis.
  void owns(std::vector<event_id> ids) {
    state_->owned = std::move(ids);
  }

  /// Lets the next request for the owned events fail.
  void fail_next(errc code) {
    state_->failures.push_back(failure{code, "as told"});
  }

  /// Renews all leases now, unless stop() was called.
  void renew() {
    for (const auto& x : state_->kept)
      if (!state_->stopped) {
        if (x->clock->has_lapsed(x->length, state_->now()))
          ++x->clock->lapses;
        x->clock->renewed(state_->now());
      }
  }

  /// Stops all renewals, as if the keeper could not reach Redis.
  void stop() {
    state_->stopped = true;
  }

  void go_on() {
    state_->stopped = false;
  }

  /// Delays the replies that leases have ended until release_ends() is called.
  void hold_ends() {
    state_->holds_ends = true;
  }

  void release_ends() {
    state_->holds_ends = false;
    caf::anon_send(actor_, caf::tick_atom_v);
  }

  /// It renews, but does not tell what is still owned until release_updates().
  void hold_updates() {
    state_->holds_updates = true;
  }

  void release_updates() {
    state_->holds_updates = false;
    caf::anon_send(actor_, caf::tick_atom_v);
  }

  [[nodiscard]] const std::vector<lease_ptr>& kept() const {
    return state_->kept;
  }

  [[nodiscard]] size_t closes() const {
    return state_->closes;
  }

private:
  struct state {
    boot_clock now;
    std::vector<lease_ptr> kept;
    std::vector<event_id> owned;
    std::vector<failure> failures;
    std::string log;
    size_t closes = 0;
    bool stopped = false;
    bool holds_updates = false;
    std::vector<caf::response_promise> held_updates;
    bool holds_ends = false;
    std::vector<caf::response_promise> held_ends;
  };

  static void note(state& st, const char* what, const lease& x) {
    st.log.append(st.log.empty() ? "" : ", ").append(what).append(x.stream);
  }

  // The tick is a private message, so that the actor itself delivers its
  // promises.
  using actor_type
    = extended_interface<lease_actor, caf::result<void>(caf::tick_atom)>;

  static actor_type::behavior_type behave(actor_type::pointer self,
                                          const std::shared_ptr<state>& st) {
    return {
      [=](caf::add_atom, const lease_ptr& x) {
        note(*st, "add ", *x);
        if (x->clock->renewed_ns == 0)
          x->clock->renewed(st->now());
        st->kept.push_back(x);
      },
      [=](caf::delete_atom, const lease_ptr& x) -> caf::result<void> {
        note(*st, "delete ", *x);
        auto i = std::find(st->kept.begin(), st->kept.end(), x);
        if (i != st->kept.end())
          st->kept.erase(i);
        if (!st->holds_ends)
          return caf::unit;
        auto answer = self->make_response_promise();
        st->held_ends.push_back(answer);
        return answer;
      },
      [=](caf::update_atom,
          const lease_ptr& x) -> caf::result<std::vector<event_id>> {
        note(*st, "update ", *x);
        if (!st->failures.empty()) {
          const auto why = st->failures.front();
          st->failures.erase(st->failures.begin());
          return make_error(why);
        }
        if (x->clock->has_lapsed(x->length, st->now()))
          ++x->clock->lapses;
        x->clock->listed(std::chrono::nanoseconds::max());
        x->clock->renewed(st->now());
        if (!st->holds_updates)
          return st->owned;
        auto answer = self->make_response_promise();
        st->held_updates.push_back(answer);
        return answer;
      },
      [=](caf::tick_atom) {
        for (auto& x : std::exchange(st->held_updates, {}))
          x.deliver(st->owned);
        for (auto& x : std::exchange(st->held_ends, {}))
          x.deliver(caf::unit);
      },
      [=](caf::close_atom) {
        ++st->closes;
        self->quit();
      },
    };
  }

  std::shared_ptr<state> state_;
  actor_type actor_;
};

} // namespace pulse::test
