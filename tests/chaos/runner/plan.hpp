#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::chaos {

enum class fault_kind : uint8_t {
  /// SIGKILL; a new process takes its place.
  kill,
  /// SIGSTOP, SIGCONT later: shorter or longer than the lease.
  stop,
  /// A sink is closed and opened again.
  close,
  link_delay,
  /// Connections are reset.
  link_cut,
  /// Black hole. What was in it arrives afterwards, or is reset.
  link_hole,
  /// Replies are lost: what was asked for happens, unknown to who asked.
  link_deaf,
  /// A reply ends in the middle.
  link_half_reply,
  /// The packets of the connections that are open get lost for longer than
  /// any deadline, then arrive after all; new connections are fine meanwhile.
  link_freeze,
  link_throttle,
  link_bytewise,
  /// kill -9 and restart on the same append-only file.
  redis_kill,
  /// SIGSTOP: it accepts connections and answers nobody.
  redis_stop,
  /// CLIENT KILL of all connections.
  client_kill,
  script_flush,
  /// The wall clock of Redis steps by some seconds, and back later.
  clock_step,
  /// Redis is down for many times any backoff.
  outage,
};

std::string to_string(fault_kind x);

/// @returns all kinds that are planned at random: all but `outage`.
std::vector<fault_kind> random_faults();

/// Reads a comma separated list of names. @returns false if one is unknown.
bool from_string(std::string_view names, std::vector<fault_kind>& out);

/// Whether it hits Redis and so everybody.
bool is_global(fault_kind x) noexcept;

/// A place for a process.
struct slot_facts {
  bool sink = false;
  /// Its memory is watched and it must see everything: it is never killed.
  bool veteran = false;
};

struct planned_fault {
  int64_t at_ms = 0;
  int64_t length_ms = 0;
  fault_kind what = fault_kind::kill;
  /// Index of the slot; 0 if global.
  size_t slot = 0;
  /// For `link_hole`: whether what was in it arrives afterwards; for
  /// `clock_step`: whether it goes backwards first.
  bool variant = false;
};

struct plan_options {
  uint64_t seed = 0;
  int64_t duration_ms = 0;
  int64_t lease_ms = 1'000;
  /// Between the begins of two faults.
  int64_t shortest_pause_ms = 300;
  int64_t longest_pause_ms = 1'500;
  /// Length of the one `outage` that long runs get; 0: none.
  int64_t outage_ms = 0;
  std::vector<fault_kind> kinds;
  std::vector<slot_facts> slots;
};

/// Draws faults until the time is over, in the order of time. Each kind comes
/// as often as the others; nothing is hit twice at a time, but several at
/// once. The same options make the same plan.
std::vector<planned_fault> make_plan(const plan_options& x);

} // namespace pulse::chaos
