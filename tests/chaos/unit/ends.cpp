#define CAF_SUITE chaos.ends

#include "chaos/unit/synthetic_run.hpp"

using namespace pulse::chaos;

namespace {

struct fixture : synthetic_run {
  void memory(const std::string& slot, int n, int64_t from, int64_t step) {
    for (int i = 0; i < n; ++i)
      line(samples, i * 1'000, slot + " " + std::to_string(from + i * step));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(ends_tests, fixture)

CAF_TEST(nothing may be left at the end) {
  CAF_CHECK(judged().good());
  for (const auto* left : {"group audit 1 through\n", "group audit 0 behind\n",
                           "group audit 0 through a.1.x\n", ""}) {
    groups = left;
    CAF_CHECK(only(judged(), "stuck"));
  }
}

CAF_TEST(a process that ended badly is reported) {
  final += "bad audit-0 died of signal 11\n";
  CAF_CHECK(only(judged(), "bad end"));
}

CAF_TEST(memory that grows is found) {
  memory("audit-0", 100, 50'000, 10);
  CAF_CHECK(judged().good());
  CAF_CHECK_EQUAL(judged().notes.size(), 1u);
  memory("audit-1", 100, 50'000, 1'000);
  CAF_CHECK(only(judged(), "memory"));
}

CAF_TEST(a short run says nothing about memory) {
  memory("audit-0", 20, 10'000, 10'000);
  CAF_CHECK(judged().good());
  CAF_CHECK(judged().notes.empty());
}

CAF_TEST(an outage may cost neither many attempts nor the processor) {
  final += "outage audit-0 10.0 0.05 2 10\n";
  CAF_CHECK(judged().good());
  final += "outage audit-1 10.0 0.05 2 23\n";
  CAF_CHECK(only(judged(), "busy outage"));
  final += "outage audit-2 10.0 5 2 10\n";
  CAF_CHECK(only(judged(), "busy outage"));
  settings += "judge_times 1\n";
  CAF_CHECK(only(judged(), "busy outage", 2));
}

CAF_TEST_FIXTURE_SCOPE_END()
