#pragma once

#include "pulse/actors/producer_actor.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/type_id.hpp>

// Registers with CAF all types that the library sends in messages. config.hpp
// and system.hpp include this file. If code includes only the header of an
// actor, and is compiled with CAF_ENABLE_TYPE_ID_CHECKS, it must include this
// file before it sends a message.

// The application can use the 1000 IDs below the offset. New types are appended
// at the end, so that the IDs of the others stay the same.
CAF_BEGIN_TYPE_ID_BLOCK(pulse, caf::first_custom_type_id + 1000)

  CAF_ADD_TYPE_ID(pulse, (pulse::errc))
  CAF_ADD_TYPE_ID(pulse, (pulse::event_id))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::event_id>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::delivery_id))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::delivery_id>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::event))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::event>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::new_event))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::new_event>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::add_result))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::add_result>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::stream_info))
  CAF_ADD_TYPE_ID(pulse, (pulse::range_query))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::dead_letter>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::dead_query))
  CAF_ADD_TYPE_ID(pulse, (pulse::redrive_request))
  CAF_ADD_TYPE_ID(pulse, (pulse::redrive_result))
  CAF_ADD_TYPE_ID(pulse, (pulse::purge_request))
  CAF_ADD_TYPE_ID(pulse, (pulse::subscription))
  CAF_ADD_TYPE_ID(pulse, (pulse::start_position))
  CAF_ADD_TYPE_ID(pulse, (pulse::stream_options))
  CAF_ADD_TYPE_ID(pulse, (pulse::reader_options))
  CAF_ADD_TYPE_ID(pulse, (pulse::sink_options))
  CAF_ADD_TYPE_ID(pulse, (pulse::reader_info))
  CAF_ADD_TYPE_ID(pulse, (pulse::sink_info))
  CAF_ADD_TYPE_ID(pulse, (pulse::system_info))
  CAF_ADD_TYPE_ID(pulse, (pulse::notice))
  CAF_ADD_TYPE_ID(pulse, (pulse::event_listener))
  CAF_ADD_TYPE_ID(pulse, (pulse::notice_listener))
  CAF_ADD_TYPE_ID(pulse, (pulse::stream_actor))
  CAF_ADD_TYPE_ID(pulse, (pulse::reader_actor))
  CAF_ADD_TYPE_ID(pulse, (pulse::sink_actor))
  CAF_ADD_TYPE_ID(pulse, (pulse::root_actor))
  CAF_ADD_TYPE_ID(pulse, (pulse::stream_retention))
  CAF_ADD_TYPE_ID(pulse, (pulse::failed_add))
  CAF_ADD_TYPE_ID(pulse, (std::vector<pulse::failed_add>) )
  CAF_ADD_TYPE_ID(pulse, (pulse::producer_info))
  CAF_ADD_TYPE_ID(pulse, (pulse::failure_listener))
  CAF_ADD_TYPE_ID(pulse, (pulse::producer_actor))
  CAF_ADD_TYPE_ID(pulse, (pulse::event_batch))
  CAF_ADD_TYPE_ID(pulse, (pulse::batch_outcome))
  CAF_ADD_TYPE_ID(pulse, (pulse::batch_listener))

CAF_END_TYPE_ID_BLOCK(pulse)
