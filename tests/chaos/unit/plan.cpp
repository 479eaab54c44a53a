#define CAF_SUITE chaos.plan

#include "chaos/runner/plan.hpp"

#include "chaos/node/misbehaviour.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse::chaos;

namespace {

plan_options options(uint64_t seed) {
  plan_options result;
  result.seed = seed;
  result.duration_ms = 300'000;
  result.kinds = random_faults();
  result.slots = {{true, true}, {true, false}, {false, true}, {false, false}};
  return result;
}

} // namespace

CAF_TEST(the same seed makes the same plan) {
  const auto a = make_plan(options(7));
  const auto b = make_plan(options(7));
  const auto c = make_plan(options(8));
  auto same = [](const planned_fault& x, const planned_fault& y) {
    return x.at_ms == y.at_ms && x.length_ms == y.length_ms && x.what == y.what
           && x.slot == y.slot && x.variant == y.variant;
  };
  CAF_CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end(), same));
  CAF_CHECK(!std::equal(a.begin(), a.end(), c.begin(), c.end(), same));
}

CAF_TEST(every kind of fault comes and hits only whom it may) {
  const auto how = options(1);
  std::map<fault_kind, int> counts;
  size_t wrong = 0;
  for (const auto& x : make_plan(how)) {
    ++counts[x.what];
    if (x.at_ms >= how.duration_ms
        || (x.what == fault_kind::kill && how.slots[x.slot].veteran)
        || (x.what == fault_kind::close && !how.slots[x.slot].sink))
      ++wrong;
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(counts.size(), random_faults().size());
  for (const auto& [kind, n] : counts)
    CAF_CHECK(n >= 5);
}

CAF_TEST(nobody is hit by two faults at a time) {
  std::map<std::pair<bool, size_t>, int64_t> busy_until;
  size_t overlaps = 0;
  for (const auto& x : make_plan(options(3))) {
    auto& until = busy_until[{is_global(x.what), x.slot}];
    overlaps += until > x.at_ms ? 1 : 0;
    until = x.at_ms + x.length_ms;
  }
  CAF_CHECK_EQUAL(overlaps, 0u);
}

CAF_TEST(a long run gets its one outage) {
  auto how = options(1);
  how.outage_ms = 15'000;
  const auto plan = make_plan(how);
  auto is_outage = [](const planned_fault& x) {
    return x.what == fault_kind::outage;
  };
  CAF_CHECK_EQUAL(std::count_if(plan.begin(), plan.end(), is_outage), 1);
}

CAF_TEST(faults are known by their names) {
  for (auto x : random_faults()) {
    std::vector<fault_kind> read;
    CAF_CHECK(from_string("kill," + to_string(x), read));
    CAF_REQUIRE_EQUAL(read.size(), 2u);
    CAF_CHECK(read[1] == x);
  }
  std::vector<fault_kind> none;
  CAF_CHECK(!from_string("kill,rain", none));
}

CAF_TEST(misdeeds are known by their names) {
  for (auto x : all_misdeeds()) {
    std::vector<misdeed> read;
    CAF_CHECK(from_string("crash," + to_string(x), read));
    CAF_REQUIRE_EQUAL(read.size(), 2u);
    CAF_CHECK(read[1] == x);
  }
  std::vector<misdeed> none;
  CAF_CHECK(!from_string("crash,kindness", none));
}

CAF_TEST(workers quit at one to five attempts) {
  misdeed_rates rates;
  rates[misdeed::quit] = 1;
  std::map<uint32_t, int> quits;
  for (int i = 0; i < 1'000; ++i) {
    uint32_t n = 0;
    while (choose_misdeed(rates, 1, "audit", "p.1:" + std::to_string(i), n + 1)
           == misdeed::quit)
      ++n;
    ++quits[n];
  }
  CAF_CHECK_EQUAL(quits.size(), 5u);
  CAF_CHECK_EQUAL(quits.count(0) + quits.count(6), 0u);
}

CAF_TEST(misdeeds depend on the event alone and come at their rate) {
  misdeed_rates rates;
  rates[misdeed::crash] = 10;
  rates[misdeed::poison] = 100;
  int crashes = 0;
  int poison = 0;
  int wrong = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto event = "p.1:" + std::to_string(i);
    const auto first = choose_misdeed(rates, 1, "audit", event, 1);
    const auto second = choose_misdeed(rates, 1, "audit", event, 2);
    crashes += first == misdeed::crash ? 1 : 0;
    poison += first == misdeed::poison ? 1 : 0;
    const auto later = first == misdeed::poison ? first : misdeed::none;
    if (second != later || first != choose_misdeed(rates, 1, "audit", event, 1))
      ++wrong;
  }
  CAF_CHECK_EQUAL(wrong, 0);
  CAF_CHECK(crashes > 800 && crashes < 1'200);
  CAF_CHECK(poison > 60 && poison < 150);
}
