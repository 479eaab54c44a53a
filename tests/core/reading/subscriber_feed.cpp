#define CAF_SUITE core.reading.subscriber_feed

#include "pulse/core/reading/subscriber_feed.hpp"

#include <random>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

event make(std::string stream, uint64_t ms) {
  return event::make({std::move(stream), event_id{ms, 0}}, "n", "p");
}

struct fixture {
  subscriber_feed uut{overflow_policy::pause, 4, 2};

  // Offers events `first` to `last` of stream a.
  void offer(uint64_t first, uint64_t last) {
    for (; first <= last; ++first)
      uut.offer(make("a", first));
  }

  // Sends all events that can be sent. @returns them as text: "a1+2" is event 1
  // of stream a, whose answer gives back a credit of 2.
  std::string sent() {
    std::string result;
    while (auto x = uut.next()) {
      if (!result.empty())
        result += ' ';
      result += x->what.stream();
      result += std::to_string(x->what.id().ms);
      if (x->returns > 0) {
        answers.push_back(x->answer);
        uut.sent(*x, now);
        result += "+" + std::to_string(x->returns);
      }
    }
    return result;
  }

  // The same for batches of at most `most` events, as "a1,a2+2".
  std::string batches(uint32_t most) {
    std::string result;
    while (auto x = uut.next_batch(most)) {
      const char* separator = result.empty() ? "" : " ";
      for (const auto& y : x->what) {
        result.append(std::exchange(separator, ",")).append(y.stream());
        result += std::to_string(y.id().ms);
      }
      uut.sent(*x, now);
      result += "+" + std::to_string(x->returns);
    }
    return result;
  }

  // Like sent(), with all answers at once.
  std::string handled() {
    std::string result;
    for (auto part = sent(); !part.empty(); part = sent()) {
      result += (result.empty() ? "" : " ") + part;
      for (auto x : std::exchange(answers, {}))
        uut.answered(x);
    }
    for (size_t i = 0; (i = result.find('+', i)) != std::string::npos;)
      result.erase(i, result.find(' ', i) - i);
    return result;
  }

  // Takes the events `first` to `last` of stream a as events of the range.
  void fetch(uint64_t first, uint64_t last, bool complete) {
    for (auto i = first; i <= last; ++i)
      uut.take(make("a", i));
    uut.fetched({last, 0}, complete);
  }

  std::vector<uint64_t> answers;
  subscriber_feed::time_point now;
};

std::string to_text(const std::optional<subscriber_feed::missing_range>& x) {
  return x ? x->stream + " (" + to_string(x->after) + " " + to_string(x->until)
               + " count " + std::to_string(x->count)
           : "none";
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(feed_tests, fixture)

// -- sending ------------------------------------------------------------------

CAF_TEST(no more is sent than there is credit) {
  offer(1, 4);
  CAF_CHECK_EQUAL(sent(), "a1+1 a2+1");
  uut.answered(1);
  CAF_CHECK_EQUAL(sent(), "a3+1");
  CAF_CHECK_EQUAL(sent(), "");
}

CAF_TEST(only some deliveries ask for an answer) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 20);
  CAF_CHECK_EQUAL(sent(), "a1+1 a2 a3 a4 a5+4 a6 a7 a8+3");
  uut.answered(1);
  uut.answered(2);
  CAF_CHECK_EQUAL(sent(), "a9 a10 a11 a12+4 a13+1");
}

CAF_TEST(one answer is on its way when few events trickle) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 2);
  CAF_CHECK_EQUAL(sent(), "a1+1 a2");
  uut.answered(1);
  CAF_CHECK_EQUAL(sent(), "");
  offer(3, 3);
  CAF_CHECK_EQUAL(sent(), "a3+2");
}

CAF_TEST(less credit cannot stop the flow for ever) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 4);
  CAF_CHECK_EQUAL(sent(), "a1+1 a2 a3 a4");
  uut.answered(1);
  uut.set_credit(1);
  offer(5, 6);
  CAF_CHECK_EQUAL(sent(), "a5+4");
  uut.answered(2);
  CAF_CHECK_EQUAL(sent(), "a6+1");
}

CAF_TEST(more credit lets more events go) {
  offer(1, 4);
  CAF_CHECK_EQUAL(sent(), "a1+1 a2+1");
  uut.set_credit(4);
  CAF_CHECK_EQUAL(sent(), "a3 a4+2");
}

CAF_TEST(answers that do not come are given up) {
  using std::chrono::seconds;
  uut = subscriber_feed{overflow_policy::pause, 100, 4};
  CAF_CHECK(!uut.waits_since());
  const auto begin = now;
  offer(1, 6);
  CAF_CHECK_EQUAL(sent(), "a1+1 a2 a3+2 a4+1");
  now += seconds{1};
  uut.answered(1);
  CAF_CHECK_EQUAL(sent(), "a5+1");
  CAF_CHECK(uut.waits_since() == begin);
  CAF_CHECK_EQUAL(uut.give_up(begin), 2u);
  CAF_CHECK(uut.waits_since() == now);
  // They may come late, and count for nothing.
  uut.answered(2);
  uut.answered(3);
  offer(7, 12);
  CAF_CHECK_EQUAL(sent(), "a6 a7+2 a8+1");
}

// -- batches ------------------------------------------------------------------

CAF_TEST(a batch has what waits and asks for an answer) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 3);
  CAF_CHECK_EQUAL(batches(5), "a1,a2,a3+3");
  offer(4, 4);
  CAF_CHECK_EQUAL(batches(5), "a4+1");
  CAF_CHECK_EQUAL(batches(5), "");
  CAF_CHECK_EQUAL(uut.waiting(), 0u);
}

CAF_TEST(a batch has at most so many events and no more than the credit) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 20);
  CAF_CHECK_EQUAL(batches(3), "a1,a2,a3+3 a4,a5,a6+3 a7,a8+2");
  CAF_CHECK_EQUAL(uut.waiting(), 12u);
  uut.answered(1);
  CAF_CHECK_EQUAL(batches(10), "a9,a10,a11+3");
}

CAF_TEST(batches go on although the credit became less) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 4);
  CAF_CHECK_EQUAL(batches(4), "a1,a2,a3,a4+4");
  uut.set_credit(2);
  offer(5, 8);
  CAF_CHECK_EQUAL(batches(4), "");
  uut.answered(1);
  CAF_CHECK_EQUAL(batches(4), "a5,a6+2");
}

CAF_TEST(batches and single events may take turns) {
  uut = subscriber_feed{overflow_policy::pause, 100, 8};
  offer(1, 7);
  uut.sent(*uut.next(), now);
  const auto second = uut.next();
  CAF_CHECK_EQUAL(second->returns, 0u);
  CAF_CHECK_EQUAL(batches(2), "a3,a4+3 a5,a6+2 a7+1");
}

CAF_TEST(the answer to a batch that does not come is given up) {
  uut = subscriber_feed{overflow_policy::pause, 100, 4};
  offer(1, 8);
  CAF_CHECK_EQUAL(batches(4), "a1,a2,a3,a4+4");
  CAF_CHECK(uut.waits_since() == now);
  CAF_CHECK_EQUAL(uut.give_up(now), 1u);
  CAF_CHECK_EQUAL(batches(4), "a5,a6,a7,a8+4");
}

// -- overflow -----------------------------------------------------------------

CAF_TEST(a feed that overflows leaves the live tail once) {
  offer(1, 4);
  CAF_CHECK(uut.live());
  CAF_CHECK_EQUAL(uut.room(), 0u);
  CAF_CHECK(uut.offer(make("a", 5)) == offer_result::left_tail);
  CAF_CHECK(uut.offer(make("a", 6)) == offer_result::behind);
  CAF_CHECK(uut.offer(make("b", 6)) == offer_result::behind);
  CAF_CHECK(!uut.live());
  CAF_CHECK_EQUAL(handled(), "a1 a2 a3 a4");
}

CAF_TEST(the oldest event makes room if the policy says so) {
  uut = subscriber_feed{overflow_policy::drop_oldest, 2, 1};
  offer(1, 2);
  CAF_CHECK(uut.offer(make("a", 3)) == offer_result::dropped_oldest);
  CAF_CHECK(uut.live());
  CAF_CHECK_EQUAL(handled(), "a2 a3");
}

CAF_TEST(an overflow ends the subscription if the policy says so) {
  uut = subscriber_feed{overflow_policy::fail, 2, 1};
  offer(1, 2);
  CAF_CHECK(uut.offer(make("a", 3)) == offer_result::overflow);
}

// -- catching up --------------------------------------------------------------

CAF_TEST(nothing is fetched while there is little room) {
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)), "none");
  offer(1, 6);
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)), "none");
  CAF_CHECK_EQUAL(sent(), "a1+1 a2+1");
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)),
                  "a (4-18446744073709551615 6-0 count 1");
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)), "none");
}

CAF_TEST(no more is fetched at once than wanted) {
  offer(1, 6);
  handled();
  CAF_CHECK(uut.next_range(1)->count == 1);
}

CAF_TEST(a feed that has all it missed is back at the live tail) {
  offer(1, 6);
  CAF_CHECK_EQUAL(handled(), "a1 a2 a3 a4");
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)),
                  "a (4-18446744073709551615 6-0 count 2");
  fetch(5, 6, true);
  CAF_CHECK(uut.live());
  CAF_CHECK(uut.offer(make("a", 7)) == offer_result::taken);
  CAF_CHECK_EQUAL(handled(), "a5 a6 a7");
}

CAF_TEST(what the live tail brings meanwhile follows the range) {
  offer(1, 6);
  handled();
  uut.next_range(100);
  offer(7, 8);
  fetch(5, 6, true);
  CAF_CHECK(uut.live());
  CAF_CHECK_EQUAL(handled(), "a5 a6 a7 a8");
}

CAF_TEST(too much of the live tail meanwhile is fetched later) {
  offer(1, 6);
  handled();
  uut.next_range(100);
  offer(7, 20);
  fetch(5, 6, true);
  CAF_CHECK(!uut.live());
  CAF_CHECK_EQUAL(handled(), "a5 a6");
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)), "a (6-0 20-0 count 2");
  fetch(7, 8, false);
  CAF_CHECK_EQUAL(handled(), "a7 a8");
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)), "a (8-0 20-0 count 2");
}

CAF_TEST(a range that failed is asked for again) {
  offer(1, 6);
  handled();
  const auto first = to_text(uut.next_range(100));
  offer(7, 7);
  uut.not_fetched();
  const auto second = to_text(uut.next_range(100));
  CAF_CHECK_EQUAL(first, "a (4-18446744073709551615 6-0 count 2");
  CAF_CHECK_EQUAL(second, "a (4-18446744073709551615 7-0 count 2");
}

CAF_TEST(what cannot be fetched is given up) {
  offer(1, 6);
  handled();
  uut.next_range(100);
  uut.given_up();
  CAF_CHECK(uut.live());
  CAF_CHECK(uut.offer(make("a", 7)) == offer_result::taken);
}

CAF_TEST(streams that were missed take turns) {
  offer(1, 4);
  for (auto* stream : {"a", "b", "c"}) {
    uut.offer(make(stream, 5));
    uut.offer(make(stream, 6));
  }
  handled();
  std::string order;
  for (int i = 0; i < 4; ++i) {
    order += uut.next_range(100)->stream;
    uut.not_fetched();
  }
  CAF_CHECK_EQUAL(order, "abca");
}

CAF_TEST(other streams go on while one is fetched) {
  offer(1, 6);
  handled();
  uut.next_range(100);
  CAF_CHECK(uut.offer(make("b", 7)) == offer_result::taken);
  CAF_CHECK_EQUAL(handled(), "b7");
}

CAF_TEST(a stream that begins again further back is fetched from there) {
  offer(1, 6);
  handled();
  uut.next_range(100);
  offer(2, 2);
  fetch(5, 6, true);
  CAF_CHECK(!uut.live());
  CAF_CHECK_EQUAL(handled(), "a5 a6");
  CAF_CHECK_EQUAL(to_text(uut.next_range(100)),
                  "a (1-18446744073709551615 6-0 count 2");
}

// -- leaving ------------------------------------------------------------------

CAF_TEST(what was not sent is where a successor begins) {
  uut = subscriber_feed{overflow_policy::pause, 3, 1};
  offer(1, 2);
  uut.offer(make("b", 3));
  sent();
  uut.offer(make("c", 4));
  offer(5, 6);
  std::string text;
  for (auto& [stream, id] : uut.unsent())
    text += stream + " " + to_string(id.next()) + " ";
  CAF_CHECK_EQUAL(text, "a 2-0 b 3-0 c 4-0 ");
}

// -- the whole ----------------------------------------------------------------

CAF_TEST(however slow the subscriber is it gets everything in order) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::minstd_rand random{seed};
  auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  uut = subscriber_feed{overflow_policy::pause, 10, 4};
  constexpr uint64_t last = 5'000;
  uint64_t stored = 0;
  uint64_t expected = 1;
  std::optional<subscriber_feed::missing_range> range;
  while (expected <= last) {
    for (auto burst = random() % 20; burst > 0 && stored < last; --burst)
      uut.offer(make("a", ++stored));
    while (auto x = uut.next()) {
      CAF_REQUIRE_EQUAL(x->what.id().ms, expected);
      ++expected;
      if (x->returns > 0)
        answers.push_back(x->returns);
    }
    if (chance(60) && !answers.empty()) {
      uut.answered(answers.front());
      answers.erase(answers.begin());
    }
    if (range && chance(10)) {
      uut.not_fetched();
      range.reset();
    } else if (range && chance(50)) {
      auto i = range->after.next().ms + (range->after.next().seq > 0 ? 1 : 0);
      const auto end = std::min(range->until.ms, i + range->count - 1);
      fetch(i, end, end - i + 1 < range->count || end == range->until.ms);
      range.reset();
    }
    if (!range)
      range = uut.next_range(100);
    CAF_REQUIRE(uut.room() <= 10);
  }
  CAF_CHECK_EQUAL(expected, last + 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
