#pragma once

#include "common/process/child_process.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <caf/test/unit_test.hpp>

// Runs the programs of the build tree and looks at what they print.

namespace pulse::test {

using namespace std::chrono_literals;

/// How long a test waits for anything that should come at once.
inline constexpr auto patience = std::chrono::seconds{30};

/// Whether there is such a process, and not only what is left of it until its
/// parent has noticed its end.
inline bool is_running(int pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string number, name, state;
  return (in >> number >> name >> state) && state != "Z";
}

/// Waits until the process has ended.
inline bool stops_running(int pid) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (is_running(pid)) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

/// Collects what comes from a pipe, on a thread of its own.
class pipe_reader {
public:
  explicit pipe_reader(int fd) : thread_([this, fd] { run(fd); }) {
    // nop
  }

  ~pipe_reader() {
    thread_.join();
  }

  std::string text() const {
    std::lock_guard<std::mutex> guard{mutex_};
    return text_;
  }

  /// Waits until the text contains `part` at least `count` times.
  bool wait_for(const std::string& part, size_t count = 1) const {
    std::unique_lock<std::mutex> guard{mutex_};
    return changed_.wait_for(guard, patience,
                             [&] { return occurrences(part) >= count; });
  }

  /// Waits for the end of the pipe.
  bool wait_for_end() const {
    std::unique_lock<std::mutex> guard{mutex_};
    return changed_.wait_for(guard, patience, [&] { return ended_; });
  }

private:
  size_t occurrences(const std::string& part) const {
    size_t result = 0;
    for (auto i = text_.find(part); i != std::string::npos;
         i = text_.find(part, i + part.size()))
      ++result;
    return result;
  }

  void run(int fd) {
    char buffer[4096];
    for (;;) {
      const auto n = ::read(fd, buffer, sizeof(buffer));
      std::lock_guard<std::mutex> guard{mutex_};
      if (n > 0)
        text_.append(buffer, static_cast<size_t>(n));
      else
        ended_ = true;
      changed_.notify_all();
      if (n <= 0)
        return;
    }
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string text_;
  bool ended_ = false;
  std::thread thread_;
};

/// A program of the build tree that runs beside the test; killed with this.
class program {
public:
  program(const std::string& name, std::vector<std::string> arguments,
          const std::vector<std::string>& environment = {})
    : process_(start(name, std::move(arguments), environment)),
      output_(process_.output()),
      errors_(process_.errors()) {
    // nop
  }

  ~program() {
    // The pipes end with the process, and the readers with the pipes.
    process_.signal(SIGKILL);
  }

  void write(std::string_view text) {
    if (::write(process_.input(), text.data(), text.size())
        != static_cast<ssize_t>(text.size()))
      CAF_FAIL("the program does not read its input");
  }

  void close_input() {
    process_.close_input();
  }

  void signal(int number) {
    process_.signal(number);
  }

  /// Waits for its end. @returns its exit status.
  int wait() {
    const int status = process_.wait(patience);
    if (status < 0)
      CAF_FAIL("the program does not end: " << errors());
    output_.wait_for_end();
    errors_.wait_for_end();
    return status;
  }

  bool prints(const std::string& part, size_t count = 1) const {
    return output_.wait_for(part, count);
  }

  bool logs(const std::string& part, size_t count = 1) const {
    return errors_.wait_for(part, count);
  }

  std::string output() const {
    return output_.text();
  }

  std::string errors() const {
    return errors_.text();
  }

private:
  static apps::child_process start(const std::string& name,
                                   std::vector<std::string> arguments,
                                   const std::vector<std::string>& env) {
    arguments.insert(arguments.begin(), apps::sibling_program(name));
    auto result = apps::child_process::start(arguments, env);
    if (!result)
      CAF_FAIL(result.error().what);
    return std::move(*result);
  }

  apps::child_process process_;
  pipe_reader output_;
  pipe_reader errors_;
};

/// How a program ended that was run to its end.
struct finished {
  int status = 0;
  std::string output;
  std::string errors;
};

inline finished run_program(const std::string& name,
                            std::vector<std::string> arguments,
                            const std::vector<std::string>& environment = {},
                            std::string_view input = {}) {
  program x{name, std::move(arguments), environment};
  if (!input.empty())
    x.write(input);
  x.close_input();
  const int status = x.wait();
  return {status, x.output(), x.errors()};
}

/// The lines of a text, without their newlines.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos;
       end = text.find('\n', begin)) {
    result.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace pulse::test
