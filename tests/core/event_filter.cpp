#define CAF_SUITE core.event_filter

#include "pulse/core/event_filter.hpp"

#include "pulse/core/log.hpp"

#include <stdexcept>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

event with_topic(std::string_view topic) {
  return event::make({"orders", {1, 1}}, "placed", "payload", topic);
}

event_filter compiled(const filter_options& options) {
  auto x = event_filter::compile(options);
  if (!x)
    CAF_FAIL(x.error().what);
  return *x;
}

event_filter pattern(const std::string& text) {
  return compiled({"", text, nullptr});
}

failure error_of(const std::string& text) {
  auto x = event_filter::compile({"", text, nullptr});
  CAF_REQUIRE(!x.ok());
  return x.error();
}

} // namespace

CAF_TEST(without a condition everything is wanted) {
  for (auto& uut : {event_filter{}, compiled({})}) {
    CAF_CHECK(uut.wants_everything());
    CAF_CHECK(uut.wants(with_topic("")));
    CAF_CHECK(uut.wants(with_topic("eu")));
  }
}

CAF_TEST(a topic must be the same) {
  auto uut = compiled({"eu", "", nullptr});
  CAF_CHECK(!uut.wants_everything());
  CAF_CHECK(uut.wants(with_topic("eu")));
  for (auto* topic : {"", "e", "eu.", "EU", "eu.de"})
    CAF_CHECK(!uut.wants(with_topic(topic)));
}

CAF_TEST(a pattern must match the whole topic) {
  auto uut = pattern("eu\\.(de|fr)");
  CAF_CHECK(!uut.wants_everything());
  CAF_CHECK(uut.wants(with_topic("eu.de")));
  CAF_CHECK(uut.wants(with_topic("eu.fr")));
  for (auto* topic : {"", "eu", "eu.d", "xeu.de", "eu.dex", "eu-de"})
    CAF_CHECK(!uut.wants(with_topic(topic)));
  CAF_CHECK(pattern("eu.*").wants(with_topic("eu.anything")));
  CAF_CHECK(pattern(".*").wants(with_topic("")));
}

CAF_TEST(a predicate sees the event) {
  auto uut
    = compiled({"", "", [](const event& x) { return x.payload().empty(); }});
  CAF_CHECK(!uut.wants_everything());
  CAF_CHECK(!uut.wants(with_topic("")));
  CAF_CHECK(uut.wants(event::make({"orders", {1, 1}}, "placed", "")));
}

CAF_TEST(all conditions must hold) {
  auto count = std::make_shared<int>(0);
  auto uut = compiled({"", "eu.*", [=](const event& x) {
                         ++*count;
                         return x.topic() != "eu.de";
                       }});
  CAF_CHECK(uut.wants(with_topic("eu.fr")));
  CAF_CHECK(!uut.wants(with_topic("eu.de")));
  CAF_CHECK(!uut.wants(with_topic("us")));
  CAF_CHECK_EQUAL(*count, 2);
}

CAF_TEST(copies share the pattern and outlive the original) {
  event_filter copy;
  {
    auto original = pattern("a+");
    copy = original;
  }
  CAF_CHECK(copy.wants(with_topic("aaa")));
  CAF_CHECK(!copy.wants(with_topic("b")));
}

CAF_TEST(
  an event at which the predicate throws is wanted and one line says so) {
  std::vector<std::string> lines;
  set_log_function(
    [&](log_level, std::string_view line) { lines.emplace_back(line); });
  const auto uut = compiled({"", "", [](const event& x) -> bool {
                               throw std::runtime_error{std::string{x.topic()}};
                             }});
  CAF_CHECK(uut.wants(with_topic("no number")));
  CAF_CHECK(uut.wants(with_topic("b")));
  set_log_function(nullptr);
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK(lines[0].find("filter.predicate threw no number at event")
            != std::string::npos);
}

CAF_TEST(a bad pattern is an error with reason and position) {
  const auto x = error_of("eu\\.[z-a]");
  CAF_CHECK(x.code == errc::invalid_pattern);
  CAF_CHECK_EQUAL(x.what, "topic_pattern \"eu\\.[z-a]\": invalid character "
                          "class range: z-a at position 5");
  auto ends_with = [](const std::string& text, const std::string& end) {
    return text.size() >= end.size()
           && text.compare(text.size() - end.size(), end.size(), end) == 0;
  };
  CAF_CHECK(ends_with(error_of("ab**c").what, "** at position 2"));
  CAF_CHECK(ends_with(error_of("a\\8").what, "at position 1"));
  CAF_CHECK(ends_with(error_of("a(b").what, "at position 0"));
  CAF_CHECK(error_of("x{2000}").code == errc::invalid_pattern);
}

CAF_TEST(no pattern hangs a consumer) {
  auto uut = pattern("(a*)*(a*)*(a*)*b");
  CAF_CHECK(!uut.wants(with_topic(std::string(512, 'a'))));
}

CAF_TEST(topic and pattern together are an error) {
  auto x = event_filter::compile({"eu", "eu.*", nullptr});
  CAF_REQUIRE(!x.ok());
  CAF_CHECK(x.error().code == errc::invalid_option);
  CAF_CHECK_EQUAL(x.error().what, "topic is \"eu\" and topic_pattern is "
                                  "\"eu.*\": set one of them");
}
