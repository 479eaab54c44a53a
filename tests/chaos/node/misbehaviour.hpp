#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::chaos {

/// How a worker misbehaves with an event.
enum class misdeed : uint8_t {
  none,
  /// Dies at the first attempt.
  crash,
  /// Works for longer than ack_wait at the first attempt.
  hang,
  /// Refuses the first attempt.
  nack,
  /// Works for longer than the lease, but not for longer than ack_wait.
  slow,
  /// Dies at every attempt, so that the event becomes a dead letter.
  poison,
  /// Gives the event up, so that it becomes a dead letter at once.
  reject,
  /// Ends normally and without an answer, at the first one to five attempts.
  quit,
  /// Finishes the event and ends normally, while it holds further events.
  retire,
  /// Refuses the first two attempts. Many such events wait at the same time.
  backlog,
};

/// @returns the name of a misdeed, as in `--misdeeds`.
std::string to_string(misdeed x);

/// @returns all misdeeds except `none`.
std::vector<misdeed> all_misdeeds();

/// Reads a comma separated list of names. @returns false if one is unknown.
bool from_string(std::string_view names, std::vector<misdeed>& out);

/// How often a worker misbehaves: for one event in this many; 0: never.
using misdeed_rates = std::map<misdeed, uint64_t>;

/// The result depends only on the arguments, so it is the same at each attempt.
/// @param event The label of the event.
/// @param attempt Which delivery of the event this is; the first one is 1.
misdeed choose_misdeed(const misdeed_rates& rates, uint64_t seed,
                       std::string_view sink, std::string_view event,
                       uint32_t attempt);

} // namespace pulse::chaos
