#define CAF_SUITE apps.demo.run

#include "support/program.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

using namespace pulse::test;

namespace {

const std::string config = PULSE_SOURCE_DIR "/config/demo.toml";

/// The processes that a demo said it started: "(pid 123)".
std::vector<std::string> pids_in(const std::string& text) {
  std::vector<std::string> result;
  constexpr std::string_view mark = "(pid ";
  for (auto i = text.find(mark); i != std::string::npos;
       i = text.find(mark, i + 1))
    result.push_back(
      text.substr(i + mark.size(), text.find(')', i) - i - mark.size()));
  return result;
}

struct fixture {
  char name[32] = "/tmp/pulse-demo-test-XXXXXX";

  fixture() {
    pulse::apps::unique_fd{mkstemp(name)};
  }

  ~fixture() {
    std::remove(name);
  }

  void fill(size_t lines) {
    std::ofstream out{name};
    for (size_t i = 0; i < lines; ++i)
      out << "2026-11-23 06:19:" << 10 + i % 50 << " "
          << (i % 3 == 0 ? "install" : "status") << " package-" << i << '\n';
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(demo_tests, fixture)

CAF_TEST(nothing is lost when a node is killed) {
  fill(3000);
  const auto result = run_program("pulse-demo", {"--config", config, name});
  CAF_MESSAGE(result.output);
  CAF_CHECK_EQUAL(result.status, 0);
  CAF_CHECK_EQUAL(result.errors, "");
  CAF_CHECK(contains(result.output, "events added                   3000\n"));
  CAF_CHECK(contains(result.output, "acknowledged                   3000\n"));
  CAF_CHECK(contains(result.output, "lost                              0\n"));
  CAF_CHECK(contains(result.output, "pending                           0\n"));
  CAF_CHECK(contains(result.output, "status 2000, install 1000\n"));
}

CAF_TEST(a file of three lines is enough) {
  fill(3);
  const auto result = run_program("pulse-demo", {"--config", config, name});
  CAF_CHECK_EQUAL(result.status, 0);
  // So few lines may all come to the other node, if the machine is busy.
  CAF_CHECK(contains(result.output, "because of the crash")
            || contains(result.output, "held none when it was killed"));
}

CAF_TEST(unusable files are named) {
  for (const auto* path :
       {static_cast<const char*>(name), "/nowhere/file", "/tmp"}) {
    const auto result = run_program("pulse-demo", {"--config", config, path});
    CAF_CHECK_EQUAL(result.status, 2);
    CAF_CHECK(contains(result.errors, std::string{"cannot use \""} + path));
    CAF_CHECK(contains(result.errors, "scripts/demo FILE"));
  }
}

CAF_TEST(a signal ends it and leaves nothing behind) {
  fill(3000);
  program demo{"pulse-demo", {"--config", config, name}};
  CAF_CHECK(demo.prints("both nodes take events"));
  demo.signal(SIGINT);
  CAF_CHECK_EQUAL(demo.wait(), 130);
  const auto pids = pids_in(demo.output());
  CAF_CHECK_EQUAL(pids.size(), 3u);
  for (const auto& x : pids)
    CAF_CHECK(!std::filesystem::exists("/proc/" + x));
}

CAF_TEST_FIXTURE_SCOPE_END()
