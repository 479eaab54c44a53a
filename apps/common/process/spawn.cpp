#include "common/process/spawn.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string_view>

extern char** environ;

namespace pulse::apps {

namespace {

/// "NAME" of "NAME=value".
std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<char*> merged_environment(const std::vector<std::string>& added) {
  std::vector<char*> result;
  for (auto** i = environ; *i != nullptr; ++i) {
    auto same = [&](const auto& x) { return name_of(x) == name_of(*i); };
    if (std::none_of(added.begin(), added.end(), same))
      result.push_back(*i);
  }
  for (const auto& x : added)
    result.push_back(const_cast<char*>(x.c_str()));
  result.push_back(nullptr);
  return result;
}

void init(posix_spawnattr_t& x) {
  posix_spawnattr_init(&x);
  posix_spawnattr_setflags(&x, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF
                                 | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&x, 0);
  sigset_t set;
  sigfillset(&set);
  posix_spawnattr_setsigdefault(&x, &set);
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&x, &set);
}

} // namespace

int spawn_program(const std::vector<std::string>& argv,
                  const std::vector<std::string>& environment,
                  const standard_files& files, pid_t& pid) {
  std::vector<char*> arguments;
  for (const auto& x : argv)
    arguments.push_back(const_cast<char*>(x.c_str()));
  arguments.push_back(nullptr);
  auto merged = merged_environment(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (files.input >= 0)
    posix_spawn_file_actions_adddup2(&actions, files.input, STDIN_FILENO);
  if (files.output >= 0)
    posix_spawn_file_actions_adddup2(&actions, files.output, STDOUT_FILENO);
  if (files.errors >= 0)
    posix_spawn_file_actions_adddup2(&actions, files.errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  init(attributes);
  const int error = posix_spawnp(&pid, arguments[0], &actions, &attributes,
                                 arguments.data(), merged.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info,
                WEXITED | WNOWAIT | WNOHANG)
           == 0
         && info.si_pid == pid;
}

} // namespace pulse::apps
