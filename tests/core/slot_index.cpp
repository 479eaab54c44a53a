#define CAF_SUITE core.slot_index

#include "pulse/core/slot_index.hpp"

#include <map>
#include <random>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

// A table whose slots have keys, as the owners of an index have it.
struct table {
  std::map<uint32_t, uint64_t> keys;
  slot_index index;
  // Keys with the same remainder have the same hash.
  uint64_t hashes = UINT64_MAX;

  void insert(uint32_t slot, uint64_t key) {
    keys[slot] = key;
    index.insert(key % hashes, slot);
  }

  void erase(uint32_t slot) {
    index.erase(keys[slot] % hashes, slot);
    keys.erase(slot);
  }

  std::optional<uint32_t> find(uint64_t key) const {
    return index.find(key % hashes, [&](uint32_t slot) {
      const auto i = keys.find(slot);
      CAF_REQUIRE(i != keys.end()); // no slot that was erased
      return i->second == key;
    });
  }

  void check(uint64_t keys_in_all) const {
    std::map<uint64_t, uint32_t> wanted;
    for (const auto& [slot, key] : keys)
      wanted[key] = slot;
    for (uint64_t key = 0; key < keys_in_all; ++key) {
      const auto found = find(key);
      const auto i = wanted.find(key);
      CAF_REQUIRE_EQUAL(found.has_value(), i != wanted.end());
      CAF_REQUIRE(!found || *found == i->second);
    }
    CAF_REQUIRE_EQUAL(index.size(), keys.size());
  }
};

// Inserts and erases at random, with more of the former first, then of the
// latter.
void change_and_check(uint64_t hashes, uint32_t seed) {
  constexpr uint64_t keys = 200;
  table uut;
  uut.hashes = hashes;
  std::minstd_rand random{seed};
  for (int step = 0; step < 2'000; ++step) {
    const uint64_t key = random() % keys;
    const auto found = uut.find(key);
    const bool inserts = random() % 10 < (step < 1'000 ? 7u : 3u);
    if (inserts && !found)
      uut.insert(static_cast<uint32_t>(key * 7), key);
    else if (!inserts && found)
      uut.erase(*found);
    if (step % 50 == 0)
      uut.check(keys);
  }
}

} // namespace

CAF_TEST(an empty index finds nothing) {
  table uut;
  CAF_CHECK(!uut.find(0));
  CAF_CHECK_EQUAL(uut.index.size(), 0u);
}

CAF_TEST(slots are found by their keys until they are erased) {
  for (uint32_t seed = 1; seed <= 10; ++seed)
    change_and_check(UINT64_MAX, seed);
}

CAF_TEST(slots with the same hash are told apart) {
  for (uint64_t hashes : {1u, 2u, 7u, 40u})
    change_and_check(hashes, 1);
}

CAF_TEST(the slot 0 and the highest slots are slots as any other) {
  table uut;
  uut.insert(0, 1);
  uut.insert(UINT32_MAX - 1, 2);
  CAF_CHECK(uut.find(1) == 0u);
  CAF_CHECK(uut.find(2) == UINT32_MAX - 1);
}
