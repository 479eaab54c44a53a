#define CAF_SUITE apps.common.process.child_process

#include "apps/support/program.hpp"

using namespace pulse;
using namespace pulse::test;

CAF_TEST(a child ends with the process that started it) {
  program parent{"pulse-test-parent", {"sleep", "600"}};
  CAF_REQUIRE(parent.prints("\n"));
  const auto child = std::stoi(parent.output());
  CAF_CHECK(is_running(child));
  parent.signal(SIGKILL);
  CAF_CHECK(stops_running(child));
}

CAF_TEST(a child that is let go ends at once) {
  int pid = 0;
  {
    auto child = apps::child_process::start({"sleep", "600"});
    CAF_REQUIRE(child.ok());
    pid = child->pid();
    CAF_CHECK(is_running(pid));
  }
  CAF_CHECK(!is_running(pid));
}

CAF_TEST(a program that is not there cannot be started) {
  auto child = apps::child_process::start({"/no/such/program"});
  CAF_REQUIRE(!child.ok());
  CAF_CHECK(child.error().code == errc::handler_failed);
  CAF_CHECK(child.error().what.find("No such file") != std::string::npos);
}
