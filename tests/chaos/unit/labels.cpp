#define CAF_SUITE chaos.labels

#include "chaos/node/labels.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse::chaos;

CAF_TEST(a payload has its label whatever its size is) {
  for (size_t size : {0, 1, 5, 8, 9, 10, 11, 100, 1 << 20}) {
    const auto payload = payload_of("p:17", size);
    CAF_CHECK_EQUAL(label_of(payload), "p:17");
    CAF_CHECK_EQUAL(payload.size(), size > 10 ? size : 4);
  }
}

CAF_TEST(a payload that lost its end is found) {
  const auto payload = payload_of("p:17", 100);
  CAF_CHECK_EQUAL(label_of(payload.substr(0, 99)), "p:17(damaged)");
  CAF_CHECK_EQUAL(label_of(payload.substr(0, 50)), "p:17(damaged)");
}
