#pragma once

#include "pulse/actors/internal/producing/queue.hpp"
#include "pulse/actors/producer_actor.hpp"
#include "pulse/actors/root_actor.hpp"

#include <memory>
#include <string>

namespace pulse::internal {

/// The stream that a producer adds to.
struct produced_stream {
  stream_actor actor;
  /// The root that starts the stream again if it dies of a defect; may be null.
  root_actor root;
  std::string name;
};

/// @returns how a producer of this stream is called in logs and errors.
std::string producer_name(const std::string& stream);

/// @param listener May be null.
producer_actor spawn_producer(caf::actor_system& sys, produced_stream stream,
                              const producer_options& how,
                              std::shared_ptr<add_queue> queue,
                              failure_listener listener);

} // namespace pulse::internal
