#pragma once

#include "common/process/spawn.hpp"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// A child process. This class collects its lines on stdout; the destructor
/// kills and reaps the process.
class worker_process {
public:
  explicit worker_process(const std::vector<std::string>& command) {
    int out[2];
    CAF_REQUIRE_EQUAL(::pipe2(out, O_CLOEXEC), 0);
    apps::inheritance from_us;
    from_us.output = out[1];
    from_us.parent_death_signal = SIGKILL;
    const auto code = apps::spawn_program(command, {}, from_us, pid_);
    ::close(out[1]);
    CAF_REQUIRE_EQUAL(code, 0);
    reader_ = std::thread{[this, fd = out[0]] { read_lines(fd); }};
  }

  ~worker_process() {
    if (pid_ != 0)
      send(SIGKILL);
    reap();
  }

  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  void send(int signal) const {
    ::kill(pid_, signal);
  }

  /// Waits for the end of the process and of its output. @returns the status
  /// from waitpid().
  int reap() {
    int result = 0;
    if (pid_ != 0)
      ::waitpid(std::exchange(pid_, 0), &result, 0);
    if (reader_.joinable())
      reader_.join();
    return result;
  }

  /// Waits until the process has written `n` lines.
  bool wait_for_lines(size_t n, std::chrono::milliseconds limit
                                = std::chrono::seconds{20}) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, limit, [&] { return lines_.size() >= n; });
  }

  std::vector<std::string> lines() {
    std::unique_lock guard{mutex_};
    return lines_;
  }

  /// @returns the rest of each line that starts with `word`.
  std::vector<std::string> lines_of(const std::string& word) {
    std::vector<std::string> result;
    for (const auto& x : lines())
      if (x.compare(0, word.size() + 1, word + " ") == 0)
        result.push_back(x.substr(word.size() + 1));
    return result;
  }

private:
  void read_lines(int fd) {
    auto* file = ::fdopen(fd, "r");
    char* buf = nullptr;
    size_t size = 0;
    for (ssize_t n; (n = ::getline(&buf, &size, file)) > 0;) {
      std::unique_lock guard{mutex_};
      if (buf[n - 1] == '\n') // else the process was killed within a line
        lines_.emplace_back(buf, static_cast<size_t>(n - 1));
      changed_.notify_all();
    }
    ::free(buf);
    ::fclose(file);
  }

  pid_t pid_ = 0;
  std::thread reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

} // namespace pulse::test
