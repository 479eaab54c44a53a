#define CAF_SUITE apps.node.config.file

#include "pulse-node/config/file.hpp"

#include "common/process/unique_fd.hpp"
#include "pulse-node/config/dump.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::apps;

namespace {

/// All errors of a file "f", one per line.
std::string errors_of(std::string_view text,
                      const std::vector<setting>& settings = {}) {
  std::string result;
  for (const auto& x : load_config_text(text, "f", settings).errors)
    result += x + "\n";
  return result;
}

constexpr const char* good = R"(
[redis]
url = "redis://10.0.0.1:7000/2"
command_timeout = "500ms"
max_queued_bytes = "1MiB"
[node]
name = "n1"
log_level = "debug"
[[stream]]
name = "orders"
max_len = 5
ttl = "1h"
ttl_kind = "sliding"
max_payload = 1024
[[sink]]
name = "billing"
streams = ["orders", "refunds"]
start = "oldest"
backoff = ["1s", "2m"]
dispatch = "keyed"
target = "exec"
command = ["bill", "--now"]
workers = 3
[[sink]]
name = "mail"
streams = ["orders"]
topic_pattern = "eu|us"
[[reader]]
name = "audit"
streams = ["orders"]
start = "1700000000000-3"
overflow = "drop_oldest"
file = "/tmp/audit.log"
)";

} // namespace

CAF_TEST(every kind of value arrives) {
  const auto loaded = load_config_text(good, "f");
  CAF_REQUIRE(loaded.errors.empty());
  const auto& x = loaded.config;
  CAF_CHECK_EQUAL(x.redis.options.url, "redis://10.0.0.1:7000/2");
  CAF_CHECK(x.redis.options.command_timeout == milliseconds{500});
  CAF_CHECK_EQUAL(x.redis.options.max_queued_bytes, 1u << 20);
  CAF_CHECK_EQUAL(x.node.name, "n1");
  CAF_CHECK(x.node.log_level == pulse::log_level::debug);
  CAF_REQUIRE_EQUAL(x.streams.size(), 1u);
  CAF_CHECK_EQUAL(x.streams[0].max_len, 5u);
  CAF_CHECK(x.streams[0].ttl == milliseconds{3'600'000});
  CAF_CHECK(x.streams[0].ttl_kind == ttl_mode::sliding);
  CAF_CHECK_EQUAL(x.streams[0].max_payload, 1024u);
  CAF_REQUIRE_EQUAL(x.sinks.size(), 2u);
  CAF_CHECK_EQUAL(x.sinks[0].options.streams.size(), 2u);
  CAF_CHECK(x.sinks[0].options.start == start_position::oldest());
  CAF_CHECK(
    (x.sinks[0].options.backoff
     == std::vector<milliseconds>{milliseconds{1'000}, milliseconds{120'000}}));
  CAF_CHECK(x.sinks[0].options.dispatch == dispatch_mode::keyed);
  CAF_CHECK(x.sinks[0].target.kind == target_kind::exec);
  CAF_CHECK_EQUAL(x.sinks[0].target.command.size(), 2u);
  CAF_CHECK_EQUAL(x.sinks[0].target.workers, 3u);
  CAF_CHECK_EQUAL(x.sinks[1].options.filter.topic_pattern, "eu|us");
  CAF_REQUIRE_EQUAL(x.readers.size(), 1u);
  CAF_CHECK(x.readers[0].options.start
            == start_position::after({1700000000000, 3}));
  CAF_CHECK(x.readers[0].options.overflow == overflow_policy::drop_oldest);
  CAF_CHECK_EQUAL(x.readers[0].target.file, "/tmp/audit.log");
}

CAF_TEST(what is not given has the default of the code) {
  const auto loaded = load_config_text("[[sink]]\nname = 's'\n"
                                       "streams = ['a']",
                                       "f");
  CAF_REQUIRE(loaded.errors.empty());
  node_config expected;
  expected.sinks.emplace_back();
  expected.sinks[0].options.name = "s";
  expected.sinks[0].options.streams = {"a"};
  CAF_CHECK_EQUAL(dump(loaded.config), dump(expected));
}

CAF_TEST(a dump gives the same configuration again) {
  const auto first = load_config_text(good, "f");
  const auto second = load_config_text(dump(first.config), "dump");
  CAF_CHECK(second.errors.empty());
  CAF_CHECK_EQUAL(dump(second.config), dump(first.config));
}

CAF_TEST(a dump shows no password) {
  const auto loaded = load_config_text("[redis]\n"
                                       "url = 'redis://me:secret@h:1/2'",
                                       "f",
                                       {{"redis", "password", "hidden", "E"}});
  CAF_REQUIRE(loaded.errors.empty());
  CAF_CHECK_EQUAL(loaded.config.redis.options.password, "hidden");
  const auto text = dump(loaded.config);
  CAF_CHECK(text.find("url = \"redis://h:1/2\"") != std::string::npos);
  CAF_CHECK(text.find("secret") == std::string::npos);
  CAF_CHECK(text.find("hidden") == std::string::npos);
}

CAF_TEST(all mistakes of a file are told at once in their order) {
  CAF_CHECK_EQUAL(errors_of(R"([redis]
urll = "redis://localhost"
command_timeout = 5
[[sink]]
name = "bad name"
streams = "orders"
ack_wiat = "30s"
lease = "1ms"
max_deliveries = -1
dispatch = "random"
target = "exce"
[[reader]]
streams = ["a"]
zzzzzzzz = true
[nod]
)"),
                  R"(f:2:1: redis.urll: unknown key; did you mean "url"?
f:3:19: redis.command_timeout: expected a duration in quotes such as "15s", found the number 5
f:5:8: sink.name: sink name "bad name" has a space at byte 3: use 1 to 512 bytes without space, control character, *, ?, [ or ]
f:6:11: sink.streams: expected a list in [ ], found the text "orders"
f:7:1: sink.ack_wiat: unknown key; did you mean "ack_wait"?
f:8:9: sink.lease: 1 ms is out of range: use 500 ms to 86400000 ms
f:9:18: sink.max_deliveries: expected a number from 0 to 4294967295, found -1
f:10:12: sink.dispatch: "random" is no dispatch mode: expected balanced, broadcast or keyed
f:11:10: sink.target: "exce" is no target: expected log, exec or remote; did you mean exec?
f:12:1: reader.name: missing: logs and JSON lines say it
f:14:1: reader.zzzzzzzz: unknown key; known are name, streams, start, topic, topic_pattern, overflow, buffer, max_batch, answer_wait, target, file, command, workers, timeout
f:15:2: nod: unknown section; did you mean "node"?
)");
}

CAF_TEST(what contradicts itself is an error) {
  CAF_CHECK_EQUAL(errors_of(R"([node]
drain_timeout = "5s"
[[stream]]
name = "a"
[[stream]]
name = "a"
[[sink]]
name = "s"
streams = ["a"]
ack = "manual"
drain_timeout = "10s"
command = ["x"]
workers = 0
[[sink]]
name = "r"
streams = ["a"]
target = "remote"
drain_timeout = "1s"
file = "x"
[[reader]]
name = "e"
streams = ["a"]
target = "exec"
topic_pattern = "eu("
)"),
                  R"(f:6:8: stream.name: "a" is described twice
f:10:7: sink.ack: "manual" needs target = "remote": the targets log and exec acknowledge by themselves
f:11:17: sink.drain_timeout: must not be longer than [node] drain_timeout, after which the process ends
f:12:11: sink.command: is for target = "exec" only
f:13:11: sink.workers: must be 1 to 1000
f:17:10: sink.target: "remote" needs [node] listen, where other nodes connect to
f:19:8: sink.file: is for target = "log" only
f:20:1: reader.command: missing: target = "exec" needs the program and its arguments, such as ["/usr/local/bin/handle", "--fast"]
f:24:17: reader.topic_pattern: topic_pattern "eu(": missing ): eu( at position 0
)");
}

CAF_TEST(sections in the wrong brackets are explained) {
  CAF_CHECK_EQUAL(errors_of("redis = 3\n[sink]\nname = 's'\n"),
                  "f:1:9: redis: write [redis] once, then its keys below\n"
                  "f:2:1: sink: write [[sink]] in double brackets, once for "
                  "each sink\n");
}

CAF_TEST(text that is no TOML is an error with its place) {
  CAF_CHECK_EQUAL(errors_of("[redis]\nurl = redis\n"),
                  "f:2:7: Error while parsing value: could not determine value "
                  "type\n");
}

CAF_TEST(settings override the file and are blamed for their mistakes) {
  const std::vector<setting> settings{
    {"redis", "url", "redis://other", "PULSE_REDIS_URL"},
    {"node", "drain_timeout", "1m", "PULSE_NODE_DRAIN_TIMEOUT"}};
  const auto loaded = load_config_text(good, "f", settings);
  CAF_CHECK(loaded.errors.empty());
  CAF_CHECK_EQUAL(loaded.config.redis.options.url, "redis://other");
  CAF_CHECK(loaded.config.node.drain_timeout == milliseconds{60'000});
  CAF_CHECK_EQUAL(
    errors_of(good, {{"caf", "threads", "x", "PULSE_CAF_THREADS"},
                     {"redis", "url", "ftp://a:b@c", "--url"},
                     {"node", "name", "a b", "--name"}}),
    "PULSE_CAF_THREADS: expected a number from 0 to 4294967295, "
    "found \"x\"\n"
    "--url: it starts with none of redis://, rediss:// and unix://; use "
    "redis://user:password@host:port/db or unix:///path?db=n\n"
    "--name: node name \"a b\" has a space at byte 1: use 1 to "
    "512 bytes without space, control character, *, ?, [ or ]\n");
}

CAF_TEST(the environment is read for every key of the single sections) {
  setenv("PULSE_NODE_LOG_LEVEL", "error", 1);
  setenv("PULSE_REDIS_PASSWORD", "secret", 1);
  const auto settings = environment_settings();
  unsetenv("PULSE_NODE_LOG_LEVEL");
  unsetenv("PULSE_REDIS_PASSWORD");
  const auto loaded = load_config_text("", "f", settings);
  CAF_CHECK(loaded.errors.empty());
  CAF_CHECK(loaded.config.node.log_level == pulse::log_level::error);
  CAF_CHECK_EQUAL(loaded.config.redis.options.password, "secret");
}

CAF_TEST(a password file must be readable) {
  char path[] = "/tmp/pulse-test-XXXXXX";
  unique_fd{mkstemp(path)};
  std::ofstream{path} << "secret\nignored\n";
  const auto text = std::string{"[redis]\npassword_file = '"} + path + "'";
  const auto loaded = load_config_text(text, "f");
  std::remove(path);
  CAF_CHECK(loaded.errors.empty());
  CAF_CHECK_EQUAL(loaded.config.redis.options.password_file, path);
  CAF_CHECK(loaded.config.redis.options.password.empty());
  CAF_CHECK_EQUAL(errors_of("[redis]\npassword_file = '/nowhere/p'"),
                  "f:2:17: redis.password_file: cannot read a password from "
                  "the first line of \"/nowhere/p\"\n");
  CAF_CHECK_EQUAL(errors_of("[redis]\npassword_file = '/tmp'"),
                  "f:2:17: redis.password_file: cannot read a password from "
                  "the first line of \"/tmp\", which is no regular file\n");
}

CAF_TEST(a file that cannot be read is named) {
  const auto missing = load_config("/nowhere/pulse.toml");
  CAF_REQUIRE_EQUAL(missing.errors.size(), 1u);
  CAF_CHECK_EQUAL(missing.errors[0],
                  "cannot read the configuration file "
                  "\"/nowhere/pulse.toml\": No such file or directory");
  const auto directory = load_config("/tmp");
  CAF_REQUIRE_EQUAL(directory.errors.size(), 1u);
  CAF_CHECK_EQUAL(directory.errors[0],
                  "cannot read the configuration file \"/tmp\": it is a "
                  "directory");
}
