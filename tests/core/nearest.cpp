#define CAF_SUITE core.nearest

#include "pulse/core/nearest.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

const std::vector<std::string> choices{"balanced", "broadcast", "keyed"};

} // namespace

CAF_TEST(the closest choice is found) {
  CAF_CHECK_EQUAL(nearest("balancd", choices), "balanced");
  CAF_CHECK_EQUAL(nearest("broadcat", choices), "broadcast");
  CAF_CHECK_EQUAL(nearest("boardcast", choices), "broadcast");
  CAF_CHECK_EQUAL(nearest("key", choices), "keyed");
  CAF_CHECK_EQUAL(nearest("keyed", choices), "keyed");
}

CAF_TEST(nothing is guessed from texts that are far away) {
  for (auto* text : {"", "x", "random", "zzzzzzzz"})
    CAF_CHECK_EQUAL(nearest(text, choices), "");
  CAF_CHECK_EQUAL(nearest(std::string(100'000, 'b'), choices), "");
  CAF_CHECK_EQUAL(nearest("balanced", {}), "");
}

CAF_TEST(the list names all choices and the guess) {
  CAF_CHECK_EQUAL(list_choices("foo", choices), "balanced, broadcast or keyed");
  CAF_CHECK_EQUAL(list_choices("keyd", choices),
                  "balanced, broadcast or keyed; did you mean keyed?");
  CAF_CHECK_EQUAL(list_choices("x", {"one"}), "one");
}
