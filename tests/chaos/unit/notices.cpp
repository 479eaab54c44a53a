#define CAF_SUITE chaos.notices

#include "chaos/unit/synthetic_run.hpp"

using namespace pulse::chaos;

namespace {

struct fixture : synthetic_run {
  // An event that is confirmed, and deleted before the sink has it.
  void add_and_delete(int64_t at, const std::string& kind) {
    const auto n = invoke(at);
    confirm(at + 1, n);
    fault(at + 100, at + 100, kind, "*");
  }

  // The group is moved over event 1. Its workers do not come to the end of the
  // stream soon.
  void move_over_one() {
    add(10);
    handle("audit-0", 20, 1, 0);
    add(30);
    fault(40, 40, "setid", "audit", "1 " + id(0) + " " + id(1));
    for (int i = 2; i < 20; ++i)
      add(30 + i);
    for (int i = 2; i < 20; ++i)
      handle("audit-0", 5'500 + i, 1, i);
  }

  void notice(int64_t at, const std::string& what) {
    line(nodes["audit-0"], at, "n " + what);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(notices_tests, fixture)

CAF_TEST(a loss with a notice is no violation) {
  add_and_delete(10, "flush");
  notice(600, "stream_reset loss 0");
  add_and_delete(30'000, "del");
  notice(30'500, "stream_reset loss 0");
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.deleted, 2u);
  CAF_CHECK(x.losses.at("audit") == std::make_pair(uint64_t{2}, uint64_t{2}));
}

CAF_TEST(a loss without a notice is silent) {
  add_and_delete(10, "flush");
  notice(600, "group_recovered fine 0");
  CAF_CHECK(only(judged(), "silent loss"));
}

CAF_TEST(a notice of another loss does not count) {
  add_and_delete(10, "flush");
  notice(600, "stream_reset loss 0");
  add_and_delete(60'000, "flush");
  CAF_CHECK(only(judged(), "silent loss"));
}

CAF_TEST(events that were handled before they were deleted are no loss) {
  add_and_delete(10, "flush");
  handle("audit-0", 20, 1, 0);
  CAF_CHECK(judged().good());
}

CAF_TEST(a notice of a loss without one is false) {
  add(10);
  handle("audit-0", 20, 1, 0);
  notice(600, "gap loss 7");
  CAF_CHECK(only(judged(), "false notice"));
  // Other faults do not delete events.
  fault(500, 550, "group-destroy", "audit", "0");
  fault(500, 550, "redis-kill", "*");
  CAF_CHECK(only(judged(), "false notice"));
}

CAF_TEST(events that Redis was not told to store may be lost) {
  settings += "fsync everysec\n";
  add(10);
  handle("audit-0", 20, 1, 0);
  fault(500, 550, "redis-kill", "*");
  notice(600, "stream_reset loss 0");
  CAF_CHECK(judged().good());
}

CAF_TEST(a group that was destroyed is recovered with a notice) {
  add(10);
  handle("audit-0", 20, 1, 0);
  fault(500, 500, "group-destroy", "audit");
  CAF_CHECK(only(judged(), "silent recovery"));
  notice(600, "group_recovered fine 0");
  CAF_CHECK(judged().good());
}

CAF_TEST(a member that opens its sink may create the group) {
  add(10);
  handle("audit-0", 20, 1, 0);
  fault(500, 500, "group-destroy", "audit");
  line(nodes["audit-1"], 600, "g");
  CAF_CHECK(judged().good());
}

CAF_TEST(a recovery of a group that nobody destroyed is false) {
  add(10);
  handle("audit-0", 20, 1, 0);
  notice(600, "group_recovered fine 0");
  CAF_CHECK(only(judged(), "false notice"));
  fault(500, 500, "group-destroy", "billing");
  CAF_CHECK(only(judged(), "false notice"));
}

CAF_TEST(a group that was moved forwards loses what it was moved over) {
  move_over_one();
  CAF_CHECK(only(judged(), "silent loss"));
  notice(600, "gap loss 1");
  CAF_CHECK(judged().good());
}

CAF_TEST(no notice is due if the moved group came to the end) {
  add(10);
  handle("audit-0", 20, 1, 0);
  add(30);
  fault(40, 40, "setid", "audit", "1 " + id(0) + " " + id(1));
  add(50);
  handle("audit-0", 60, 1, 2);
  CAF_CHECK(judged().good());
}

CAF_TEST(a keyed sink may come to the end before its workers begin) {
  sink("audit-0", "audit keyed");
  move_over_one();
  CAF_CHECK(judged().good());
}

CAF_TEST(a moved group loses nothing else) {
  add(10);
  add(11);
  handle("audit-0", 20, 1, 0);
  add(30);
  fault(40, 40, "setid", "audit", "1 " + id(1) + " " + id(2));
  notice(600, "gap loss 1");
  CAF_CHECK(only(judged(), "lost"));
}

CAF_TEST(what a deleted consumer held is not lost) {
  add(10);
  add(11);
  fault(40, 40, "del-consumer", "audit-0", "2");
  CAF_CHECK_EQUAL(count(judged(), "lost"), 2u);
}

CAF_TEST(what a deleted consumer held is lost if its node dies) {
  add(10);
  add(11);
  fault(40, 40, "del-consumer", "audit-0", "1");
  fault(60, 90, "kill", "audit-0");
  CAF_CHECK(only(judged(), "lost"));
  CAF_CHECK_EQUAL(count(judged(), "lost"), 1u);
  faults.clear();
  fault(40, 40, "del-consumer", "audit-0", "2");
  fault(60, 90, "kill", "audit-0");
  CAF_CHECK(judged().good());
}

CAF_TEST(a deleted consumer explains the notice that it was deleted) {
  add(10);
  handle("audit-0", 20, 1, 0);
  notice(600, "consumer_deleted fine 0");
  CAF_CHECK(only(judged(), "false notice"));
  fault(40, 40, "del-consumer", "audit-0", "1");
  CAF_CHECK(judged().good());
}

CAF_TEST_FIXTURE_SCOPE_END()
