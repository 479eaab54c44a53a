#pragma once

#include "pulse/core/options.hpp"
#include "pulse/resp/reply.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

// What a stream keeps, as Redis stores it: a hash beside the stream, with one
// field for each option, and the field "lost".

namespace pulse::resp {

/// The fields of the hash: the options in the order of stream_retention, then
/// the number of lost events.
inline constexpr std::array<std::string_view, 8> retention_fields{
  "max_len", "protect_unacked", "max_age", "hard_max_len", "on_full",
  "ttl",     "ttl_kind",        "lost"};

/// What the caller of retention_script() wants if another retention is stored.
enum class retention_query : uint8_t {
  /// An error.
  check,
  /// To replace it.
  change,
  /// To follow it.
  follow,
};

/// @returns the ARGV of retention_script().
std::vector<std::string> retention_arguments(const stream_options& x,
                                             retention_query how);

/// What Redis stores.
struct stored_retention {
  /// False: nothing is stored, and `keeps` has the defaults.
  bool is_stored = false;
  stream_retention keeps;
  /// Events in the stream. Only the script answers it.
  uint64_t length = 0;
  /// Events that were removed although not all sinks had acknowledged them, or
  /// before there was a sink; at most.
  uint64_t lost = 0;
};

/// Reads the reply of retention_script().
outcome<stored_retention> read_retention(cursor& at);

/// Reads the reply to HMGET of all retention_fields.
outcome<stored_retention> read_retention_fields(cursor& at);

} // namespace pulse::resp
