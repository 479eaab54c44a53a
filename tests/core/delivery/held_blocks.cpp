#define CAF_SUITE core.delivery.held_blocks

#include "pulse/core/delivery/held_blocks.hpp"

#include <memory>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

// The events of a reply of so many bytes.
std::vector<event> reply(size_t bytes, uint32_t events) {
  auto block = std::make_shared<event_block>();
  block->bytes.reserve(bytes);
  block->bytes.assign(bytes, 'x');
  block->streams.emplace_back("a");
  block->extents.resize(events);
  std::vector<event> result;
  for (uint32_t i = 0; i < events; ++i)
    result.emplace_back(block, i);
  return result;
}

} // namespace

CAF_TEST(a reply counts until its last event is gone) {
  held_blocks uut;
  const auto a = reply(1'000, 2);
  const auto i = uut.add(a[0]);
  CAF_CHECK_EQUAL(uut.add(a[1]), i);
  CAF_CHECK_EQUAL(uut.bytes(), 1'000u);
  uut.remove(i);
  CAF_CHECK_EQUAL(uut.bytes(), 1'000u);
  uut.remove(i);
  CAF_CHECK_EQUAL(uut.bytes(), 0u);
}

CAF_TEST(several replies are added up) {
  held_blocks uut;
  const auto large = reply(1'000, 1);
  const auto small = reply(100, 1);
  const auto a = uut.add(large[0]);
  const auto b = uut.add(small[0]);
  CAF_CHECK_EQUAL(uut.bytes(), 1'100u);
  uut.remove(a);
  CAF_CHECK_EQUAL(uut.bytes(), 100u);
  uut.remove(b);
  CAF_CHECK_EQUAL(uut.bytes(), 0u);
  uut.remove(uut.add(small[0])); // the same reply comes again
  CAF_CHECK_EQUAL(uut.bytes(), 0u);
}

CAF_TEST(many replies that come and go need little memory) {
  held_blocks uut;
  held_blocks::index highest = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto first = reply(10'000, 1);
    const auto second = reply(10'000, 1);
    const auto a = uut.add(first[0]);
    const auto b = uut.add(second[0]);
    highest = std::max({highest, a, b});
    uut.remove(a);
    uut.remove(b);
  }
  CAF_CHECK_LESS(highest, 2u);
  CAF_CHECK_EQUAL(uut.bytes(), 0u);
}
