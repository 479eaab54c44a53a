#define CAF_SUITE chaos.readiness

#include "chaos/runner/fleet.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse::chaos;

namespace {

// A program that replaces pulse-chaos-node. Any signal kills it until it is
// ready, and it needs a while to become ready.
constexpr const char* late_node = R"(#!/bin/sh
directory=$(dirname "$0")
sleep 1
trap 'echo usr1 >>"$directory/signals"' USR1
trap 'exit 0' TERM
echo ready
echo open
while :; do sleep 0.05; done
)";

struct fixture {
  std::string directory = "/tmp/pulse-readiness-XXXXXX";
  run_options how;
  proxy links{"/nonexistent", 1};

  fixture() {
    CAF_REQUIRE(::mkdtemp(directory.data()) != nullptr);
    how.node = directory + "/node";
    std::ofstream{how.node} << late_node;
    std::filesystem::permissions(how.node, std::filesystem::perms::owner_all);
    how.producers = 1;
    how.audit = how.billing = how.readers = 0;
  }

  ~fixture() {
    std::filesystem::remove_all(directory);
  }

  [[nodiscard]] bool was_told_to_reopen() const {
    return std::filesystem::exists(directory + "/signals");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(readiness_tests, fixture)

CAF_TEST(a node that starts up is told to end when it is ready) {
  fleet nodes{how, directory};
  CAF_REQUIRE(nodes.start(0, links));
  nodes.stop("");
  for (const auto& x : nodes.bad_ends())
    CAF_ERROR(x);
}

CAF_TEST(a node that starts up is told to reopen when it is open) {
  fleet nodes{how, directory};
  CAF_REQUIRE(nodes.start(0, links));
  nodes.reopen(0);
  // If this never happens, the watchdog of the test runner ends the loop.
  while (!was_told_to_reopen() && nodes.bad_ends().empty()) {
    nodes.look_after(links);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  for (const auto& x : nodes.bad_ends())
    CAF_ERROR(x);
}

CAF_TEST(a node that is killed before it is ready leaves no request behind) {
  fleet nodes{how, directory};
  CAF_REQUIRE(nodes.start(0, links));
  nodes.reopen(0);
  nodes.kill(0);
  CAF_REQUIRE(nodes.start(0, links));
  CAF_CHECK(nodes.wait_until_open());
  nodes.look_after(links);
  nodes.stop("");
  CAF_CHECK(!was_told_to_reopen());
  CAF_CHECK(nodes.bad_ends().empty());
}

CAF_TEST(a node that ends before it is open is an error of the run) {
  std::ofstream{how.node} << "#!/bin/sh\nexit 3\n";
  fleet nodes{how, directory};
  CAF_REQUIRE(nodes.start(0, links));
  CAF_CHECK(!nodes.wait_until_open());
}

CAF_TEST_FIXTURE_SCOPE_END()
