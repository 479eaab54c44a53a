#define CAF_SUITE core.reading.cursor_set

#include "pulse/core/reading/cursor_set.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

event_id last_of(const cursor_set& x, std::string_view stream) {
  return x.streams().find(stream)->second.last;
}

} // namespace

CAF_TEST(a stream that is there already stays where it is) {
  cursor_set uut;
  CAF_CHECK(uut.add("a", {5, 1}));
  CAF_CHECK(!uut.add("a", {1, 0}));
  CAF_CHECK(last_of(uut, "a") == (event_id{5, 1}));
}

CAF_TEST(only what is there can be removed) {
  cursor_set uut;
  uut.add("a", {1, 0});
  CAF_CHECK(uut.remove("a"));
  CAF_CHECK(!uut.remove("a"));
  CAF_CHECK(!uut.contains("a"));
}

CAF_TEST(advance moves forward only) {
  cursor_set uut;
  uut.add("a", {5, 0});
  CAF_CHECK(uut.advance("a", {5, 1}));
  CAF_CHECK(!uut.advance("a", {5, 1}));
  CAF_CHECK(!uut.advance("a", {4, 9}));
  CAF_CHECK(!uut.advance("b", {9, 0}));
  CAF_CHECK(last_of(uut, "a") == (event_id{5, 1}));
}

CAF_TEST(rewind moves back only) {
  cursor_set uut;
  uut.add("a", {5, 0});
  uut.rewind("a", {6, 0});
  uut.rewind("b", {1, 0});
  CAF_CHECK(last_of(uut, "a") == (event_id{5, 0}));
  uut.rewind("a", {3, 0});
  CAF_CHECK(last_of(uut, "a") == (event_id{3, 0}));
}
