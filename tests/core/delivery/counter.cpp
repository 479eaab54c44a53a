#define CAF_SUITE core.delivery.counter

#include "pulse/core/delivery/counter.hpp"

#include <limits>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

// "deliveries failures crashes", and "marked".
std::string show(const stored_counts& x) {
  return std::to_string(x.counts.deliveries) + " "
         + std::to_string(x.counts.failures) + " "
         + std::to_string(x.counts.crashes) + (x.marked ? " marked" : "");
}

} // namespace

CAF_TEST(an event that never failed is counted as Redis does) {
  CAF_CHECK_EQUAL(pack({1, 0, 0}), 1);
  CAF_CHECK_EQUAL(pack({17, 0, 0}), 17);
  CAF_CHECK_EQUAL(show(unpack(17)), "17 0 0");
}

CAF_TEST(counts can be read in the number and come back) {
  CAF_CHECK_EQUAL(pack({7, 3, 2}), 2'00003'00007);
  CAF_CHECK_EQUAL(pack({7, 3, 2}, true), 1'0002'00003'00007);
  CAF_CHECK_EQUAL(show(unpack(pack({7, 3, 2}))), "7 3 2");
  CAF_CHECK_EQUAL(show(unpack(pack({7, 3, 2}, true))), "7 3 2 marked");
}

CAF_TEST(one more delivery changes nothing else) {
  const auto most = std::numeric_limits<uint32_t>::max();
  auto full = pack({most, most, most}, true);
  CAF_CHECK_LESS(full, int64_t{1} << 53);
  CAF_CHECK_EQUAL(show(unpack(full + 10)), "99010 99999 9999 marked");
  CAF_CHECK_EQUAL(show(unpack(pack({1, 1, 1}) + 1)), "2 1 1");
}

CAF_TEST(what others wrote makes no harm) {
  CAF_CHECK_EQUAL(show(unpack(-1)), "0 0 0");
  CAF_CHECK_EQUAL(show(unpack(0)), "0 0 0");
  CAF_CHECK_EQUAL(show(unpack(std::numeric_limits<int64_t>::max())),
                  "75807 68547 7203 marked");
}
