#include "pulse/actors/internal/handling/late_subscription.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/runtime/delayed_calls.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/type_ids.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/log.hpp"

#include <random>
#include <utility>
#include <vector>

namespace pulse::internal {

namespace {

// An attempt ends with an error after the `command_timeout` if Redis is away.
constexpr milliseconds first_pause{100};
constexpr milliseconds last_pause{1'500};

atom::reader kind_of(const reader_actor&) {
  return {};
}

atom::sink kind_of(const sink_actor&) {
  return {};
}

template <class Handle>
class late_subscription {
public:
  using self_type = extended_interface<late_subscription_actor,
                                       caf::result<void>(caf::tick_atom)>;

  static constexpr const char* name = "pulse.subscription";

  late_subscription(typename self_type::pointer self, Handle to,
                    root_actor root, std::string child, event_listener who,
                    subscription how)
    : self_(self),
      me_(self),
      to_(std::move(to)),
      root_(std::move(root)),
      child_(std::move(child)),
      who_(std::move(who)),
      how_(how),
      calls_(self),
      backoff_(first_pause, last_pause),
      random_(std::random_device{}()) {
    // nop
  }

  typename self_type::behavior_type make_behavior() {
    // The request that begins the first attempt cannot come too late for the
    // answer.
    return {
      [this](caf::subscribe_atom) -> caf::result<void> {
        if (tried_)
          return caf::unit;
        waiting_.push_back(new_promise(self_));
        auto answer = waiting_.back();
        if (waiting_.size() == 1)
          attempt();
        return answer;
      },
      [this](caf::tick_atom) { calls_.on_tick(); },
    };
  }

private:
  void attempt() {
    if (!is_alive(who_))
      return end();
    if (root_ && !is_alive(to_))
      return find_again();
    request(self_, to_, caf::subscribe_atom_v, who_, how_)
      .then(
        [this] {
          if (tried_)
            log(log_level::info, name, "subscribed to " + label());
          end();
        },
        [this](const caf::error& why) { on_error(why); });
  }

  // It died of a defect, or was closed. The root answers when it has started
  // it again.
  void find_again() {
    request(self_, root_, caf::get_atom_v, kind_of(to_), child_)
      .then(
        [this](Handle& fresh) {
          to_ = std::move(fresh);
          attempt();
        },
        [this](const caf::error&) { end(); });
  }

  // A reader needs no name.
  [[nodiscard]] std::string label() const {
    return child_.empty() ? "the reader" : child_;
  }

  void on_error(const caf::error& why) {
    const auto reason = to_failure(why);
    const bool died = root_ && !is_alive(to_);
    if (!died && !is_transient(reason.code)) {
      if (tried_)
        log(log_level::error, name,
            "cannot subscribe to " + label() + ": " + to_string(reason));
      for (auto& x : std::exchange(waiting_, {}))
        x.deliver(make_error(reason));
      return end();
    }
    if (!std::exchange(tried_, true))
      log(log_level::warning, name,
          "cannot subscribe to " + label()
            + " yet, so this is tried again: " + to_string(reason));
    answer();
    calls_.start(backoff_.next(random_), [this] { attempt(); });
  }

  void answer() {
    for (auto& x : std::exchange(waiting_, {}))
      x.deliver(caf::unit);
  }

  void end() {
    answer();
    me_ = nullptr;
    self_->quit();
  }

  typename self_type::pointer self_;
  // Nobody else may have a handle.
  self_type me_;
  Handle to_;
  root_actor root_;
  std::string child_;
  event_listener who_;
  subscription how_;
  delayed_calls<typename self_type::pointer> calls_;
  reconnect_backoff backoff_;
  random_engine random_;
  bool tried_ = false;
  std::vector<caf::response_promise> waiting_;
};

} // namespace

late_subscription_actor
spawn_late_subscription(caf::actor_system& sys, reader_actor to,
                        root_actor root, std::string name, event_listener who,
                        subscription how) {
  return spawn_state<late_subscription<reader_actor>>(
    sys, std::move(to), std::move(root), std::move(name), std::move(who), how);
}

late_subscription_actor
spawn_late_subscription(caf::actor_system& sys, sink_actor to, root_actor root,
                        std::string name, event_listener who,
                        subscription how) {
  return spawn_state<late_subscription<sink_actor>>(
    sys, std::move(to), std::move(root), std::move(name), std::move(who), how);
}

} // namespace pulse::internal
