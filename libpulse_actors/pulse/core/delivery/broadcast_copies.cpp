#include "pulse/core/delivery/broadcast_copies.hpp"

#include <algorithm>

namespace pulse {

namespace {

bool remove_from(std::vector<worker_id>& xs, worker_id x) {
  const auto i = std::remove(xs.begin(), xs.end(), x);
  const bool found = i != xs.end();
  xs.erase(i, xs.end());
  return found;
}

} // namespace

void broadcast_copies::begin() {
  holders_.clear();
  failed_.clear();
  died_ = false;
}

broadcast_copies::outcome broadcast_copies::finish(worker_id by, copy how) {
  if (!remove_from(holders_, by) && !remove_from(failed_, by))
    return outcome::open;
  if (how == copy::failed)
    failed_.push_back(by);
  else if (how == copy::succeeded)
    succeeded_ = true;
  else if (how == copy::died)
    died_ = true;
  if (!holders_.empty())
    return outcome::open;
  if (!failed_.empty())
    return outcome::retry;
  if (succeeded_)
    return outcome::succeeded;
  return died_ ? outcome::crashed : outcome::abandoned;
}

bool broadcast_copies::failed_at(worker_id x) const noexcept {
  return std::find(failed_.begin(), failed_.end(), x) != failed_.end();
}

} // namespace pulse
