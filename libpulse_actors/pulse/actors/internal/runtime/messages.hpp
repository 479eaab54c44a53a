#pragma once

#include "pulse/actors/type_ids.hpp"
#include "pulse/resp/command_batch.hpp"

#include <memory>
#include <vector>

// Messages between the actors of the library on one node. None of them leaves
// the process: a batch, a reply, a lease and pages are shared, not copied.

namespace pulse {

struct lease;
struct page_request;
struct stream_page;

/// See lease_actor.
using lease_ptr = std::shared_ptr<const lease>;

/// See hub_actor.
using page_request_ptr = std::shared_ptr<const page_request>;
using stream_pages_ptr = std::shared_ptr<const std::vector<stream_page>>;

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
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pulse::page_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pulse::stream_pages_ptr)

CAF_BEGIN_TYPE_ID_BLOCK(pulse_internal, caf::first_custom_type_id + 1200)

  CAF_ADD_TYPE_ID(pulse_internal, (pulse::command_ptr))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::reply_ptr))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::connection_info))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::lease_ptr))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::page_request_ptr))
  CAF_ADD_TYPE_ID(pulse_internal, (pulse::stream_pages_ptr))
  CAF_ADD_ATOM(pulse_internal, pulse::atom, run, "run")
  CAF_ADD_ATOM(pulse_internal, pulse::atom, unblock, "unblock")
  CAF_ADD_ATOM(pulse_internal, pulse::atom, ready, "ready")

CAF_END_TYPE_ID_BLOCK(pulse_internal)
