#define CAF_SUITE processes.poison

#include "support/redis_fixture.hpp"
#include "support/worker_process.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : redis_fixture {
  std::unique_ptr<worker_process> start_node() {
    auto result = std::make_unique<worker_process>(std::vector<std::string>{
      PULSE_TEST_WORKER, server.url(), "billing", "orders", "500", "100"});
    CAF_REQUIRE(result->wait_for_lines(1));
    return result;
  }

  std::set<std::string> ended;

  void note_ended(worker_process& node) {
    for (auto& id : node.lines_of("end"))
      ended.insert(id);
  }

  std::string letters() {
    return raw({"XRANGE", "pulse:stream:orders:dead:billing", "-", "+"});
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(poison_tests, fixture)

CAF_TEST(an event that kills every node becomes a dead letter and no other) {
  add_numbers("orders", 20);
  auto stream = must(ps.stream("orders"));
  const auto poison = to_string(must(stream.add("number", "poison")));
  add_numbers("orders", 400, 20);
  std::vector<std::string> counts;
  for (int i = 0; i < 3; ++i) { // max_crashes
    auto node = start_node();
    CAF_CHECK(WEXITSTATUS(node->reap()) == EXIT_FAILURE);
    const auto began = node->lines_of("begin");
    CAF_CHECK_EQUAL(std::count(began.begin(), began.end(), poison), 1);
    note_ended(*node);
    for (auto& x : node->lines_of("again"))
      if (x.compare(0, poison.size(), poison) == 0)
        counts.push_back(x.substr(poison.size() + 1));
    CAF_CHECK_EQUAL(letters(), "");
  }
  CAF_CHECK_EQUAL(counts, (std::vector<std::string>{"2 0 1", "3 0 2"}));
  auto last = start_node();
  CAF_CHECK(eventually(
    [&] {
      note_ended(*last);
      return ended.size() == 420;
    },
    60s));
  CAF_CHECK(eventually([&] { return raw.pending("orders", "billing") == 0; }));
  CAF_CHECK_EQUAL(raw.number({"XLEN", "pulse:stream:orders:dead:billing"}), 1);
  const auto letter = letters();
  for (auto& what : {"x-id " + poison, "x-crashes 3"s, "x-failures 0"s,
                     "x-deliveries 3"s, "died 3 times"s}) {
    CAF_MESSAGE(what);
    CAF_CHECK(letter.find(what) != std::string::npos);
  }
  last->send(SIGTERM);
  CAF_CHECK_EQUAL(last->reap(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
