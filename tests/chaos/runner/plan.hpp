#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::chaos {

enum class fault_kind : uint8_t {
  /// A process gets SIGKILL; a new process takes its place.
  kill,
  /// A process is stopped, for a shorter or longer time than the lease.
  stop,
  /// All threads of a process that handle actors are blocked for some time.
  starve,
  /// A sink is closed and opened again.
  close,
  link_delay,
  /// Connections are reset.
  link_cut,
  /// Nothing passes. Afterwards the bytes arrive, or the connections are reset.
  link_hole,
  /// Replies are lost: Redis executes commands, and the client does not know.
  link_deaf,
  /// A reply ends in the middle.
  link_half_reply,
  /// The packets of the open connections are lost for longer than any deadline,
  /// and arrive afterwards. New connections work meanwhile.
  link_freeze,
  link_throttle,
  link_bytewise,
  /// Redis gets SIGKILL, and restarts with the same append-only file.
  redis_kill,
  /// Redis is stopped: the kernel accepts connections, but no command is
  /// answered.
  redis_stop,
  /// CLIENT KILL of all connections.
  client_kill,
  script_flush,
  /// The wall clock of Redis steps by some seconds, and steps back later.
  clock_step,
  /// Redis is down for much longer than any backoff.
  outage,
  /// FLUSHALL: somebody deletes all that Redis has.
  flush,
  /// DEL: somebody deletes the stream.
  del,
  /// XGROUP DESTROY: somebody deletes a group, but not its stream.
  group_destroy,
  /// Somebody takes the right to the key of the stream away for some time.
  deny,
  /// XGROUP SETID: somebody moves a group forwards, over some of the events
  /// that
  /// the group was not given yet.
  group_setid,
  /// XGROUP DELCONSUMER: somebody deletes the consumer of a live sink, and the
  /// list of the events that it holds.
  consumer_delete,
};

std::string to_string(fault_kind x);

/// @returns the kinds that are planned at random: all except `outage`, and
/// those by which somebody deletes events.
std::vector<fault_kind> random_faults();

/// Reads a comma separated list of names. @returns false if one is unknown.
bool from_string(std::string_view names, std::vector<fault_kind>& out);

/// @returns whether a fault hits Redis, and so all processes.
bool is_global(fault_kind x) noexcept;

/// The properties of a slot.
struct slot_facts {
  bool sink = false;
  /// Whether the process is never killed, because its memory is measured and it
  /// must see all events.
  bool veteran = false;
};

struct planned_fault {
  int64_t at_ms = 0;
  int64_t length_ms = 0;
  fault_kind what = fault_kind::kill;
  /// Index of the slot; 0 if the fault is global.
  size_t slot = 0;
  /// For `link_hole`: whether the bytes arrive afterwards. For `clock_step`:
  /// whether the clock first steps backwards.
  bool variant = false;
};

struct plan_options {
  uint64_t seed = 0;
  int64_t duration_ms = 0;
  int64_t lease_ms = 1'000;
  /// The time between the beginnings of two faults.
  int64_t shortest_pause_ms = 300;
  int64_t longest_pause_ms = 1'500;
  /// Length of the one `outage` that long runs get; 0: none.
  int64_t outage_ms = 0;
  std::vector<fault_kind> kinds;
  std::vector<slot_facts> slots;
};

/// Plans faults for the whole duration, sorted by time. All kinds are equally
/// frequent. No process and no link has two faults at the same time, but
/// several may have one. The same options make the same plan.
std::vector<planned_fault> make_plan(const plan_options& x);

} // namespace pulse::chaos
