#pragma once

#include "pulse/core/event_id.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulse {

/// The keys of a keyed sink are divided into partitions, and each partition
/// belongs to one member of the sink. The number limits how many nodes can
/// share a stream.
inline constexpr size_t partition_count = 64;

/// A set of partitions.
using partition_set = std::bitset<partition_count>;

/// @param topic The key of the event; empty: the event has no order to keep,
/// and its ID decides.
/// @returns the partition of an event. prelude/partitions.lua computes the
/// same, so a change here divides members of different versions.
size_t partition_of(std::string_view topic, event_id id);

} // namespace pulse
