#define CAF_SUITE chaos.order

#include "chaos/unit/synthetic_run.hpp"

using namespace pulse::chaos;

namespace {

// The topic of an event is its number modulo 4, so 0 and 4 have the same topic.
struct fixture : synthetic_run {
  fixture() {
    for (int i = 0; i < 5; ++i)
      add(10 + i);
  }

  void rest(int from, int to) {
    for (int i = from; i <= to; ++i)
      handle("audit-0", 500 + 10 * i, 9, i);
  }

  void keyed() {
    nodes.clear();
    sink("audit-0", "audit keyed");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(order_tests, fixture)

CAF_TEST(first deliveries to a worker come in the order of the stream) {
  rest(0, 4);
  CAF_CHECK(judged().good());
  nodes.clear();
  sink("audit-0", "audit balanced");
  handle("audit-0", 100, 9, 3);
  rest(0, 2);
  handle("audit-0", 900, 9, 4);
  CAF_CHECK(only(judged(), "order", 3));
}

CAF_TEST(a redelivery may come late) {
  handle("audit-0", 100, 9, 1);
  handle("audit-0", 200, 9, 0, 2);
  rest(2, 4);
  CAF_CHECK(judged().good());
}

CAF_TEST(what another instance handed back may come late) {
  handle("audit-0", 100, 9, 1);
  handle("audit-0", 200, 9, 0);
  rest(2, 4);
  CAF_CHECK(only(judged(), "order"));
  line(nodes["audit-1"], 90, "k");
  line(nodes["audit-1"], 95, "q");
  CAF_CHECK(judged().good());
}

CAF_TEST(a topic goes on after its event is through) {
  keyed();
  start("audit-0", 100, 1, 0);
  end("audit-0", 110, 1, "e");
  handle("audit-0", 200, 1, 0, 2);
  handle("audit-0", 210, 1, 4);
  rest(1, 3);
  CAF_CHECK(judged().good());
}

CAF_TEST(a later event of a topic must not pass one that waits) {
  keyed();
  start("audit-0", 100, 1, 0);
  end("audit-0", 110, 1, "e");
  handle("audit-0", 150, 1, 4);
  handle("audit-0", 200, 1, 0, 2);
  rest(1, 3);
  CAF_CHECK(only(judged(), "keyed order"));
}

CAF_TEST(two events of a topic must not run at the same time) {
  keyed();
  start("audit-0", 100, 1, 0);
  handle("audit-0", 105, 2, 4);
  end("audit-0", 110, 1);
  rest(1, 3);
  CAF_CHECK(only(judged(), "keyed order"));
}

CAF_TEST(an event must not pass one of its topic on another node) {
  keyed();
  sink("audit-1", "audit keyed");
  start("audit-0", 100, 1, 0);
  handle("audit-1", 105, 1, 4);
  end("audit-0", 110, 1);
  rest(1, 3);
  CAF_CHECK(only(judged(), "keyed order"));
}

CAF_TEST(an event must not begin after a later one of its topic) {
  keyed();
  sink("audit-1", "audit keyed");
  handle("audit-0", 100, 1, 4);
  handle("audit-1", 150, 1, 0);
  rest(1, 3);
  CAF_CHECK(only(judged(), "keyed order"));
}

CAF_TEST(nodes share topics in order) {
  keyed();
  sink("audit-1", "audit keyed");
  handle("audit-0", 100, 1, 0);
  handle("audit-1", 150, 1, 4);
  rest(1, 3);
  CAF_CHECK(judged().good());
}

CAF_TEST(a topic goes on after its event became a dead letter) {
  keyed();
  start("audit-0", 100, 1, 0);
  end("audit-0", 110, 1, "e");
  final += "dead audit " + label(0) + "\n";
  handle("audit-0", 150, 1, 4);
  rest(1, 3);
  CAF_CHECK(judged().good());
}

CAF_TEST_FIXTURE_SCOPE_END()
