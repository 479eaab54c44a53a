#include "pulse/core/backoff.hpp"

#include <algorithm>

namespace pulse {

namespace {

using std::chrono::milliseconds;

constexpr double jitter_share = 0.25;

} // namespace

milliseconds jittered(milliseconds base, double share, random_engine& random) {
  std::uniform_real_distribution<double> factor{1.0 - share, 1.0 + share};
  const auto count = static_cast<double>(base.count()) * factor(random);
  return milliseconds{static_cast<milliseconds::rep>(count)};
}

milliseconds reconnect_backoff::next(random_engine& random) {
  const auto current = next_;
  next_ = current > last_ / 2 ? last_ : current * 2;
  return jittered(current, jitter_share, random);
}

milliseconds redelivery_delay(const std::vector<milliseconds>& list,
                              uint32_t attempt, random_engine& random) {
  if (list.empty())
    return milliseconds{0};
  const size_t index = attempt > 0 ? attempt - 1 : 0;
  return jittered(list[std::min(index, list.size() - 1)], jitter_share, random);
}

} // namespace pulse
