#include "pulse/core/streams/repeat_counter.hpp"

#include <utility>

namespace pulse {

namespace {

constexpr std::chrono::minutes interval{1};

} // namespace

std::optional<uint64_t> repeat_counter::add(uint64_t n,
                                            time_point now) noexcept {
  total_ += n;
  unreported_ += n;
  if (n == 0 || (reported_ && now - *reported_ < interval))
    return std::nullopt;
  reported_ = now;
  return std::exchange(unreported_, 0);
}

uint64_t repeat_counter::end() noexcept {
  reported_.reset();
  unreported_ = 0;
  return std::exchange(total_, 0);
}

} // namespace pulse
