#include "common/process/child_process.hpp"

#include "common/process/spawn.hpp"
#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

namespace pulse::apps {

namespace {

struct pipe_ends {
  unique_fd read;
  unique_fd write;

  pipe_ends() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) == 0) {
      read = unique_fd{fds[0]};
      write = unique_fd{fds[1]};
    }
  }
};

} // namespace

outcome<child_process>
child_process::start(const std::vector<std::string>& argv,
                     const std::vector<std::string>& env) {
  pipe_ends input;
  pipe_ends output;
  pipe_ends errors;
  child_process result;
  int error = errors.read ? 0 : errno;
  if (error == 0)
    error = spawn_program(argv, env,
                          {input.read.get(), output.write.get(),
                           errors.write.get(), SIGKILL},
                          result.pid_);
  if (error != 0)
    return failure{errc::handler_failed,
                   "cannot start \"" + argv[0] + "\": " + strerror(error)};
  result.input_ = std::move(input.write);
  result.output_ = std::move(output.read);
  result.errors_ = std::move(errors.read);
  return result;
}

child_process::child_process(child_process&& other) noexcept
  : pid_(std::exchange(other.pid_, 0)),
    status_(other.status_),
    input_(std::move(other.input_)),
    output_(std::move(other.output_)),
    errors_(std::move(other.errors_)) {
  // nop
}

child_process& child_process::operator=(child_process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  input_ = std::move(other.input_);
  output_ = std::move(other.output_);
  errors_ = std::move(other.errors_);
  return *this;
}

child_process::~child_process() {
  if (pid_ != 0 && status_ < 0) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void child_process::signal(int number) const {
  if (pid_ != 0 && status_ < 0)
    kill(pid_, number);
}

int child_process::wait(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (status_ < 0) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                    : WEXITSTATUS(status);
    } else if (std::chrono::steady_clock::now() >= deadline) {
      break;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }
  return status_;
}

std::string sibling_program(const std::string& name) {
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path() / name).string();
}

} // namespace pulse::apps
