#define CAF_SUITE core.paced_round

#include "pulse/core/paced_round.hpp"

#include <numeric>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;

namespace {

struct fixture {
  paced_round::time_point now{1h};
  paced_round uut{now};
  std::vector<uint32_t> things;

  void have(uint32_t n) {
    things.resize(n);
    std::iota(things.begin(), things.end(), 0);
  }

  std::string after(std::chrono::milliseconds time, size_t most = 100) {
    now += time;
    std::string result;
    for (auto x : uut.due(now, things, 10s, most))
      result += (result.empty() ? "" : " ") + std::to_string(x);
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(paced_round_tests, fixture)

CAF_TEST(one thing is visited once per period) {
  have(1);
  CAF_CHECK_EQUAL(after(9'990ms), "");
  CAF_CHECK_EQUAL(after(10ms), "0");
  CAF_CHECK_EQUAL(after(9'990ms), "");
  CAF_CHECK_EQUAL(after(10ms), "0");
}

CAF_TEST(visits are spread over the period) {
  have(4);
  std::string all;
  for (int i = 0; i < 100; ++i)
    if (const auto x = after(100ms); !x.empty())
      all += "at " + std::to_string(i + 1) + ": " + x + " ";
  CAF_CHECK_EQUAL(all, "at 25: 0 at 50: 1 at 75: 2 at 100: 3 ");
}

CAF_TEST(many things are visited several at a time) {
  have(1'000);
  size_t visits = 0;
  std::vector<size_t> each(1'000);
  for (int i = 0; i < 1'000; ++i) {
    now += 20ms;
    const auto xs = uut.due(now, things, 10s, 100);
    CAF_CHECK(!xs.empty() && xs.size() <= 3);
    visits += xs.size();
    for (auto x : xs)
      ++each[x];
  }
  CAF_CHECK(visits >= 1'999 && visits <= 2'000);
  CAF_CHECK(*std::min_element(each.begin(), each.end()) >= 1);
}

CAF_TEST(after a long pause nothing is visited twice and no more than allowed) {
  have(5);
  CAF_CHECK_EQUAL(after(1h), "0 1 2 3 4");
  CAF_CHECK_EQUAL(after(1h, 2), "0 1");
  CAF_CHECK_EQUAL(after(0ms, 2), "2 3");
  CAF_CHECK_EQUAL(after(0ms, 2), "");
}

CAF_TEST(things may come and go) {
  CAF_CHECK_EQUAL(after(1h), "");
  things = {3, 7};
  CAF_CHECK_EQUAL(after(10s), "3 7");
  things = {1, 2, 7, 9};
  CAF_CHECK_EQUAL(after(5s), "9 1");
  things = {};
  CAF_CHECK_EQUAL(after(5s), "");
}

CAF_TEST(the period grows with the number of things) {
  CAF_CHECK(period_for(1, 5s, 1'000) == 5s);
  CAF_CHECK(period_for(5'000, 5s, 1'000) == 5s);
  CAF_CHECK(period_for(100'000, 5s, 1'000) == 100s);
}

CAF_TEST_FIXTURE_SCOPE_END()
