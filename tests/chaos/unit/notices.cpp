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
  fault(500, 550, "group-destroy", "*");
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

CAF_TEST_FIXTURE_SCOPE_END()
