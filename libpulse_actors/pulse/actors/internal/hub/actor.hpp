#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_actor.hpp>

namespace pulse {

/// Reads streams for all readers of a process and endpoint: they share its
/// connection, its reads, and the decoded events. Only actors of the same node
/// can use it. See page_hub.
///
/// A hub monitors the readers that ask it, and terminates when the last of them
/// has terminated.
using hub_actor = actor_interface<
  // Replies with pages of one or more of these streams as soon as there are
  // any, and with what Redis says about the streams. A reader has one request
  // at a time: the next one replaces it, and the replaced one gets an empty
  // reply. The first request to a hub names all streams of the reader. A reader
  // without streams gets an empty reply at once. Errors: those of
  // connection_actor, and the reason if Redis refuses to read a stream. The hub
  // itself waits before it reads again, so readers may ask again at once.
  // `closed`: the hub has terminated.
  caf::result<stream_pages_ptr>(caf::get_atom, page_request_ptr)>;

/// Spawns a hub. Readers find their hub with a hub_source.
hub_actor spawn_hub(caf::actor_system& sys, connection_source redis,
                    const internal::environment& env = {});

} // namespace pulse
