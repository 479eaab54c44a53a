#define CAF_SUITE core.log

#include "pulse/core/log.hpp"

#include <mutex>
#include <thread>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

struct fixture {
  std::mutex mutex;
  std::vector<std::string> lines;

  fixture() {
    set_log_function([this](log_level level, std::string_view line) {
      std::lock_guard<std::mutex> guard{mutex};
      lines.push_back(to_string(level) + " " + std::string{line});
    });
  }

  ~fixture() {
    set_log_function(nullptr);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(log_tests, fixture)

CAF_TEST(a line is handed over with level and component) {
  log(log_level::warning, "pulse.sink billing", "lost a lease");
  log(log_level::debug, "pulse.root", "");
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK_EQUAL(lines[0], "warning pulse.sink billing: lost a lease");
  CAF_CHECK_EQUAL(lines[1], "debug pulse.root: ");
}

CAF_TEST(an empty function switches logging off) {
  set_log_function(nullptr);
  log(log_level::error, "pulse.sink", "line");
  CAF_CHECK(lines.empty());
}

CAF_TEST(a log function may replace itself) {
  set_log_function([this](log_level, std::string_view line) {
    set_log_function(nullptr);
    lines.emplace_back(line);
  });
  log(log_level::error, "one", "line");
  log(log_level::error, "two", "line");
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK_EQUAL(lines[0], "one: line");
}

CAF_TEST(many threads may log at once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int j = 0; j < 100; ++j)
        log(log_level::info, "thread", "line");
    });
  for (auto& x : threads)
    x.join();
  CAF_CHECK_EQUAL(lines.size(), 400u);
}

CAF_TEST(levels have names) {
  CAF_CHECK_EQUAL(to_string(log_level::debug), "debug");
  CAF_CHECK_EQUAL(to_string(log_level::info), "info");
  CAF_CHECK_EQUAL(to_string(log_level::warning), "warning");
  CAF_CHECK_EQUAL(to_string(log_level::error), "error");
}

CAF_TEST_FIXTURE_SCOPE_END()
