#pragma once

#include "pulse/actors/batch_outcome.hpp"
#include "pulse/actors/errors.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pulse::internal {

/// How the events of a batch ended.
struct batch_ends {
  /// For each event, why this event failed; null if it ended like the others.
  std::vector<const batch_outcome::failed_event*> own;
  /// How the others ended; empty: they were handled.
  caf::error others;
};

/// @param how Must outlive the result.
/// @param size Number of events in the batch.
inline batch_ends ends_of(const batch_outcome& how, size_t size) {
  batch_ends result{std::vector<const batch_outcome::failed_event*>(size),
                    how.why()};
  for (const auto& x : how.failures()) {
    if (x.index >= size)
      return {std::vector<const batch_outcome::failed_event*>(size),
              make_error({errc::handler_failed,
                          "the handler of a batch of " + std::to_string(size)
                            + " events said that number "
                            + std::to_string(x.index)
                            + " failed, where the first one is number 0: "
                            + describe(x.why)})};
    if (result.own[x.index] == nullptr)
      result.own[x.index] = &x;
  }
  return result;
}

} // namespace pulse::internal
