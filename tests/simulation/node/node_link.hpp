#pragma once

#include "simulation/world/world.hpp"

#include <set>
#include <string>

namespace pulse::simulation {

/// What the actors of a node get from it. A dead node reports nothing.
struct node_link {
  world& all;
  const moods& how;
  bool is_dead = false;
  /// Its requests that wait for their reply.
  std::set<uint64_t> requests;

  /// Notes that a request is sent, which must get a reply.
  uint64_t begin_request(const std::string& what) {
    const uint64_t id = all.new_number();
    all.rules.requests[id] = what;
    requests.insert(id);
    return id;
  }

  /// The reply came, or nobody waits for it any more.
  void end_request(uint64_t id) {
    all.rules.requests.erase(id);
    requests.erase(id);
  }
};

} // namespace pulse::simulation
