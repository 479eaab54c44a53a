// A chaos run: starts a Redis, a proxy and the nodes, causes faults for a
// while, lets the nodes recover, and judges the run. The exit status is 0 if
// all guarantees held (with --expect: if that rule was violated), 1 if not, and
// 2 if the run was not possible.

#include "chaos/checker/checker.hpp"
#include "chaos/checker/loader.hpp"
#include "chaos/runner/run.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace pulse::chaos;

// Redis writes to memory (/dev/shm), so that other users of the disk do not
// slow it down. That is safe, because only processes die here and not the
// machine. TMPDIR overrides this choice.
void choose_scratch() {
  constexpr uintmax_t enough = 2ull << 30;
  std::error_code error;
  const auto space = std::filesystem::space("/dev/shm", error);
  if (std::getenv("TMPDIR") == nullptr)
    ::setenv("TMPDIR", !error && space.available > enough ? "/dev/shm" : "/tmp",
             1);
}

std::string make_directory(const run_options& how) {
  if (!how.directory.empty()) {
    std::filesystem::create_directories(how.directory);
    return how.directory;
  }
  auto result = std::getenv("TMPDIR") + std::string{"/pulse-chaos-XXXXXX"};
  return ::mkdtemp(result.data()) != nullptr ? result : std::string{};
}

void announce(const run_options& how, const std::string& directory) {
  std::printf("chaos: seed %llu, %.0f s, %llu events a second, appendfsync %s, "
              "lease %lld ms, ack_wait %lld ms; journals in %s\n",
              static_cast<unsigned long long>(how.seed),
              static_cast<double>(how.duration_ms) / 1e3,
              static_cast<unsigned long long>(how.rate),
              how.fsync_always ? "always" : "everysec",
              static_cast<long long>(how.lease_ms),
              static_cast<long long>(how.ack_wait_ms), directory.c_str());
}

// Nodes with a planted fault must violate the expected rule. A run that did not
// end properly does not count, because it violates many rules anyway.
bool as_expected(const verdict& found, const std::string& rule) {
  if (rule.empty())
    return found.good();
  const bool seen = found.violations.count(rule) > 0
                    && found.violations.count("bad end") == 0;
  std::printf("%s: \"%s\" was expected to be violated, in a run that ends\n",
              seen ? "As expected" : "NOT as expected", rule.c_str());
  return seen;
}

} // namespace

int main(int argc, char** argv) {
  run_options how;
  if (const int status = parse(argc, argv, how); status >= 0)
    return status;
  choose_scratch();
  const auto directory = make_directory(how);
  if (directory.empty()) {
    std::perror("cannot make a directory for the journals");
    return 2;
  }
  announce(how, directory);
  if (!run(how, directory)) {
    std::printf("the run broke off; journals in %s\n", directory.c_str());
    return 2;
  }
  const auto history = load(directory);
  if (!history) {
    std::printf("%s\n", history.error().what.c_str());
    return 2;
  }
  const auto found = judge(*history);
  std::printf("\n%s", to_string(found).c_str());
  const bool ok = as_expected(found, how.expect);
  if (ok && !how.keep && how.directory.empty())
    std::filesystem::remove_all(directory);
  else
    std::printf("journals: %s  seed: %llu\n", directory.c_str(),
                static_cast<unsigned long long>(how.seed));
  return ok ? 0 : 1;
}
