#pragma once

#include "pulse/core/delivery/partition.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::resp {

/// The reply to share_script().
struct share_reply {
  /// Whether the member may read the stream without the script.
  bool sole = false;
  /// The names of the other members, separated by spaces. Points into the
  /// reply, as all texts here.
  std::string_view others;
  /// Whether there is more to do at once.
  bool again = false;
  /// How many entries wait for this member, and for all members.
  uint64_t waiting = 0;
  uint64_t waiting_for_all = 0;
  /// The consumer because of which nobody gets entries; empty: none.
  std::string_view blocked_by;
  /// The ID after which this member waits for new entries; empty: it does not.
  std::string_view after;
  /// The ID after which the member waits for a wake-up.
  std::string_view wake;
  /// The partitions of the member, and those of them that it shall give up.
  partition_set own;
  partition_set leaving;
  std::vector<event_id> trimmed;
  std::vector<pending_entry> facts;
  /// Of those entries of the facts that failed at another member.
  pauses_by_id pauses;
  /// The block has no bytes yet.
  event_page page;
};

/// @param stream The name of the stream.
outcome<share_reply> read_share_reply(const reply& from, std::string stream);

/// What stay_script() answers about a stream.
enum class stay_answer : char {
  /// The member must call share_script().
  changed = '0',
  /// Nothing changed: the member shares the stream, or waits until it may read
  /// it.
  shares = '1',
  /// Nothing changed: the member may read the stream without the script.
  sole = '2',
};

/// @param streams How many streams the call was about.
outcome<std::vector<stay_answer>> read_stay_reply(const reply& from,
                                                  size_t streams);

/// A stream of a reply to XREAD that has an entry: what the entry is does not
/// matter, except the field of an entry that wakes members.
struct wake_up {
  std::string_view key;
  std::string_view id;
  /// The names of the members that it wakes, separated by spaces.
  std::string_view names;
};

/// Reads the reply to XREAD, which points into `from`; empty if it is nil.
outcome<std::vector<wake_up>> read_wake_ups(const reply& from);

} // namespace pulse::resp
