#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pulse::apps {

/// What a new process gets from this one.
struct inheritance {
  /// The descriptors that become its standard ones; -1: the one that we have.
  int input = -1;
  int output = -1;
  int errors = -1;
  /// Signal that the process gets when the thread that started it ends, however
  /// that happens; 0: none.
  int parent_death_signal = 0;
};

/// Starts a program (searched in PATH) in a process group of its own, with our
/// environment plus `environment`, which wins, and default signals.
/// @returns 0 or errno.
int spawn_program(const std::vector<std::string>& argv,
                  const std::vector<std::string>& environment,
                  const inheritance& from_us, pid_t& pid);

/// @returns whether the child has ended; it stays there for waitpid().
bool has_ended(pid_t pid);

} // namespace pulse::apps
