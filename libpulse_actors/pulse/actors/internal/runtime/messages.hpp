#pragma once

#include "pulse/actors/type_ids.hpp"
#include "pulse/resp/command_batch.hpp"

#include <memory>

// Messages between the actors of the library on one node. None of them leaves
// the process: a batch, a reply and a lease are shared, not copied.

namespace pulse {

struct lease;

/// See lease_actor.
using lease_ptr = std::shared_ptr<const lease>;

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, connection_info& x) {
  return fields(f, x, "connection_info", field("state", x.state),
                field("client_id", x.client_id), field("connects", x.connects),
                field("failures", x.failures), field("sent", x.sent),
                field("replies", x.replies), field("queued", x.queued));
}

} // namespace pulse

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pulse::command_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pulse::reply_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pulse::lease_ptr)

CAF_BEGIN_TYPE_ID_BLOCK(pulse_internal, caf::first_custom_type_id + 1200)

  CAF_ADD_TYPE_ID(pulse_internal, (pulse::command_ptr))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::reply_ptr))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::connection_info))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::lease_ptr))
  CAF_ADD_ATOM(pulse_internal, pulse::atom, run, "run")
  CAF_ADD_ATOM(pulse_internal, pulse::atom, unblock, "unblock")

CAF_END_TYPE_ID_BLOCK(pulse_internal)
