#include "pulse/actors/batch_outcome.hpp"

#include "pulse/actors/errors.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace pulse {

batch_outcome& batch_outcome::fail(size_t index, caf::error why,
                                   milliseconds delay) {
  if (!why)
    why = make_error({errc::handler_failed, "the handler gave no reason"});
  constexpr size_t most = std::numeric_limits<uint32_t>::max();
  failures_.push_back(
    {static_cast<uint32_t>(std::min(index, most)), std::move(why), delay});
  return *this;
}

} // namespace pulse
