#define CAF_SUITE apps.cli.commands

#include "pulse/core/event_id.hpp"

#include "support/environment.hpp"
#include "support/raw_client.hpp"
#include "support/test_ca.hpp"

using namespace pulse;
using namespace pulse::test;

CAF_TEST_FIXTURE_SCOPE(cli_tests, app_fixture)

CAF_TEST(add prints the ID that Redis gave) {
  const auto result = pulse({"add", "orders", "placed", "{}", "--topic", "eu"});
  CAF_CHECK_EQUAL(result.status, 0);
  CAF_CHECK_EQUAL(result.errors, "");
  const auto lines = lines_of(result.output);
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK(parse_event_id(lines[0]).ok());
  const auto json = pulse({"--json", "add", "orders", "placed"});
  CAF_CHECK(contains(json.output, R"({"stream":"orders","id":")"));
}

CAF_TEST(add takes an event per line in order) {
  std::vector<std::string> payloads;
  for (int i = 0; i < 3000; ++i)
    payloads.push_back("line " + std::to_string(i));
  const auto ids = add("lines", payloads);
  CAF_REQUIRE_EQUAL(ids.size(), payloads.size());
  for (size_t i = 1; i < ids.size(); ++i)
    if (!(parse_event_id(ids[i - 1]).value() < parse_event_id(ids[i]).value()))
      CAF_ERROR("not in order: " << ids[i - 1] << " and " << ids[i]);
  const auto printed = pulse({"tail", "lines", "--from", "oldest", "--json",
                              "--count", std::to_string(payloads.size())});
  const auto events = lines_of(printed.output);
  CAF_REQUIRE_EQUAL(events.size(), payloads.size());
  for (size_t i = 0; i < events.size(); ++i)
    if (!contains(events[i], "\"payload\":\"" + payloads[i] + "\""))
      CAF_ERROR("expected " << payloads[i] << ", got " << events[i]);
}

CAF_TEST(add does not wait for more lines than there are) {
  program adder{"pulse", {"add", "lines", "e", "--stdin"}, environment()};
  adder.write("first\n");
  CAF_CHECK(adder.prints("\n", 1));
  adder.write("second\nthird without newline");
  CAF_CHECK(adder.prints("\n", 2));
  adder.close_input();
  CAF_CHECK_EQUAL(adder.wait(), 0);
  CAF_CHECK_EQUAL(lines_of(adder.output()).size(), 3u);
}

CAF_TEST(add reads a whole payload from standard input) {
  const std::string bytes{"any\nbytes\0\xFF", 11};
  CAF_CHECK_EQUAL(pulse({"add", "blobs", "e", "-"}, bytes).status, 0);
  const auto printed
    = pulse({"tail", "blobs", "--from", "oldest", "-n", "1", "--json"});
  CAF_CHECK(contains(printed.output, R"("payload_base64":"YW55CmJ5dGVzAP8=")"));
}

CAF_TEST(add to a stream that must exist fails with status 3) {
  const auto result = pulse({"add", "none", "e", "--if-exists"});
  CAF_CHECK_EQUAL(result.status, 3);
  CAF_CHECK(contains(result.errors, "no_such_stream"));
  CAF_CHECK_EQUAL(pulse({"info", "none"}).status, 3);
}

CAF_TEST(bad lines are named and the good ones are added) {
  std::string input = "good\n" + std::string((8u << 20) + 1, 'x') + "\nlast\n";
  program adder{"pulse", {"add", "lines", "e", "--stdin"}, environment()};
  std::thread writer{[&] {
    adder.write(input);
    adder.close_input();
  }};
  const auto status = adder.wait();
  writer.join();
  CAF_CHECK_EQUAL(status, 1);
  CAF_CHECK_EQUAL(lines_of(adder.output()).size(), 2u);
  CAF_CHECK(contains(adder.errors(), "pulse: line 2: payload_too_large"));
}

CAF_TEST(certificates are options or come from the environment) {
  test_ca ca;
  const auto own = ca.issue("server", "DNS:localhost");
  const auto client = ca.issue("client");
  const tls_redis redis{ca, own, {"tls-auth-clients yes"}};
  const std::vector<std::string> command{"--url", redis.url(), "add", "s", "e"};
  auto with_files = command;
  with_files.insert(with_files.begin(),
                    {"--tls-ca", ca.ca_file(), "--tls-cert", client.cert_file,
                     "--tls-key", client.key_file});
  CAF_CHECK_EQUAL(run_program("pulse", with_files, {}).errors, "");
  const auto inherited
    = run_program("pulse", command,
                  {"PULSE_REDIS_TLS_CA_FILE=" + ca.ca_file(),
                   "PULSE_REDIS_TLS_CERT_FILE=" + client.cert_file,
                   "PULSE_REDIS_TLS_KEY_FILE=" + client.key_file});
  CAF_CHECK_EQUAL(inherited.errors, "");
  const auto untrusted = run_program("pulse", command, {});
  CAF_CHECK_EQUAL(untrusted.status, 4);
  CAF_CHECK(contains(untrusted.errors, "tls_failed: rediss://localhost"));
}

CAF_TEST(wrong usage ends with status 2 and says what to do) {
  CAF_CHECK_EQUAL(pulse({}).status, 2);
  CAF_CHECK_EQUAL(pulse({"add", "a"}).status, 2);
  CAF_CHECK_EQUAL(pulse({"add", "a b", "e"}).status, 2);
  CAF_CHECK_EQUAL(pulse({"tail", "a", "--from", "soon"}).status, 2);
  CAF_CHECK_EQUAL(pulse({"tail", "a", "--pattern", "("}).status, 2);
  CAF_CHECK_EQUAL(pulse({"work", "s", "a", "--ack-wait", "30"}).status, 2);
  CAF_CHECK_EQUAL(pulse({"--timeout", "soon", "info", "a"}).status, 2);
  CAF_CHECK_EQUAL(pulse({"--url", "ftp://x", "info", "a"}).status, 2);
  CAF_CHECK_EQUAL(pulse({"info", "a", "--", "sh"}).status, 2);
  const auto typo = pulse({"tial", "a"});
  CAF_CHECK_EQUAL(typo.status, 2);
  CAF_CHECK(contains(typo.errors, "did you mean \"tail\"?"));
  CAF_CHECK_EQUAL(pulse({"--help"}).status, 0);
  CAF_CHECK(contains(pulse({"work", "--help"}).output, "Examples:"));
}

CAF_TEST(wrong usage is found before Redis is needed) {
  const std::vector<std::vector<std::string>> all{
    {"--timeout", "soon", "info", "a"},
    {"--timeout", "0s", "info", "a"},
    {"add", "a", "e", "--max-len", "-5"},
    {"retention", "a", "--hard-max-len", "-5"},
    {"dead", "list", "a", "s", "-n", "-5"},
    {"tail", "a", "--from", "soon"},
    {"work", "s", "a", "--ack-wait", "30"},
    {"dead", "purge", "s", "a", "--older-than", "1month"}};
  for (auto words : all) {
    words.insert(words.begin(), {"--url", "redis://127.0.0.1:1"});
    const auto result = run_program("pulse", words, {});
    CAF_MESSAGE(result.errors);
    CAF_CHECK_EQUAL(result.status, 2);
    CAF_CHECK(contains(result.errors, "expected "));
  }
}

CAF_TEST(an unreachable Redis ends with status 4) {
  const auto refused = run_program("pulse", {"--url", "redis://127.0.0.1:1",
                                             "--timeout", "1s", "info", "a"});
  CAF_CHECK_EQUAL(refused.status, 4);
  CAF_CHECK(contains(refused.errors, "connect_failed: redis://127.0.0.1:1/0"));
  // One line: nothing else on a terminal than what is wrong.
  CAF_CHECK_EQUAL(lines_of(refused.errors).size(), 1u);
}

CAF_TEST(a missing password is reported with where it comes from) {
  raw_client{redis()}({"CONFIG", "SET", "requirepass", "secret"});
  const auto refused = pulse({"info", "a"});
  CAF_CHECK_EQUAL(refused.status, 4);
  CAF_CHECK(contains(refused.errors, "NOAUTH"));
  CAF_CHECK(contains(refused.errors, "PULSE_REDIS_PASSWORD"));
  CAF_CHECK_EQUAL(lines_of(refused.errors).size(), 1u);
}

CAF_TEST(a key that is no stream is reported once) {
  raw_client{redis()}({"SET", "pulse:stream:text", "no stream"});
  for (auto& args : {std::vector<std::string>{"tail", "text"},
                     std::vector<std::string>{"work", "mail", "text"}}) {
    const auto result = pulse(args);
    CAF_CHECK_EQUAL(result.status, 1);
    CAF_CHECK(contains(result.errors, "stream text: WRONGTYPE"));
    CAF_CHECK_EQUAL(lines_of(result.errors).size(), 1u);
  }
}

CAF_TEST(tail prints what comes after it started) {
  auto before = add("orders", {"before"});
  program tail{"pulse", {"tail", "orders", "-n", "2"}, environment()};
  // It prints nothing when it is ready, so new events come until it sees one.
  while (tail.output().empty())
    before = add("orders", {"after"});
  CAF_CHECK(!contains(tail.output(), "before"));
  CAF_CHECK(contains(tail.output(), " orders "));
  std::ignore = add("orders", {"after"});
  CAF_CHECK_EQUAL(tail.wait(), 0);
  CAF_CHECK_EQUAL(lines_of(tail.output()).size(), 2u);
}

CAF_TEST(tail filters by topic and by pattern) {
  for (const auto* topic : {"eu", "us", "asia"})
    std::ignore = pulse({"add", "orders", "e", topic, "--topic", topic});
  const auto exact
    = pulse({"tail", "orders", "--from", "oldest", "--topic", "us", "-n", "1"});
  CAF_CHECK(contains(exact.output, "[us] us\n"));
  const auto pattern = pulse(
    {"tail", "orders", "--from", "oldest", "--pattern", "us|asia", "-n", "2"});
  CAF_CHECK(!contains(pattern.output, "[eu]"));
  CAF_CHECK_EQUAL(lines_of(pattern.output).size(), 2u);
}

CAF_TEST(tail ends with status 0 on SIGINT) {
  std::ignore = add("orders", {"x"});
  program tail{"pulse", {"tail", "orders", "--from", "oldest"}, environment()};
  CAF_CHECK(tail.prints("x\n"));
  tail.signal(SIGINT);
  CAF_CHECK_EQUAL(tail.wait(), 0);
}

CAF_TEST(an event does not drive the terminal) {
  const std::string bytes{"\x1B[2J\tx"};
  CAF_CHECK_EQUAL(pulse({"add", "a", "e", "-"}, bytes).status, 0);
  const auto printed = pulse({"tail", "a", "--from", "oldest", "-n", "1"});
  CAF_CHECK(contains(printed.output, "\\x1b[2J\\tx\n"));
}

CAF_TEST(work prints and acknowledges) {
  const auto ids = add("orders", {"a", "b", "c"});
  const auto first
    = pulse({"work", "s", "orders", "--from", "oldest", "-n", "2", "--json"});
  CAF_CHECK_EQUAL(first.status, 0);
  CAF_CHECK(
    contains(first.output, R"("payload":"a","sink":"s","deliveries":1)"));
  CAF_CHECK_EQUAL(lines_of(first.output).size(), 2u);
  const auto second = pulse({"work", "s", "orders", "-n", "1"});
  CAF_CHECK(contains(second.output, ids[2]));
  CAF_CHECK(info_shows("orders", R"("pending":0)"));
}

CAF_TEST(work runs a command per event and repeats what failed) {
  const auto ids = add("orders", {"payload"});
  const auto log = path("log");
  // Fails at first, succeeds at the second delivery.
  const auto script = "echo \"$PULSE_STREAM $PULSE_ID $PULSE_NAME $PULSE_SINK "
                      "$PULSE_DELIVERIES $(cat)\" >>"
                      + log + "; test \"$PULSE_DELIVERIES\" -ge 2 || exit 3";
  program work{"pulse",
               {"work", "s", "orders", "--from", "oldest", "--", "sh", "-c",
                script},
               environment()};
  CAF_CHECK(work.logs("exited with status 3"));
  CAF_CHECK(info_shows("orders", R"("pending":0,"lag":0)"));
  work.signal(SIGTERM);
  CAF_CHECK_EQUAL(work.wait(), 0);
  CAF_CHECK_EQUAL(content("log"), "orders " + ids[0] + " e s 1 payload\norders "
                                    + ids[0] + " e s 2 payload\n");
}

CAF_TEST(a second signal ends work at once with its command) {
  std::ignore = add("orders", {"x"});
  const auto pid_file = path("pid");
  program work{"pulse",
               {"work", "s", "orders", "--from", "oldest", "--", "sh", "-c",
                "echo started >&2; sleep 600"},
               environment()};
  CAF_CHECK(work.logs("started"));
  // Linux gives out the signal with the lower number first.
  work.signal(SIGINT);
  work.signal(SIGTERM);
  CAF_CHECK_EQUAL(work.wait(), 143);
}

CAF_TEST(info shows a stream and its sinks) {
  const auto ids = add("orders", {"a", "b"});
  std::ignore
    = pulse({"work", "billing", "orders", "--from", "oldest", "-n", "2"});
  const auto text = pulse({"info", "orders"}).output;
  CAF_CHECK(contains(text, "stream  orders\n"));
  CAF_CHECK(contains(text, "events  2 stored, 2 ever added\n"));
  CAF_CHECK(contains(text, "last    " + ids[1] + "  ("));
  CAF_CHECK(contains(text, "\nbilling "));
  const auto json = pulse({"info", "orders", "--json"}).output;
  CAF_CHECK(contains(json, R"("name":"billing","consumers":)"));
  CAF_CHECK(
    contains(json, R"("pending":0,"lag":0,"last_delivered":")" + ids[1]));
}

CAF_TEST(add with a dedup ID adds once) {
  const std::vector<std::string> add{"add", "payments",   "paid",
                                     "7",   "--dedup-id", "payment 7"};
  const auto first = pulse(add);
  CAF_CHECK_EQUAL(first.status, 0);
  CAF_CHECK_EQUAL(pulse(add).output, first.output);
  const auto conflict
    = pulse({"add", "payments", "paid", "8", "--dedup-id", "payment 7"});
  CAF_CHECK_EQUAL(conflict.status, 1);
  CAF_CHECK(contains(conflict.errors, "dedup_conflict"));
  CAF_CHECK_EQUAL(
    pulse({"add", "payments", "x", "--dedup-window", "1m"}).status, 2);
}

CAF_TEST(what a stream keeps is shown and changed by nobody in passing) {
  const std::vector<std::string> many(3'000, "x");
  CAF_REQUIRE_EQUAL(add("orders", many).size(), many.size());
  CAF_CHECK(contains(pulse({"info", "orders"}).output,
                     "keeps   everything (nobody has chosen)"));
  const auto refused = pulse({"add", "orders", "x", "--max-len", "1000"});
  CAF_CHECK_EQUAL(refused.status, 1);
  CAF_CHECK(contains(refused.errors, "retention_conflict: stream \"orders\""));
  CAF_CHECK(contains(refused.errors, "would remove 2000 of its 3000 events"));
  CAF_CHECK(contains(pulse({"info", "orders"}).output, "3000 stored"));
  const auto changed
    = pulse({"retention", "orders", "--max-len", "1000", "--max-age", "7d"});
  CAF_CHECK_EQUAL(changed.status, 0);
  CAF_CHECK(contains(changed.output, "max_len          1000\n"));
  CAF_CHECK(contains(changed.output, "max_age          7d\n"));
  CAF_CHECK_EQUAL(pulse({"retention", "orders"}).output, changed.output);
  CAF_CHECK(contains(pulse({"retention", "orders", "--json"}).output,
                     R"("max_age_ms":604800000)"));
  CAF_CHECK_EQUAL(pulse({"add", "orders", "x"}).status, 0);
  CAF_CHECK_EQUAL(pulse({"retention", "orders", "--on-full", "explode"}).status,
                  2);
  CAF_CHECK(contains(pulse({"info", "orders"}).output,
                     "keeps   max_len = 1000, max_age = 604800000 ms\n"));
}

CAF_TEST(dead letters are listed and redriven and purged) {
  CAF_REQUIRE_EQUAL(add("orders", {"a", "b"}).size(), 2u);
  program work{"pulse",
               {"work", "billing", "orders", "--from", "oldest",
                "--max-deliveries", "1", "--", "false"},
               environment()};
  CAF_CHECK(work.logs("is a dead letter now", 2));
  work.signal(SIGTERM);
  CAF_CHECK_EQUAL(work.wait(), 0);
  CAF_CHECK_EQUAL(pulse({"dead", "list", "orders"}).output,
                  "billing  2 dead letters\n");
  const auto listed
    = lines_of(pulse({"dead", "list", "orders", "billing"}).output);
  CAF_REQUIRE_EQUAL(listed.size(), 2u);
  const auto letter = listed[0].substr(0, listed[0].find(' '));
  const auto shown = pulse({"dead", "show", "orders", "billing", letter});
  CAF_CHECK(contains(shown.output, "payload   a"));
  CAF_CHECK(
    contains(shown.output, "1 delivery, 1 failure, 0 crashes, 0 redrives"));
  CAF_CHECK_EQUAL(pulse({"dead", "redrive", "orders", "billing"}).status, 2);
  CAF_CHECK_EQUAL(
    pulse({"dead", "redrive", "orders", "billing", letter}).output,
    "redrove 1 letter\n");
  const auto worked
    = pulse({"work", "billing", "orders", "--json", "--count", "1"});
  CAF_CHECK(contains(worked.output, R"("payload":"a")"));
  CAF_CHECK_EQUAL(pulse({"dead", "purge", "orders", "billing", "--all"}).output,
                  "purged 1 letter\n");
  CAF_CHECK_EQUAL(pulse({"dead", "show", "orders", "billing", letter}).status,
                  1);
  CAF_CHECK_EQUAL(pulse({"dead", "list", "nowhere"}).status, 3);
}

CAF_TEST_FIXTURE_SCOPE_END()
