#define CAF_SUITE chaos.counts

#include "chaos/unit/synthetic_run.hpp"

using namespace pulse::chaos;

namespace {

struct fixture : synthetic_run {
  fixture() {
    add(10);
  }

  // Workers of audit-0 quit while they work on the event: so many times.
  void quit(int times) {
    for (int i = 0; i < times; ++i) {
      start("audit-0", 20 + 10 * i, i, 0, i + 1);
      end("audit-0", 21 + 10 * i, i, "l");
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(counts_tests, fixture)

CAF_TEST(a delivery that is not counted is found) {
  start("audit-0", 20, 1, 0);
  end("audit-0", 21, 1, "l");
  handle("audit-0", 30, 2, 0, 1);
  CAF_CHECK(only(judged(), "not counted"));
}

CAF_TEST(a failure that is not counted is found) {
  start("audit-0", 20, 1, 0);
  end("audit-0", 21, 1, "e");
  handle("audit-0", 30, 2, 0, 2, 0);
  CAF_CHECK(only(judged(), "not counted"));
}

CAF_TEST(a crash that is not counted is found) {
  start("audit-0", 20, 1, 0);
  end("audit-0", 21, 1, "c");
  handle("audit-0", 30, 2, 0, 2, 0, 0);
  CAF_CHECK(only(judged(), "not counted"));
}

CAF_TEST(a fault explains counts that are missing) {
  start("audit-0", 20, 1, 0);
  end("audit-0", 21, 1, "e");
  handle("audit-1", 1'500, 2, 0, 2, 0);
  fault(22, 22, "kill", "audit-0");
  CAF_CHECK(judged().good());
}

CAF_TEST(an event waits for its pause after a failure) {
  sink("audit-2", "audit balanced 100,5000");
  start("audit-2", 20, 1, 0);
  end("audit-2", 21, 1, "e");
  start("audit-2", 99, 1, 0, 2);
  end("audit-2", 100, 1, "e");
  handle("audit-2", 3'860, 1, 0, 3);
  CAF_CHECK(judged().good());
  add(9'000);
  start("audit-2", 9'020, 1, 1);
  end("audit-2", 9'021, 1, "e");
  handle("audit-2", 9'090, 1, 1, 2);
  CAF_CHECK(only(judged(), "too soon"));
}

CAF_TEST(an event that comes long after its pause is late) {
  sink("audit-2", "audit balanced 100");
  start("audit-2", 20, 1, 0);
  end("audit-2", 21, 1, "e");
  handle("audit-2", 150, 1, 0, 2);
  CAF_CHECK_EQUAL(judged().pause_overrun.percentile(1), 4'000);
}

CAF_TEST(an event is not to blame for a worker that quits) {
  quit(1);
  handle("audit-0", 90, 9, 0, 2, 1);
  CAF_CHECK(only(judged(), "blamed"));
}

CAF_TEST(an event at which a fourth worker quits counts a failure) {
  quit(4);
  handle("audit-0", 90, 9, 0, 5, 1);
  CAF_CHECK(judged().good());
}

CAF_TEST(a worker that ends after the event before counts as well) {
  quit(3);
  handle("audit-0", 90, 9, 0, 4, 1);
  CAF_CHECK(only(judged(), "blamed"));
  line(nodes["audit-0"], 55, "r 7");
  CAF_CHECK(judged().good());
}

CAF_TEST_FIXTURE_SCOPE_END()
