#define CAF_SUITE core.delivery.partition

#include "pulse/core/delivery/partition.hpp"

#include <array>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

size_t of(const std::string& topic) {
  return partition_of(topic, {1, 0});
}

} // namespace

// Members of different versions must agree.
CAF_TEST(the partition of a topic never changes) {
  CAF_CHECK_EQUAL(of("t0"), 39u);
  CAF_CHECK_EQUAL(of("orders/eu"), 26u);
  CAF_CHECK_EQUAL(of(std::string(512, '\xff')), 40u);
}

CAF_TEST(an event without a topic has the partition of its ID) {
  CAF_CHECK_EQUAL(partition_of({}, {1700000000000, 7}), of("1700000000000-7"));
}

CAF_TEST(numbered topics spread evenly) {
  std::array<int, partition_count> counts{};
  for (int i = 0; i < 6'400; ++i)
    ++counts[of("customer:" + std::to_string(i))];
  for (auto n : counts) {
    CAF_CHECK_GREATER(n, 50);
    CAF_CHECK_LESS(n, 200);
  }
}
