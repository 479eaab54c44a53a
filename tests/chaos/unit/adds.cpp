#define CAF_SUITE chaos.adds

#include "chaos/unit/synthetic_run.hpp"

using namespace pulse::chaos;

namespace {

struct fixture : synthetic_run {
  // Event 0 is stored and handled, so without further lines the run is good.
  fixture() {
    add(10);
    handle("audit-0", 20, 1, 0);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(adds_tests, fixture)

CAF_TEST(a run in which all is well is good) {
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.invoked, 1u);
  CAF_CHECK_EQUAL(x.confirmed, 1u);
  CAF_CHECK_EQUAL(x.stored, 1u);
  CAF_CHECK_EQUAL(x.add_to_delivery.percentile(1), 10'000);
}

CAF_TEST(a confirmed add that Redis does not hold is lost) {
  confirm(31, invoke(30));
  CAF_CHECK(only(judged(), "lost"));
}

CAF_TEST(a Redis that syncs every second may lose what came just before) {
  settings += "fsync everysec\n";
  confirm(31, invoke(30));
  fault(500, 900, "redis-kill", "*");
  auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.lost_by_redis, 1u);
  faults.clear();
  fault(9'000, 9'500, "redis-kill", "*");
  CAF_CHECK(only(judged(), "lost"));
}

CAF_TEST(a Redis that syncs always may lose nothing) {
  confirm(31, invoke(30));
  fault(500, 900, "redis-kill", "*");
  CAF_CHECK(only(judged(), "lost"));
}

CAF_TEST(an event that is stored twice is found) {
  final += "entry 77-0 " + label(0) + "\n";
  CAF_CHECK(only(judged(), "stored twice"));
}

CAF_TEST(an add with unknown outcome may be there or not ) {
  const auto stored = invoke(30);
  answer(31, "u 1 connection_lost");
  store(stored);
  handle("audit-1", 40, 1, stored);
  invoke(50);
  answer(51, "u 2 connection_lost");
  invoke(60); // its producer was killed
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.unknown, 3u);
  CAF_CHECK_EQUAL(x.unknown_stored, 1u);
}

CAF_TEST(an add that is said to have failed must not be there) {
  const auto n = invoke(30);
  answer(31, "f 1 connect_failed");
  CAF_CHECK(judged().good());
  store(n);
  handle("audit-1", 40, 1, n);
  CAF_CHECK(only(judged(), "phantom"));
}

CAF_TEST(an event that nobody added is a phantom) {
  final += "entry 77-0 p.1:99\n";
  CAF_CHECK(only(judged(), "phantom"));
}

CAF_TEST(a reader that was there all the time sees everything in order) {
  line(nodes["reader-0"], 1, "role reader oldest");
  line(nodes["reader-0"], 2, "v " + label(0) + " " + id(0));
  line(nodes["reader-0"], 90, "x");
  CAF_CHECK(judged().good());
  add(30);
  handle("audit-0", 40, 1, 1);
  CAF_CHECK(only(judged(), "lost"));
  auto text = nodes["reader-0"];
  nodes["reader-0"].clear();
  line(nodes["reader-0"], 1, "role reader oldest");
  line(nodes["reader-0"], 2, "v " + label(1) + " " + id(1));
  line(nodes["reader-0"], 3, "v " + label(0) + " " + id(0));
  CAF_CHECK(only(judged(), "order"));
}

CAF_TEST(a reader that was killed need not see everything) {
  line(nodes["reader-0"], 1, "role reader oldest");
  CAF_CHECK(judged().good());
}

CAF_TEST_FIXTURE_SCOPE_END()
