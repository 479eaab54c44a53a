#define CAF_SUITE processes.rolling_upgrade

#include "support/redis_fixture.hpp"
#include "support/worker_process.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

// Two nodes of a service that adds events and handles them are replaced one
// after the other, while both are at work. The new nodes run
// $PULSE_OTHER_WORKER if it is set: the program pulse-test-worker of another
// build, e.g. one with CAF 1.x. Such nodes share streams and sinks although
// they cannot talk to each other.

namespace {

const std::string this_version = PULSE_TEST_WORKER;

std::string other_version() {
  const auto* path = std::getenv("PULSE_OTHER_WORKER");
  return path != nullptr ? path : this_version;
}

struct fixture : redis_fixture {
  using node_ptr = std::unique_ptr<worker_process>;

  std::multiset<std::string> began;
  std::set<std::string> ended;
  std::set<std::string> added;

  node_ptr start_node(const std::string& program, bool adds = true) {
    std::vector<std::string> command{program,  server.url(), "billing",
                                     "orders", "1000",       "500"};
    if (adds)
      command.emplace_back("1000");
    auto result = std::make_unique<worker_process>(command);
    CAF_REQUIRE(result->wait_for_lines(1));
    return result;
  }

  /// Waits until the node has added and handled events.
  void let_work(worker_process& node) {
    CAF_REQUIRE(eventually(
      [&] {
        return node.lines_of("added").size() >= 50
               && node.lines_of("end").size() >= 50;
      },
      60s));
  }

  void collect(worker_process& node) {
    for (auto& id : node.lines_of("begin"))
      began.insert(id);
    for (auto& id : node.lines_of("end"))
      ended.insert(id);
    for (auto& id : node.lines_of("added"))
      added.insert(id);
  }

  void stop(worker_process& node) {
    node.send(SIGTERM);
    const auto status = node.reap();
    CAF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
    collect(node);
  }

  /// Starts the new node, and stops the old one when the new one is at work.
  void replace(node_ptr& node, const std::string& program) {
    auto successor = start_node(program);
    let_work(*successor);
    stop(*node);
    node = std::move(successor);
  }

  /// Stops both nodes, and lets a last one handle what they left.
  void stop_and_drain(worker_process& first, worker_process& second) {
    stop(first);
    stop(second);
    auto last = start_node(this_version, false);
    auto stream = must(ps.stream("orders"));
    CAF_REQUIRE(eventually(
      [&] {
        const auto groups = must(stream.info()).groups;
        return groups.size() == 1 && groups[0].pending == 0
               && groups[0].lag == 0;
      },
      60s));
    stop(*last);
  }

  void check_nothing_lost() {
    CAF_CHECK(!added.empty());
    CAF_CHECK(
      std::includes(ended.begin(), ended.end(), added.begin(), added.end()));
    CAF_CHECK_EQUAL(raw({"XLEN", "pulse:stream:orders:dead:billing"}), "0");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(rolling_upgrade_tests, fixture)

CAF_TEST(an upgrade under load and the way back handle each event once) {
  auto first = start_node(this_version);
  auto second = start_node(this_version);
  let_work(*first);
  let_work(*second);
  for (const auto& program : {other_version(), this_version}) {
    replace(first, program);
    replace(second, program);
  }
  stop_and_drain(*first, *second);
  check_nothing_lost();
  CAF_CHECK_EQUAL(began.size(), ended.size());
  CAF_MESSAGE("handled " << ended.size() << " events");
}

CAF_TEST(nodes of the old version take over from a killed new one) {
  auto old_node = start_node(this_version);
  auto new_node = start_node(other_version());
  let_work(*old_node);
  let_work(*new_node);
  new_node->send(SIGKILL);
  new_node->reap();
  collect(*new_node);
  auto successor = start_node(other_version());
  let_work(*successor);
  stop_and_drain(*old_node, *successor);
  check_nothing_lost();
  // Only events that the killed node held may be handled twice.
  std::set<std::string> of_killed;
  for (auto& id : new_node->lines_of("begin"))
    of_killed.insert(id);
  for (const auto& id : ended)
    CAF_CHECK(began.count(id) == 1 || of_killed.count(id) == 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
