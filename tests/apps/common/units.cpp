#define CAF_SUITE apps.common.units

#include "common/units.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::apps;
using std::chrono::milliseconds;

namespace {

// By value: CAF_CHECK_EQUAL keeps references.
milliseconds duration(const char* text) {
  return parse_duration(text).value();
}

uint64_t size(const char* text) {
  return parse_size(text).value();
}

} // namespace

CAF_TEST(durations are read with their unit) {
  CAF_CHECK(duration("0s") == milliseconds{0});
  CAF_CHECK(duration("500ms") == milliseconds{500});
  CAF_CHECK(duration("15s") == milliseconds{15'000});
  CAF_CHECK(duration("2m") == milliseconds{120'000});
  CAF_CHECK(duration("1h") == milliseconds{3'600'000});
  CAF_CHECK(duration("7d") == milliseconds{604'800'000});
}

CAF_TEST(a bad duration is an error that shows the forms) {
  for (const auto* text :
       {"", "15", "s", "-1s", "1.5s", " 1s", "1 s", "1min", "99999999999999d"})
    CAF_CHECK(!parse_duration(text));
  const auto result = parse_duration("15");
  CAF_CHECK_EQUAL(result.error().what,
                  "expected a duration such as \"500ms\", \"15s\", \"2m\", "
                  "\"1h\" or \"7d\", found \"15\"");
}

CAF_TEST(sizes are read with or without a unit) {
  CAF_CHECK_EQUAL(size("4096"), 4096u);
  CAF_CHECK_EQUAL(size("64KiB"), 65536u);
  CAF_CHECK_EQUAL(size("8MiB"), 8u << 20);
  CAF_CHECK_EQUAL(size("1GiB"), 1u << 30);
  for (const auto* text : {"", "8MB", "8 MiB", "-1", "99999999999GiB"})
    CAF_CHECK(!parse_size(text));
}

CAF_TEST(texts are the shortest that read the same) {
  for (const auto* text : {"0s", "1ms", "1500ms", "15s", "2m", "1h", "7d"})
    CAF_CHECK_EQUAL(duration_text(duration(text)), text);
  for (const auto* text : {"0", "1", "1025", "64KiB", "8MiB", "1GiB"})
    CAF_CHECK_EQUAL(size_text(size(text)), text);
  CAF_CHECK_EQUAL(duration_text(milliseconds{90'000}), "90s");
}
