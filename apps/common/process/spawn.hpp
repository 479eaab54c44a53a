#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pulse::apps {

/// Which of our descriptors a new process gets as its standard ones; -1: the
/// one that we have.
struct standard_files {
  int input = -1;
  int output = -1;
  int errors = -1;
};

/// Starts a program (searched in PATH) in a process group of its own, with our
/// environment plus `environment`, which wins, and default signals.
/// @returns 0 or errno.
int spawn_program(const std::vector<std::string>& argv,
                  const std::vector<std::string>& environment,
                  const standard_files& files, pid_t& pid);

/// @returns whether the child has ended; it stays there for waitpid().
bool has_ended(pid_t pid);

} // namespace pulse::apps
