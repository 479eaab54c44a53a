#define CAF_SUITE apps.node.service

#include "support/environment.hpp"
#include <sys/stat.h>

using namespace pulse;
using namespace pulse::test;

namespace {

/// [[sink]] of all tests, but for its target.
constexpr const char* sink = R"(
[[sink]]
name = "s"
streams = ["orders"]
start = "oldest"
lease = "1s"
sweep_interval = "100ms"
backoff = ["10ms"]
)";

struct fixture : app_fixture {
  std::vector<std::string> arguments(const std::string& config,
                                     const std::string& name = "n1") {
    return {"--config", file("node.toml", config), "--name", name};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(node_tests, fixture)

CAF_TEST(mistakes end with status 2 and nothing is started) {
  const auto config = file("bad.toml", "[redis]\nurll = 'x'\n[[sink]]\n"
                                       "name = 's'\nstreams = ['a']\n"
                                       "lease = '1'\n");
  for (const auto* mode : {"--check", "--dump-config", "--no-wait"}) {
    const auto result = run_program("pulse-node", {"-c", config, mode});
    CAF_CHECK_EQUAL(result.status, 2);
    CAF_CHECK_EQUAL(result.output, "");
    CAF_CHECK_EQUAL(result.errors,
                    config
                      + ":2:1: redis.urll: unknown key; did you mean "
                        "\"url\"?\n"
                      + config
                      + ":6:9: sink.lease: expected a duration such as "
                        "\"500ms\", \"15s\", \"2m\", \"1h\" or \"7d\", found "
                        "\"1\"\n");
  }
  CAF_CHECK_EQUAL(run_program("pulse-node", {}).status, 2);
  CAF_CHECK_EQUAL(run_program("pulse-node", {"-c", "/nowhere"}).status, 2);
}

CAF_TEST(check and dump start nothing) {
  const auto config = file("good.toml", sink);
  const auto check = run_program("pulse-node", {"-c", config, "--check"});
  CAF_CHECK_EQUAL(check.status, 0);
  CAF_CHECK_EQUAL(check.output, config + ": the configuration is valid\n");
  const auto dump = run_program(
    "pulse-node", {"-c", config, "--dump-config", "--name", "from-option"},
    {"PULSE_NODE_NAME=from-environment", "PULSE_NODE_LOG_LEVEL=error"});
  CAF_CHECK_EQUAL(dump.status, 0);
  CAF_CHECK(contains(dump.output, "name = \"from-option\"\n"));
  CAF_CHECK(contains(dump.output, "log_level = \"error\"\n"));
  CAF_CHECK(contains(dump.output, "lease = \"1s\"\n"));
}

CAF_TEST(without Redis it fails at once or waits as told) {
  const auto config = arguments(sink);
  redis().stop();
  auto impatient = config;
  impatient.emplace_back("--no-wait");
  auto quick = environment();
  quick.emplace_back("PULSE_REDIS_COMMAND_TIMEOUT=500ms");
  const auto result = run_program("pulse-node", impatient, quick);
  CAF_CHECK_EQUAL(result.status, 1);
  CAF_CHECK(contains(result.errors, "connect_failed"));
  program patient{"pulse-node", config, quick};
  CAF_CHECK(patient.logs("waiting for Redis: connect_failed"));
  CAF_CHECK(redis().restart().ok());
  CAF_CHECK(patient.logs("ready: 0 streams, 1 sink, 0 readers"));
  // A signal ends the wait, too.
  redis().stop();
  program waiting{"pulse-node", config, quick};
  CAF_CHECK(waiting.logs("waiting for Redis"));
  waiting.signal(SIGTERM);
  CAF_CHECK_EQUAL(waiting.wait(), 0);
}

CAF_TEST(a wrong password ends it with status 1) {
  local_redis_options options;
  options.password = "right";
  auto server = local_redis::start(options);
  CAF_REQUIRE(server.ok());
  const auto result
    = run_program("pulse-node", arguments(sink),
                  {"PULSE_REDIS_URL=unix://" + server->socket_path(),
                   "PULSE_REDIS_PASSWORD=wrong"});
  CAF_CHECK_EQUAL(result.status, 1);
  CAF_CHECK(contains(result.errors, "auth_failed"));
  CAF_CHECK(!contains(result.errors, "wrong\n"));
}

CAF_TEST(a log target writes lines of JSON and acknowledges) {
  const auto ids = add("orders", {"a", "b", "c"});
  program node{"pulse-node",
               arguments(std::string{sink}
                         + "[[reader]]\nname = 'r'\nstreams = ['orders']\n"
                           "start = 'oldest'\nfile = '"
                         + path("audit") + "'\n"),
               environment()};
  CAF_CHECK(node.prints("\n", 3));
  CAF_CHECK(info_shows("orders", R"("pending":0,"lag":0)"));
  node.signal(SIGTERM);
  CAF_CHECK_EQUAL(node.wait(), 0);
  CAF_CHECK_EQUAL(lines_of(node.output()).size(), 3u);
  CAF_CHECK(contains(
    node.output(),
    R"({"stream":"orders","id":")" + ids[0]
      + R"(","name":"e","topic":"","payload":"a","sink":"s","deliveries":1,)"
        R"("node":"n1"})"
        "\n"));
  const auto audit = content("audit");
  CAF_CHECK_EQUAL(lines_of(audit).size(), 3u);
  CAF_CHECK(contains(audit, R"("payload":"c","reader":"r","node":"n1"})"));
  CAF_CHECK(contains(node.errors(), ": drained"));
}

CAF_TEST(an exec target acknowledges on status 0 and repeats otherwise) {
  const auto ids = add("orders", {"first", "second"});
  const auto out = path("out");
  const auto config = std::string{sink}
                      + "target = 'exec'\nworkers = 2\ncommand = ['sh', "
                        "'-c', 'echo \"$PULSE_ID $PULSE_DELIVERIES "
                        "$PULSE_NODE $(cat)\" >>"
                      + out + "; test $PULSE_DELIVERIES -ge 2']\n";
  program node{"pulse-node", arguments(config), environment()};
  CAF_CHECK(node.logs("exited with status 1"));
  CAF_CHECK(info_shows("orders", R"("pending":0,"lag":0)"));
  node.signal(SIGTERM);
  CAF_CHECK_EQUAL(node.wait(), 0);
  const auto text = content("out");
  CAF_CHECK_EQUAL(lines_of(text).size(), 4u);
  CAF_CHECK(contains(text, ids[0] + " 1 n1 first\n"));
  CAF_CHECK(contains(text, ids[0] + " 2 n1 first\n"));
  CAF_CHECK(contains(text, ids[1] + " 2 n1 second\n"));
}

CAF_TEST(a command that hangs is killed after ack wait) {
  std::ignore = add("orders", {"x"});
  const auto config = std::string{sink}
                      + "target = 'exec'\nack_wait = '300ms'\ncommand = "
                        "['sh', '-c', 'test $PULSE_DELIVERIES -ge 2 || "
                        "sleep 600']\n";
  program node{"pulse-node", arguments(config), environment()};
  CAF_CHECK(info_shows("orders", R"("pending":0,"lag":0)"));
  node.signal(SIGTERM);
  CAF_CHECK_EQUAL(node.wait(), 0);
}

CAF_TEST(SIGTERM lets a running command end and acknowledges it) {
  std::ignore = add("orders", {"x"});
  const auto config = std::string{sink}
                      + "target = 'exec'\ncommand = ['sh', '-c', "
                        "'echo started >&2; cat "
                      + path("gate") + "']\n";
  // The command ends when the test opens the gate.
  CAF_REQUIRE_EQUAL(mkfifo(path("gate").c_str(), 0600), 0);
  program node{"pulse-node", arguments(config), environment()};
  CAF_CHECK(node.logs("started"));
  node.signal(SIGTERM);
  CAF_CHECK(node.logs("draining"));
  std::ofstream{path("gate")} << "go\n";
  CAF_CHECK_EQUAL(node.wait(), 0);
  CAF_CHECK(info_shows("orders", R"("consumers":0,"pending":0)"));
}

CAF_TEST(what does not end within the drain timeout goes back) {
  std::ignore = add("orders", {"x"});
  const auto config = std::string{sink}
                      + "target = 'exec'\ndrain_timeout = '200ms'\ncommand = "
                        "['sh', '-c', 'echo started >&2; sleep 600']\n";
  program node{"pulse-node", arguments(config), environment()};
  CAF_CHECK(node.logs("started"));
  node.signal(SIGTERM);
  CAF_CHECK_EQUAL(node.wait(), 0);
  CAF_CHECK(info_shows("orders", R"("pending":1)"));
  // Another node has it at its next sweep, not a lease later.
  program next{"pulse-node", arguments(sink, "n2"), environment()};
  CAF_CHECK(next.prints(R"("payload":"x","sink":"s","deliveries":2)"));
}

CAF_TEST(a second signal ends it at once with its commands) {
  std::ignore = add("orders", {"x"});
  const auto config = std::string{sink}
                      + "target = 'exec'\ncommand = ['sh', '-c', "
                        "'echo started >&2; sleep 600']\n";
  program node{"pulse-node", arguments(config), environment()};
  CAF_CHECK(node.logs("started"));
  node.signal(SIGTERM);
  CAF_CHECK(node.logs("draining"));
  node.signal(SIGINT);
  // wait() also waits for the pipes, which the command holds, too.
  CAF_CHECK_EQUAL(node.wait(), 130);
}

CAF_TEST(two nodes share a sink and one takes over when the other is killed) {
  std::vector<std::string> payloads;
  for (int i = 0; i < 500; ++i)
    payloads.push_back("p" + std::to_string(i) + ".");
  program first{"pulse-node", arguments(sink, "n1"), environment()};
  program second{"pulse-node", arguments(sink, "n2"), environment()};
  CAF_CHECK(first.logs("ready"));
  CAF_CHECK(second.logs("ready"));
  const auto before = add("orders", payloads);
  CAF_CHECK(second.prints("\n", 1));
  // Stopped, it is still handed events, which it then takes to its grave.
  second.signal(SIGSTOP);
  const auto after = add("orders", payloads);
  second.signal(SIGKILL);
  CAF_CHECK_EQUAL(second.wait(), 128 + SIGKILL);
  CAF_CHECK(info_shows("orders", R"("pending":0,"lag":0)"));
  first.signal(SIGTERM);
  CAF_CHECK_EQUAL(first.wait(), 0);
  const auto all = first.output() + second.output();
  for (const auto& ids : {before, after})
    for (const auto& id : ids)
      if (!contains(all, "\"" + id + "\""))
        CAF_ERROR("lost " << id);
}

CAF_TEST(a node ends with its parent if told so) {
  auto with_parent = arguments(sink);
  with_parent.emplace_back("--exit-with-parent");
  std::string command = apps::sibling_program("pulse-node");
  for (const auto& x : with_parent)
    command += " '" + x + "'";
  const auto parent = apps::child_process::start(
    {"sh", "-c", command + " & echo $!; wait"}, environment());
  CAF_REQUIRE(parent.ok());
  pipe_reader output{parent->output()};
  pipe_reader errors{parent->errors()};
  CAF_CHECK(errors.wait_for("ready"));
  parent->signal(SIGKILL);
  CAF_CHECK(errors.wait_for(": drained"));
}

CAF_TEST_FIXTURE_SCOPE_END()
