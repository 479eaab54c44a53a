#include "pulse/actors/internal/delivering/outcome_box.hpp"

#include "pulse/actors/internal/caf/messaging.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>

namespace pulse::internal {

void outcome_box::add(uint64_t number, caf::error why) {
  std::unique_lock guard{mutex_};
  waiting_.push_back({number, std::move(why)});
  const bool is_first = waiting_.size() == 1;
  guard.unlock();
  if (!is_first)
    return;
  if (auto owner = caf::actor_cast<caf::actor>(owner_))
    tell(owner, caf::update_atom_v);
}

} // namespace pulse::internal
