#define CAF_SUITE core.start_position

#include "pulse/core/start_position.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;

namespace {

using std::chrono::system_clock;

constexpr auto highest_seq = event_id::max().seq;

std::string parsed(std::string_view text) {
  auto x = parse_start_position(text);
  return x ? to_string(*x) : "error";
}

system_clock::time_point unix_time(std::chrono::microseconds x) {
  return system_clock::time_point{x};
}

} // namespace

CAF_TEST(newest is the default) {
  CAF_CHECK(start_position{} == start_position::newest());
  CAF_CHECK(!(start_position::newest() == start_position::oldest()));
}

CAF_TEST(words and event IDs are read) {
  CAF_CHECK_EQUAL(parsed("newest"), "newest");
  CAF_CHECK_EQUAL(parsed("oldest"), "oldest");
  CAF_CHECK_EQUAL(parsed("1700000000000-3"), "after 1700000000000-3");
  CAF_CHECK_EQUAL(parsed("17"), "after 17-0");
}

CAF_TEST(a time stands for the events of its millisecond and later ones) {
  const auto x = start_position::at(unix_time(1'700'000'000'123'999us));
  CAF_CHECK(x.kind == start_kind::after);
  CAF_CHECK(x.id == (event_id{1'700'000'000'122, highest_seq}));
  CAF_CHECK(x.id < (event_id{1'700'000'000'123, 0}));
}

CAF_TEST(a time before 1970 means everything) {
  for (auto time : {-1us, -1'000'000'000us, 0us, 999us})
    CAF_CHECK(start_position::at(unix_time(time)) == start_position::oldest());
  CAF_CHECK(start_position::at(unix_time(1ms)).id
            == (event_id{0, highest_seq}));
  CAF_CHECK_EQUAL(parsed("1969-12-31T23:59:59Z"), "oldest");
  CAF_CHECK_EQUAL(parsed("0000-01-01T00:00:00Z"), "oldest");
  CAF_CHECK_EQUAL(parsed("@0"), "oldest");
}

CAF_TEST(unix seconds are read) {
  CAF_CHECK(*parse_start_position("@1700000000")
            == start_position::at(unix_time(1'700'000'000s)));
  CAF_CHECK(*parse_start_position("@99999999999")
            == start_position::after({99'999'999'998'999, highest_seq}));
}

CAF_TEST(dates in UTC are read) {
  auto same = [](std::string_view date, std::chrono::seconds time) {
    auto x = parse_start_position(date);
    CAF_REQUIRE(x.ok());
    CAF_CHECK(*x == start_position::at(unix_time(time)));
  };
  same("1970-01-01T00:00:01Z", 1s);
  same("2000-02-29T12:34:56Z", 951'827'696s);
  same("2000-03-01T00:00:00Z", 951'868'800s);
  same("2001-09-09T01:46:40Z", 1'000'000'000s);
  same("2024-12-31T23:59:59Z", 1'735'689'599s);
  same("2026-11-23T10:00:00Z", 1'795'428'000s);
  CAF_CHECK(*parse_start_position("9999-12-31T23:59:59Z")
            == start_position::after({253'402'300'798'999, highest_seq}));
}

CAF_TEST(anything else is an error that lists the forms) {
  for (auto* text : {"",
                     "latest",
                     "NEWEST",
                     "$",
                     "-",
                     "1-",
                     "after 1-2",
                     "@",
                     "@-1",
                     "@1.5",
                     "@100000000000",
                     "@99999999999999999999",
                     "2026-11-23",
                     "2026-11-23T10:00:00",
                     "2026-11-23 10:00:00Z",
                     "2026-11-23T10:00:00+0",
                     "2026-13-01T00:00:00Z",
                     "2026-00-01T00:00:00Z",
                     "2026-01-00T00:00:00Z",
                     "2026-02-29T00:00:00Z",
                     "1900-02-29T00:00:00Z",
                     "2026-04-31T00:00:00Z",
                     "2026-01-32T00:00:00Z",
                     "2026-01-01T24:00:00Z",
                     "2026-01-01T00:60:00Z",
                     "2026-01-01T00:00:60Z",
                     "2026-01-01T00:00:0xZ",
                     "+026-01-01T00:00:00Z"})
    CAF_CHECK_EQUAL(text + (" " + parsed(text)), text + std::string{" error"});
  auto x = parse_start_position("latest");
  CAF_CHECK(x.error().code == errc::invalid_option);
  for (auto* part : {"\"latest\"", "newest", "oldest", "<milliseconds>",
                     "@<unix seconds>", "2026-11-23T10:00:00Z"})
    CAF_CHECK(x.error().what.find(part) != std::string::npos);
}
