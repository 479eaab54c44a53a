#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>

#if CAF_MAJOR_VERSION < 1
#  include <caf/monitorable_actor.hpp>
#else
#  include <caf/abstract_actor.hpp>
#endif

#include <utility>

namespace pulse::internal {

#if CAF_MAJOR_VERSION < 1
using reply_receiver_base = caf::monitorable_actor;
/// What runs the actor of which an enqueue is part.
using running_host = caf::execution_unit;
#else
using reply_receiver_base = caf::abstract_actor;
using running_host = caf::scheduler;
#endif

/// An actor without a mailbox and without a thread that gets the replies to
/// requests. Whoever replies calls on_reply(), on any thread, also several
/// threads at the same time. Messages that are no replies have no effect.
class reply_receiver : public reply_receiver_base {
public:
#if CAF_MAJOR_VERSION < 1
  void enqueue(caf::mailbox_element_ptr what, running_host* here) final {
    if (what->mid.is_response())
      on_reply(*what, here);
  }
#else
  bool enqueue(caf::mailbox_element_ptr what, running_host* here) final {
    if (what->mid.is_response())
      on_reply(*what, here);
    return true;
  }

  void setup_metrics() {
    // nop
  }
#endif

protected:
  explicit reply_receiver(caf::actor_config& cfg) : reply_receiver_base(cfg) {
    // nop
  }

  /// The number of the request is `what.mid.request_id()`.
  virtual void on_reply(caf::mailbox_element& what, running_host* here) = 0;

  /// Ends the actor.
  void end() {
    this->cleanup(caf::exit_reason::normal, nullptr);
  }

private:
#if CAF_MAJOR_VERSION >= 1
  void force_close_mailbox() override {
    // nop
  }
#endif
};

/// Makes a receiver, which nobody has to start.
/// @tparam Receiver Derived from reply_receiver; its constructor takes the
/// configuration first.
template <class Receiver, class... Ts>
caf::strong_actor_ptr
make_reply_receiver(caf::actor_system& sys, running_host* host, Ts&&... xs) {
  caf::actor_config cfg{host};
  return caf::make_actor<Receiver, caf::strong_actor_ptr>(
    sys.next_actor_id(), sys.node(), &sys, cfg, std::forward<Ts>(xs)...);
}

/// Makes the mailbox element of a request or a message.
template <class... Ts>
caf::mailbox_element_ptr make_element(caf::strong_actor_ptr sender,
                                      caf::message_id id, Ts&&... message) {
#if CAF_MAJOR_VERSION < 1
  return caf::make_mailbox_element(std::move(sender), id, {},
                                   std::forward<Ts>(message)...);
#else
  return caf::make_mailbox_element(std::move(sender), id,
                                   std::forward<Ts>(message)...);
#endif
}

} // namespace pulse::internal
