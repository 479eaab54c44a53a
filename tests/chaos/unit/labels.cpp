#define CAF_SUITE chaos.labels

#include "chaos/node/labels.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse::chaos;

CAF_TEST(a payload has its label whatever its size is) {
  for (const size_t size : {0u, 1u, 5u, 8u, 9u, 10u, 11u, 100u, 1u << 20}) {
    const auto payload = payload_of("p:17", size);
    CAF_CHECK_EQUAL(label_of(payload), "p:17");
    CAF_CHECK_EQUAL(payload.size(), size > 10 ? size : size_t{4});
  }
}

CAF_TEST(a payload that lost its end is found) {
  const auto payload = payload_of("p:17", 100);
  CAF_CHECK_EQUAL(label_of(payload.substr(0, 99)), "p:17(damaged)");
  CAF_CHECK_EQUAL(label_of(payload.substr(0, 50)), "p:17(damaged)");
}
