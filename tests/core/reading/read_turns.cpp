#define CAF_SUITE core.reading.read_turns

#include "pulse/core/reading/read_turns.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

constexpr auto too_much = page_limit::default_bytes + 1;

// The streams of the next read of some, as "abc".
std::string next(read_turns& uut, const std::string& streams) {
  std::map<std::string, int> chosen;
  for (auto x : streams)
    chosen.emplace(std::string{x}, 0);
  const auto removed = uut.choose(chosen);
  std::string result;
  for (auto& [name, x] : chosen)
    result += name;
  CAF_CHECK_EQUAL(removed, result.size() < streams.size());
  return result;
}

} // namespace

CAF_TEST(all streams are read together until that fails) {
  read_turns uut;
  CAF_CHECK_EQUAL(next(uut, "abcd"), "abcd");
  uut.worked(too_much);
  CAF_CHECK_EQUAL(next(uut, "abcd"), "abcd");
  CAF_CHECK_EQUAL(next(uut, ""), "");
}

CAF_TEST(each stream has its turn) {
  read_turns uut;
  uut.failed(5);
  CAF_CHECK_EQUAL(next(uut, "abcde"), "ab");
  CAF_CHECK_EQUAL(next(uut, "abcde"), "cd");
  CAF_CHECK_EQUAL(next(uut, "abcde"), "ae");
  CAF_CHECK_EQUAL(next(uut, "bcde"), "bc");
  CAF_CHECK_EQUAL(next(uut, "ab"), "ab");
}

CAF_TEST(a read goes down to one stream but not to none) {
  read_turns uut;
  uut.failed(2);
  uut.failed(1);
  CAF_CHECK_EQUAL(next(uut, "ab"), "a");
  CAF_CHECK_EQUAL(next(uut, "ab"), "b");
  uut.worked(too_much);
  CAF_CHECK_EQUAL(next(uut, "ab"), "a");
}

CAF_TEST(small replies let the reads grow and large ones let them shrink) {
  read_turns uut;
  uut.failed(4);
  uut.worked(too_much);
  CAF_CHECK_EQUAL(next(uut, "abcd"), "a");
  uut.worked(1);
  CAF_CHECK_EQUAL(next(uut, "abcd"), "bc");
  for (int i = 0; i < 100; ++i)
    uut.worked(1);
  CAF_CHECK_EQUAL(next(uut, "abcd"), "abcd");
}
