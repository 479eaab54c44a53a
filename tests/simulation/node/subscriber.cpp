#include "simulation/node/subscriber.hpp"

#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>

#include <deque>

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

class subscriber_state {
public:
  using self_type
    = extended_interface<event_listener, caf::result<void>(caf::tick_atom)>;

  static inline const char* name = "subscriber";

  subscriber_state(self_type::pointer self, node_link* home, uint32_t id)
    : self_(self), home_(*home), id_(id) {
    // nop
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](const event& x) { return on_event(x); },
      [this](caf::tick_atom) {
        if (queue_.empty())
          return;
        queue_.front().deliver(caf::unit);
        queue_.pop_front();
      },
    };
  }

private:
  caf::result<void> on_event(const event& x) {
    auto& all = home_.all;
    if (!home_.is_dead)
      all.rules.readers.arrives(id_, std::string{x.stream()}, x.id());
    auto promise = self_->make_response_promise();
    if (all.is_calm || all.random.one_in(2)) {
      promise.deliver(caf::unit);
    } else {
      queue_.push_back(promise);
      self_->delayed_send(self_, all.random.between(0us, 200ms),
                          caf::tick_atom_v);
    }
    return promise;
  }

  self_type::pointer self_;
  node_link& home_;
  uint32_t id_;
  std::deque<caf::response_promise> queue_;
};

} // namespace

event_listener spawn_subscriber(caf::actor_system& sys, node_link& home,
                                uint32_t id) {
  return internal::spawn_state<subscriber_state>(sys, &home, id);
}

} // namespace pulse::simulation
