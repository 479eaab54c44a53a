#pragma once

#include "pulse/testing/local_redis.hpp"

#include "support/program.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace pulse::test {

/// A private Redis for the programs of a test, and a directory that goes with
/// it.
class app_fixture {
public:
  app_fixture() : server_(start()) {
    char name[] = "/tmp/pulse-apps-test-XXXXXX";
    directory_ = mkdtemp(name);
    ::signal(SIGPIPE, SIG_IGN);
  }

  ~app_fixture() {
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::vector<std::string> environment() const {
    return {"PULSE_REDIS_URL=" + server_.url()};
  }

  local_redis& redis() {
    return server_;
  }

  /// Path of a file in the directory.
  [[nodiscard]] std::string path(const std::string& name) const {
    return directory_ + "/" + name;
  }

  /// Writes a file into the directory. @returns its path.
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream{path(name), std::ios::binary} << content;
    return path(name);
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream in{path(name), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// Runs the command line tool to its end.
  [[nodiscard]] finished pulse(std::vector<std::string> arguments,
                               std::string_view input = {}) const {
    return run_program("pulse", std::move(arguments), environment(), input);
  }

  /// Adds events named "e" with these payloads. @returns their IDs.
  [[nodiscard]] std::vector<std::string>
  add(const std::string& stream,
      const std::vector<std::string>& payloads) const {
    std::string input;
    for (const auto& x : payloads)
      input += x + "\n";
    const auto result = pulse({"add", stream, "e", "--stdin"}, input);
    if (result.status != 0)
      CAF_FAIL(result.errors);
    return lines_of(result.output);
  }

  /// Waits until `pulse info --json` shows a text.
  [[nodiscard]] bool info_shows(const std::string& stream,
                                const std::string& part) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline)
      if (contains(pulse({"info", stream, "--json"}).output, part))
        return true;
    return false;
  }

private:
  static local_redis start() {
    auto result = local_redis::start();
    if (!result)
      CAF_FAIL(result.error().what);
    return std::move(*result);
  }

  local_redis server_;
  std::string directory_;
};

} // namespace pulse::test
