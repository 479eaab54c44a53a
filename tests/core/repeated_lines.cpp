#define CAF_SUITE core.repeated_lines

#include "pulse/core/repeated_lines.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::literals;

namespace {

struct fixture {
  repeated_lines::time_point now{1h};
  std::vector<std::string> written;
  std::optional<repeated_lines> uut;
  int last = 0;

  fixture() {
    uut.emplace("more of them",
                [this](const std::string& x) { written.push_back(x); });
  }

  void add(int n, std::chrono::milliseconds each = 0ms) {
    for (int i = 0; i < n; ++i) {
      uut->add("line " + std::to_string(++last), now);
      now += each;
    }
  }

  // Passes in steps, as the ticks of an actor do.
  void pass(std::chrono::seconds time) {
    for (const auto end = now + time; now < end; now += 500ms)
      uut->tick(now);
  }

  std::vector<std::string> take() {
    return std::exchange(written, {});
  }
};

using lines = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(repeated_lines_tests, fixture)

CAF_TEST(few lines are written one by one) {
  add(3);
  CAF_CHECK_EQUAL(take(), (lines{"line 1", "line 2", "line 3"}));
  pass(60s);
  CAF_CHECK_EQUAL(take(), lines{});
}

CAF_TEST(many lines become one line per interval) {
  add(8'000, 1ms);
  CAF_CHECK_EQUAL(take().size(), 10u);
  pass(3s);
  CAF_CHECK_EQUAL(take(), (lines{"7990 more of them within 8 s; the last "
                                 "line: line 8000"}));
  // What goes on is gathered from the first line on.
  add(5'000, 1ms);
  CAF_CHECK_EQUAL(take(), lines{});
  pass(11s);
  CAF_CHECK_EQUAL(take().size(), 1u);
}

CAF_TEST(no line is lost if they go on for long) {
  add(100'000, 1ms);
  pass(20s);
  uint64_t sum = 0;
  size_t single = 0;
  for (const auto& x : take())
    if (x.find("line ") == 0)
      ++single;
    else
      sum += std::stoull(x);
  CAF_CHECK_EQUAL(single, 10u);
  CAF_CHECK_EQUAL(sum + single, 100'000u);
}

CAF_TEST(after a quiet interval lines are written one by one again) {
  add(11);
  pass(11s);
  take();
  pass(11s);
  add(2);
  CAF_CHECK_EQUAL(take(), (lines{"line 12", "line 13"}));
}

CAF_TEST(the rest is written at the end) {
  add(12);
  take();
  uut.reset();
  CAF_CHECK_EQUAL(take(), (lines{"2 more of them within 1 s; the last line: "
                                 "line 12"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
