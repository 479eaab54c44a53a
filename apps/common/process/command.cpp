#include "common/process/command.hpp"

#include "common/process/spawn.hpp"
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <set>
#include <shared_mutex>

namespace pulse::apps {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// The process groups that run now.
class running_groups {
public:
  static running_groups& instance() {
    // Never destroyed: threads may still use it while the process ends.
    static auto* result = new running_groups;
    return *result;
  }

  /// Starts a process with `spawn`, which gives its ID, and adds its group.
  /// @returns what `spawn` returns; ECANCELED after kill_all().
  template <class F>
  int start(F spawn, pid_t& pid) {
    // kill_all() waits until a process that is being started is known.
    std::shared_lock<std::shared_mutex> starting{gate_};
    if (killed_)
      return ECANCELED;
    const int error = spawn(pid);
    if (error == 0) {
      std::lock_guard<std::mutex> guard{mutex_};
      groups_.insert(pid);
    }
    return error;
  }

  void remove(pid_t group) {
    std::lock_guard<std::mutex> guard{mutex_};
    groups_.erase(group);
  }

  void kill_all() {
    std::unique_lock<std::shared_mutex> starting{gate_};
    killed_ = true;
    std::lock_guard<std::mutex> guard{mutex_};
    for (const auto group : groups_)
      kill(-group, SIGKILL);
  }

private:
  std::shared_mutex gate_;
  bool killed_ = false;
  std::mutex mutex_;
  std::set<pid_t> groups_;
};

/// A child process with a pipe to its standard input.
class child {
public:
  /// @returns 0 or errno.
  int start(const command_call& call) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return errno;
    unique_fd read_end{ends[0]};
    input_ = unique_fd{ends[1]};
    fcntl(input_.get(), F_SETFL, O_NONBLOCK);
    const inheritance from_us{read_end.get(),
                              call.output_to_stderr ? STDERR_FILENO : -1, -1};
    auto spawn = [&](pid_t& pid) {
      return spawn_program(call.argv, call.environment, from_us, pid);
    };
    const int error = running_groups::instance().start(spawn, pid_);
    if (error != 0)
      return error;
    exit_ = unique_fd{static_cast<int>(syscall(SYS_pidfd_open, pid_, 0))};
    return 0;
  }

  /// Writes what the pipe takes of `rest`; closes it after the last byte, or
  /// when nobody reads it any more.
  void feed(std::string_view& rest) {
    while (!rest.empty()) {
      const auto n = ::write(input_.get(), rest.data(), rest.size());
      if (n > 0) {
        rest.remove_prefix(static_cast<size_t>(n));
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != EINTR) {
        break;
      }
    }
    input_.reset();
  }

  /// @returns whether it has ended; then its wait status is in `status`.
  bool ended(int& status) const {
    // Reaped only now: until then its ID stays reserved.
    if (!has_ended(pid_))
      return false;
    status = reap();
    return true;
  }

  void kill_group() const {
    kill(-pid_, SIGKILL);
    reap();
  }

  [[nodiscard]] int input() const {
    return input_.get();
  }

  [[nodiscard]] int exit() const {
    return exit_.get();
  }

private:
  int reap() const {
    running_groups::instance().remove(pid_);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR)
      ; // nop
    return status;
  }

  pid_t pid_ = 0;
  unique_fd input_;
  unique_fd exit_;
};

command_end from_status(int status) {
  if (WIFSIGNALED(status))
    return {command_end::kind::signaled, WTERMSIG(status)};
  return {command_end::kind::exited, WEXITSTATUS(status)};
}

} // namespace

command_end run(const command_call& call) {
  child process;
  const int error = process.start(call);
  if (error == ECANCELED)
    return {command_end::kind::stopped, 0};
  if (error != 0)
    return {command_end::kind::not_started, error};
  auto rest = call.input;
  process.feed(rest);
  const auto deadline = clock::now() + call.timeout;
  for (;;) {
    int status = 0;
    if (process.ended(status))
      return from_status(status);
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now());
    if (left.count() <= 0) {
      process.kill_group();
      return {command_end::kind::timed_out, 0};
    }
    // Without pidfds (an old kernel) we look every 10 ms.
    const auto pause = process.exit() >= 0 ? left
                                           : std::min(left, milliseconds{10});
    pollfd fds[] = {{process.exit(), POLLIN, 0},
                    {process.input(), POLLOUT, 0},
                    {call.stop != nullptr ? call.stop->fd() : -1, POLLIN, 0}};
    ::poll(fds, 3, static_cast<int>(std::min<int64_t>(pause.count(), 60'000)));
    if ((fds[2].revents & POLLIN) != 0) {
      process.kill_group();
      return {command_end::kind::stopped, 0};
    }
    if (process.input() >= 0 && fds[1].revents != 0)
      process.feed(rest);
  }
}

void kill_running_commands() {
  running_groups::instance().kill_all();
}

std::string to_string(const command_end& x) {
  switch (x.how) {
    case command_end::kind::exited:
      return "exited with status " + std::to_string(x.code);
    case command_end::kind::signaled:
      return "was ended by signal " + std::to_string(x.code) + " ("
             + strsignal(x.code) + ")";
    case command_end::kind::timed_out:
      return "took too long and was killed";
    case command_end::kind::stopped:
      return "was killed because the node shuts down";
    case command_end::kind::not_started:
      break;
  }
  return std::string{"could not be started: "} + strerror(x.code);
}

} // namespace pulse::apps
