#define CAF_SUITE core.event_id

#include "pulse/core/event_id.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

CAF_TEST(text and value are the same thing) {
  const event_id id{1700000000000, 42};
  CAF_CHECK_EQUAL(to_string(id), "1700000000000-42");
  CAF_CHECK(*parse_event_id(to_string(id)) == id);
  CAF_CHECK(*parse_event_id(to_string(event_id::max())) == event_id::max());
}

CAF_TEST(a missing sequence counts as zero) {
  CAF_CHECK(*parse_event_id("17") == (event_id{17, 0}));
}

CAF_TEST(anything else is an error that shows the text) {
  for (auto* text : {"", "-", "1-", "-1", "a-1", "1-b", "1-2-3", " 1-2", "1-2 ",
                     "+1-2", "1--2", "18446744073709551616-0", "$", ">"}) {
    auto x = parse_event_id(text);
    CAF_REQUIRE(!x.ok());
    CAF_CHECK(x.error().code == errc::invalid_event_id);
    CAF_CHECK(x.error().what.find(text) != std::string::npos);
  }
}

CAF_TEST(order is by milliseconds then by sequence) {
  CAF_CHECK(event_id({1, 9}) < event_id({2, 0}));
  CAF_CHECK(event_id({2, 0}) < event_id({2, 1}));
  CAF_CHECK(!(event_id({2, 1}) < event_id({2, 1})));
}

CAF_TEST(previous and next are neighbours and stop at the ends) {
  const auto top = event_id::max().seq;
  CAF_CHECK(event_id({5, 0}).previous() == event_id({4, top}));
  CAF_CHECK(event_id({4, top}).next() == event_id({5, 0}));
  CAF_CHECK(event_id({4, 3}).next().previous() == event_id({4, 3}));
  CAF_CHECK(event_id::min().previous() == event_id::min());
  CAF_CHECK(event_id::max().next() == event_id::max());
}
