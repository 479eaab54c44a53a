#include "pulse/actors/internal/facade/calls.hpp"

#include <mutex>

namespace pulse::detail {

template <class Handle>
struct shared_handle<Handle>::state {
  std::mutex mutex;
  Handle handle;
  root_actor root;
  std::string name;
  bool lazy;
};

template <class Handle>
shared_handle<Handle>::shared_handle(Handle x, root_actor root,
                                     std::string name, bool lazy)
  : state_(
    new state{{}, std::move(x), std::move(root), std::move(name), lazy}) {
  // nop
}

template <class Handle>
bool shared_handle<Handle>::is_lazy() const {
  return state_->lazy;
}

template <class Handle>
Handle shared_handle<Handle>::get() const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  return state_->handle;
}

template <class Handle>
Handle shared_handle<Handle>::renew(caf::actor_system& sys) const {
  // Without a limit there is always a result.
  return *renew_within(sys, {});
}

template <class Handle>
caf::expected<Handle>
shared_handle<Handle>::renew_within(caf::actor_system& sys,
                                    std::optional<milliseconds> limit) const {
  std::unique_lock<std::mutex> guard{state_->mutex};
  auto known = state_->handle;
  const auto root = state_->root;
  guard.unlock();
  if (!root || internal::is_alive(known))
    return known;
  auto fresh = internal::find<Handle>(sys, limit, root, state_->name);
  if (fresh)
    replace(*fresh);
  else if (!internal::is_late(fresh.error()))
    return known; // it was closed
  return fresh;
}

template <class Handle>
void shared_handle<Handle>::replace(Handle fresh) const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  state_->handle = std::move(fresh);
}

template <class Handle>
void shared_handle<Handle>::keep() const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  state_->root = nullptr;
}

template <class Handle>
std::pair<root_actor, std::string> shared_handle<Handle>::origin() const {
  std::lock_guard<std::mutex> guard{state_->mutex};
  return {state_->root, state_->name};
}

template class shared_handle<stream_actor>;
template class shared_handle<reader_actor>;
template class shared_handle<sink_actor>;

} // namespace pulse::detail
