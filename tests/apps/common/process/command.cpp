#define CAF_SUITE apps.common.process.command

#include "common/process/command.hpp"

#include "apps/support/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse::apps;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

/// A file that goes with its test.
struct temporary_file {
  char path[32] = "/tmp/pulse-test-XXXXXX";
  temporary_file() {
    unique_fd{mkstemp(path)};
  }
  ~temporary_file() {
    std::remove(path);
  }
  std::string content() const {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
};

command_call shell(std::string script) {
  command_call result;
  result.argv = {"sh", "-c", std::move(script)};
  return result;
}

struct fixture {
  fixture() {
    std::signal(SIGPIPE, SIG_IGN);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(command_tests, fixture)

CAF_TEST(the exit status is reported) {
  CAF_CHECK(run(shell("exit 0")).ok());
  const auto end = run(shell("exit 3"));
  CAF_CHECK(!end.ok());
  CAF_CHECK_EQUAL(to_string(end), "exited with status 3");
}

CAF_TEST(a signal is reported by name) {
  CAF_CHECK_EQUAL(to_string(run(shell("kill -9 $$"))),
                  "was ended by signal 9 (Killed)");
}

CAF_TEST(a missing program is reported) {
  command_call call;
  call.argv = {"/nowhere/pulse-no-such-program"};
  const auto end = run(call);
  CAF_CHECK(end.how == command_end::kind::not_started);
  CAF_CHECK_EQUAL(to_string(end),
                  "could not be started: No such file or directory");
}

CAF_TEST(input arrives byte for byte however large) {
  temporary_file file;
  std::string input;
  for (size_t i = 0; i < 3'000'000; ++i)
    input += static_cast<char>(i * 7 + i / 251);
  auto call = shell("cat >\"$OUT\"");
  call.environment = {std::string{"OUT="} + file.path};
  call.input = input;
  CAF_CHECK(run(call).ok());
  CAF_CHECK(file.content() == input);
}

CAF_TEST(a command that writes while we write does not deadlock) {
  const std::string input(2'000'000, 'x');
  auto call = shell("cat; cat >/dev/null");
  call.input = input;
  call.output_to_stderr = true;
  // cat's output is our standard error: point that away while it runs.
  unique_fd saved{dup(2)};
  std::FILE* null = std::fopen("/dev/null", "w");
  dup2(fileno(null), 2);
  const auto end = run(call);
  dup2(saved.get(), 2);
  std::fclose(null);
  CAF_CHECK(end.ok());
}

CAF_TEST(a command that does not read its input succeeds) {
  const std::string input(1'000'000, 'x');
  auto call = shell("exec <&-; exit 0");
  call.input = input;
  CAF_CHECK(run(call).ok());
}

CAF_TEST(the environment is ours with additions that win) {
  setenv("PULSE_TEST_KEPT", "kept", 1);
  setenv("PULSE_TEST_WON", "old", 1);
  auto call = shell("test \"$PULSE_TEST_KEPT$PULSE_TEST_WON\" = 'keptnew x'");
  call.environment = {"PULSE_TEST_WON=new x"};
  CAF_CHECK(run(call).ok());
}

CAF_TEST(signals of the command are the defaults) {
  // SIGPIPE is ignored here; inherited, `yes` would fail instead of dying.
  auto call = shell("kill -PIPE $$; exit 0");
  CAF_CHECK_EQUAL(to_string(run(call)), "was ended by signal 13 (Broken pipe)");
}

CAF_TEST(a command that takes too long is killed with its children) {
  temporary_file file;
  auto call = shell("sleep 600 & echo $! >\"$OUT\"; wait");
  call.environment = {std::string{"OUT="} + file.path};
  call.timeout = 200ms;
  const auto end = run(call);
  CAF_CHECK(end.how == command_end::kind::timed_out);
  CAF_CHECK(stops_running(std::stoi(file.content())));
}

CAF_TEST(a raised flag kills the command at once) {
  stop_flag stop;
  auto call = shell("sleep 60");
  call.stop = &stop;
  std::thread raiser{[&] { stop.raise(); }};
  const auto end = run(call);
  raiser.join();
  CAF_CHECK(end.how == command_end::kind::stopped);
}

CAF_TEST_FIXTURE_SCOPE_END()
