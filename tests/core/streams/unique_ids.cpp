#define CAF_SUITE core.streams.unique_ids

#include "pulse/core/streams/unique_ids.hpp"

#include <limits>
#include <set>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

CAF_TEST(a hundred thousand IDs of two sources are all different) {
  std::set<std::string> all;
  unique_ids one{1};
  unique_ids two{2};
  for (int i = 0; i < 100'000; ++i) {
    all.emplace(one.next());
    all.emplace(two.next());
  }
  CAF_CHECK_EQUAL(all.size(), 200'000u);
}

CAF_TEST(IDs are short and of letters and digits) {
  unique_ids uut{std::numeric_limits<uint64_t>::max()};
  std::string last;
  for (int i = 0; i < 10'000; ++i)
    last = uut.next();
  CAF_CHECK_EQUAL(last.size(), 11u);
  for (auto c : last)
    CAF_CHECK((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
              || (c >= 'a' && c <= 'z'));
}
