#define CAF_SUITE core.delivery.held_queue

#include "pulse/core/delivery/held_queue.hpp"

#include <list>
#include <random>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

delivery_ticket ticket(uint64_t serial) {
  return {0, 1, serial};
}

void add(held_queue& to, uint64_t serial) {
  held_event x;
  x.what = ticket(serial);
  to.push_back(x);
}

std::string print(held_queue& x) {
  std::string result;
  for (auto* i = x.first(); i != nullptr; i = x.next(i))
    result += (result.empty() ? "" : " ") + std::to_string(i->what.serial);
  return result;
}

std::string print_backwards(held_queue& x) {
  std::string result;
  for (auto* i = x.last(); i != nullptr; i = x.previous(i))
    result = std::to_string(i->what.serial) + (result.empty() ? "" : " ")
             + result;
  return result;
}

} // namespace

CAF_TEST(a new queue is empty) {
  held_queue uut;
  CAF_CHECK(uut.empty());
  CAF_CHECK(uut.first() == nullptr && uut.last() == nullptr);
  CAF_CHECK(uut.find(ticket(1)) == nullptr);
  CAF_CHECK(uut.first_from(0) == nullptr);
}

CAF_TEST(events keep their order whatever is removed) {
  held_queue uut;
  for (uint64_t i = 1; i <= 5; ++i)
    add(uut, i);
  CAF_CHECK_EQUAL(print(uut), "1 2 3 4 5");
  uut.remove(uut.find(ticket(3)));
  uut.remove(uut.find(ticket(1)));
  uut.remove(uut.find(ticket(5)));
  CAF_CHECK_EQUAL(print(uut), "2 4");
  CAF_CHECK_EQUAL(print_backwards(uut), "2 4");
  CAF_CHECK_EQUAL(uut.size(), 2u);
  CAF_CHECK(uut.find(ticket(3)) == nullptr);
  add(uut, 6);
  CAF_CHECK_EQUAL(print(uut), "2 4 6");
  std::vector<held_event> all;
  uut.move_to(all);
  CAF_CHECK_EQUAL(all.size(), 3u);
  CAF_CHECK_EQUAL(all.front().what.serial, 2u);
  CAF_CHECK(uut.empty());
}

CAF_TEST(numbers grow and find the next event) {
  held_queue uut;
  for (uint64_t i = 1; i <= 3; ++i)
    add(uut, i);
  const auto second = uut.find(ticket(2))->number;
  CAF_CHECK_EQUAL(uut.first_from(second)->what.serial, 2u);
  uut.remove(uut.find(ticket(2)));
  CAF_CHECK_EQUAL(uut.first_from(second)->what.serial, 3u);
  CAF_CHECK(uut.first_from(uut.next_number()) == nullptr);
  uut.remove(uut.find(ticket(3)));
  CAF_CHECK(uut.first_from(second) == nullptr);
  add(uut, 4);
  CAF_CHECK_EQUAL(uut.first_from(second)->what.serial, 4u);
}

CAF_TEST(a queue does what a list does) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    std::minstd_rand random{seed};
    held_queue uut;
    std::list<uint64_t> model;
    uint64_t serial = 0;
    // Some queues stay short, others grow beyond what is scanned.
    const auto limit = seed % 2 == 0 ? 20u : 1'000u;
    for (int step = 0; step < 5'000; ++step) {
      if (model.size() < limit && random() % 5 < 3) {
        add(uut, ++serial);
        model.push_back(serial);
      } else if (!model.empty()) {
        auto i = model.begin();
        if (random() % 3 > 0)
          std::advance(i, random() % model.size());
        auto* x = uut.find(ticket(*i));
        if (x == nullptr)
          CAF_FAIL("lost " << *i << ", seed " << seed);
        uut.remove(x);
        model.erase(i);
      }
    }
    std::string expected;
    for (auto x : model)
      expected += (expected.empty() ? "" : " ") + std::to_string(x);
    CAF_REQUIRE_EQUAL(print(uut), expected);
    CAF_REQUIRE_EQUAL(print_backwards(uut), expected);
    CAF_REQUIRE_EQUAL(uut.size(), model.size());
  }
}
