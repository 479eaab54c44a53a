#include "chaos/runner/node_process.hpp"

#include "chaos/node/protocol.hpp"
#include "common/process/spawn.hpp"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace pulse::chaos {

node_process::node_process(node_process&& other) noexcept
  : pid_(std::exchange(other.pid_, 0)),
    started_(other.started_),
    words_(std::move(other.words_)),
    heard_(std::move(other.heard_)) {
  // nop
}

node_process::~node_process() {
  kill();
}

int node_process::start(const std::vector<std::string>& argv,
                        const std::string& log) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return errno;
  words_ = apps::unique_fd{ends[0]};
  const apps::unique_fd output{ends[1]};
  const apps::unique_fd errors{
    ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  const apps::unique_fd input{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  heard_.clear();
  started_ = clock::now();
  const int error = apps::spawn_program(
    argv, {}, {input.get(), output.get(), errors.get(), SIGKILL}, pid_);
  if (error != 0)
    pid_ = 0;
  return error;
}

bool node_process::is_ready() {
  listen();
  return heard_.find(ready_line) != std::string::npos;
}

bool node_process::is_open() {
  listen();
  return heard_.find(open_line) != std::string::npos;
}

void node_process::listen() {
  std::array<char, 64> chunk{};
  ssize_t n = 0;
  while (words_ && (n = ::read(words_.get(), chunk.data(), chunk.size())) > 0)
    heard_.append(chunk.data(), static_cast<size_t>(n));
}

void node_process::signal(int number) const {
  if (pid_ != 0)
    ::kill(pid_, number);
}

void node_process::kill() {
  if (pid_ == 0)
    return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::optional<int> node_process::take_end() {
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, WNOHANG) != pid_)
    return std::nullopt;
  pid_ = 0;
  return status;
}

} // namespace pulse::chaos
