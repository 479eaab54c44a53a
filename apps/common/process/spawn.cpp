#include "common/process/spawn.hpp"

#include "common/process/unique_fd.hpp"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
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

/// What a child needs between fork() and exec(). It must not allocate, because
/// another thread of ours may have held the lock of the heap.
struct child_start {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  inheritance from_us;
  pid_t parent = 0;
  /// Where the child writes errno if the program cannot start.
  int report = -1;
};

void become(int descriptor, int standard) {
  if (descriptor == standard)
    fcntl(standard, F_SETFD, 0); // it was closed on exec
  else if (descriptor >= 0)
    dup2(descriptor, standard);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int i = 1; i < NSIG; ++i)
    sigaction(i, &standard, nullptr); // fails for those that have to stay
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(const child_start& x) {
  setpgid(0, 0);
  if (x.from_us.parent_death_signal != 0) {
    prctl(PR_SET_PDEATHSIG, x.from_us.parent_death_signal);
    // A parent that ended before this call sends nothing.
    if (getppid() != x.parent)
      _exit(EXIT_FAILURE);
  }
  become(x.from_us.input, STDIN_FILENO);
  become(x.from_us.output, STDOUT_FILENO);
  become(x.from_us.errors, STDERR_FILENO);
  reset_signals();
  execvpe(x.arguments[0], x.arguments.data(), x.environment.data());
  const int error = errno;
  [[maybe_unused]] auto written = ::write(x.report, &error, sizeof(error));
  _exit(EXIT_FAILURE);
}

/// Forks while all signals are blocked: our handlers must not run in the child.
pid_t fork_quietly(const child_start& x) {
  sigset_t all;
  sigset_t ours;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &ours);
  const pid_t result = fork();
  if (result == 0)
    run_child(x);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &ours, nullptr);
  errno = error;
  return result;
}

/// @returns what the child reports; 0 if exec() closed the pipe.
int await_start(int report) {
  int error = 0;
  while (::read(report, &error, sizeof(error)) < 0 && errno == EINTR)
    ; // again
  return error;
}

} // namespace

// posix_spawn() cannot set the parent death signal.
int spawn_program(const std::vector<std::string>& argv,
                  const std::vector<std::string>& environment,
                  const inheritance& from_us, pid_t& pid) {
  child_start start;
  for (const auto& x : argv)
    start.arguments.push_back(const_cast<char*>(x.c_str()));
  start.arguments.push_back(nullptr);
  start.environment = merged_environment(environment);
  start.from_us = from_us;
  start.parent = getpid();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return errno;
  const unique_fd report{ends[0]};
  unique_fd reporter{ends[1]};
  start.report = reporter.get();
  const pid_t child = fork_quietly(start);
  if (child < 0)
    return errno;
  reporter.reset();
  const int error = await_start(report.get());
  if (error != 0)
    waitpid(child, nullptr, 0);
  else
    pid = child;
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
