#define CAF_SUITE core.streams.add_window

#include "pulse/core/streams/add_window.hpp"

#include <deque>
#include <random>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

using window = add_window<std::string>;

struct fixture {
  std::string admitted;

  auto admit() {
    return [this](const std::string& x) { admitted += x; };
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(add_window_tests, fixture)

CAF_TEST(adds enter until the number is reached) {
  window uut{3, 100};
  CAF_CHECK(uut.try_enter(1));
  CAF_CHECK(uut.try_enter(0));
  CAF_CHECK(uut.try_enter(1));
  CAF_CHECK(!uut.try_enter(0));
  CAF_CHECK_EQUAL(uut.open(), 3u);
  uut.leave(1, admit());
  CAF_CHECK(uut.try_enter(1));
  CAF_CHECK_EQUAL(admitted, "");
  CAF_CHECK_EQUAL(uut.most_open(), 3u);
}

CAF_TEST(adds enter until the size is reached) {
  window uut{100, 10};
  CAF_CHECK(uut.try_enter(4));
  CAF_CHECK(uut.try_enter(6));
  CAF_CHECK(!uut.try_enter(1));
  CAF_CHECK(uut.try_enter(0)); // it takes no room
  uut.leave(4, admit());
  CAF_CHECK(!uut.try_enter(5));
  CAF_CHECK(uut.try_enter(4));
  CAF_CHECK_EQUAL(uut.open_bytes(), 10u);
  CAF_CHECK_EQUAL(uut.most_open_bytes(), 10u);
}

CAF_TEST(an add that is too large enters alone) {
  window uut{100, 10};
  CAF_CHECK(uut.try_enter(1));
  CAF_CHECK(!uut.try_enter(11));
  uut.leave(1, admit());
  CAF_CHECK(uut.try_enter(11));
  CAF_CHECK(!uut.try_enter(1));
  CAF_CHECK(!uut.try_enter(0)); // nothing goes beside it
  uut.leave(11, admit());
  CAF_CHECK(uut.try_enter(10));
  CAF_CHECK_EQUAL(uut.most_open_bytes(), 11u);
}

CAF_TEST(those that wait enter in their order) {
  window uut{2, 10};
  CAF_CHECK(uut.try_enter(5));
  CAF_CHECK(uut.try_enter(1));
  uut.wait(9, "a");
  uut.wait(1, "b");
  CAF_CHECK_EQUAL(uut.waiting(), 2u);
  CAF_CHECK_EQUAL(uut.waiting_bytes(), 10u);
  CAF_CHECK(!uut.try_enter(1));
  uut.leave(1, admit());
  CAF_CHECK_EQUAL(admitted, ""); // b would fit, and does not overtake a
  CAF_CHECK(!uut.try_enter(1));  // nor does one that comes later
  uut.leave(5, admit());
  CAF_CHECK_EQUAL(admitted, "ab");
  CAF_CHECK_EQUAL(uut.open(), 2u);
  CAF_CHECK_EQUAL(uut.open_bytes(), 10u);
  CAF_CHECK_EQUAL(uut.waiting(), 0u);
  CAF_CHECK_EQUAL(uut.waiting_bytes(), 0u);
}

CAF_TEST(one that gives up lets those behind it enter) {
  window uut{3, 10};
  CAF_CHECK(uut.try_enter(5));
  auto a = uut.wait(9, "a");
  auto b = uut.wait(2, "b");
  uut.wait(3, "c");
  uut.wait(4, "d");
  uut.give_up(b, admit());
  CAF_CHECK_EQUAL(admitted, "");
  uut.give_up(a, admit());
  CAF_CHECK_EQUAL(admitted, "c");
  CAF_CHECK_EQUAL(uut.open_bytes(), 8u);
  CAF_CHECK_EQUAL(uut.waiting_bytes(), 4u);
}

CAF_TEST(waiters can be removed by a condition) {
  window uut{3, 10};
  CAF_CHECK(uut.try_enter(5));
  uut.wait(6, "a");
  uut.wait(1, "b");
  uut.wait(7, "c");
  uut.wait(2, "d");
  std::string dropped;
  uut.give_up_if([](const std::string& x) { return x == "a" || x == "c"; },
                 [&](const std::string& x) { dropped += x; }, admit());
  CAF_CHECK_EQUAL(dropped, "ac");
  CAF_CHECK_EQUAL(admitted, "bd");
  CAF_CHECK_EQUAL(uut.open_bytes(), 8u);
  CAF_CHECK_EQUAL(uut.waiting_bytes(), 0u);
}

CAF_TEST(all waiters can be removed) {
  window uut{1, 10};
  CAF_CHECK(uut.try_enter(5));
  CAF_CHECK(uut.give_up_all().empty());
  uut.wait(1, "a");
  uut.wait(2, "b");
  CAF_CHECK_EQUAL(uut.give_up_all(), (std::vector<std::string>{"a", "b"}));
  CAF_CHECK_EQUAL(uut.waiting_bytes(), 0u);
  uut.leave(5, admit());
  CAF_CHECK_EQUAL(admitted, "");
  CAF_CHECK_EQUAL(uut.open(), 0u);
}

CAF_TEST(an add takes the place of another one ahead of all that wait) {
  window uut{2, 10};
  CAF_CHECK(uut.try_enter(4));
  CAF_CHECK(uut.try_enter(5));
  uut.wait(1, "a");
  CAF_CHECK(!uut.replace(4, 6));
  CAF_CHECK_EQUAL(uut.open_bytes(), 9u);
  CAF_CHECK(uut.replace(4, 5));
  CAF_CHECK_EQUAL(uut.open_bytes(), 10u);
  CAF_CHECK_EQUAL(uut.open(), 2u);
  CAF_CHECK_EQUAL(admitted, "");
  window alone{2, 10};
  CAF_CHECK(alone.try_enter(1));
  CAF_CHECK(alone.replace(1, 100));
  CAF_CHECK_EQUAL(alone.most_open_bytes(), 100u);
}

// Compares the window with a plain model of it, in random runs.
CAF_TEST(random runs keep the bounds and the order) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random{seed};
    auto dice = [&](size_t n) {
      return std::uniform_int_distribution<size_t>{0, n - 1}(random);
    };
    const size_t max_open = 1 + dice(8);
    const uint64_t max_bytes = 1 + dice(40);
    add_window<int> uut{static_cast<uint32_t>(max_open), max_bytes};
    std::vector<uint64_t> open;
    std::deque<std::pair<int, uint64_t>> waiting;
    std::vector<add_window<int>::ticket> tickets;
    int next = 0;
    auto admitted = [&](int x) {
      CAF_REQUIRE(!waiting.empty());
      CAF_CHECK_EQUAL(x, waiting.front().first);
      open.push_back(waiting.front().second);
      waiting.pop_front();
      tickets.erase(tickets.begin());
    };
    for (int step = 0; step < 500; ++step) {
      const auto what = dice(8);
      if (what < 4) {
        const uint64_t bytes = dice(20);
        if (uut.try_enter(bytes)) {
          CAF_CHECK(waiting.empty());
          open.push_back(bytes);
        } else {
          waiting.emplace_back(next, bytes);
          tickets.push_back(uut.wait(bytes, next++));
        }
      } else if (what < 7 && !open.empty()) {
        const auto i = dice(open.size());
        const auto bytes = open[i];
        open.erase(open.begin() + static_cast<ptrdiff_t>(i));
        uut.leave(bytes, admitted);
      } else if (!waiting.empty()) {
        const auto i = static_cast<ptrdiff_t>(dice(waiting.size()));
        const auto x = tickets[static_cast<size_t>(i)];
        waiting.erase(waiting.begin() + i);
        tickets.erase(tickets.begin() + i);
        uut.give_up(x, admitted);
      }
      uint64_t bytes = 0;
      for (auto x : open)
        bytes += x;
      CAF_REQUIRE_EQUAL(uut.open(), open.size());
      CAF_REQUIRE_EQUAL(uut.open_bytes(), bytes);
      CAF_REQUIRE_EQUAL(uut.waiting(), waiting.size());
      CAF_REQUIRE(open.size() <= max_open);
      CAF_REQUIRE(bytes <= max_bytes || open.size() == 1);
      // Nobody waits without need.
      if (!waiting.empty())
        CAF_REQUIRE(
          open.size() == max_open
          || (!open.empty() && bytes + waiting.front().second > max_bytes));
    }
    CAF_CHECK(uut.most_open() <= max_open);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
