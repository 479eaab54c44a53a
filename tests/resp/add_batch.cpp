#define CAF_SUITE resp.add_batch

#include "pulse/resp/add_batch.hpp"

#include "support/resp_text.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;
using resp::add_batch;
using resp::add_format;

namespace {

using texts = std::vector<std::string>;

stream_options options() {
  stream_options x;
  x.name = "s";
  return x;
}

stream_options expiring(ttl_mode kind = ttl_mode::absolute) {
  auto x = options();
  x.ttl = 1500ms;
  x.ttl_kind = kind;
  return x;
}

// A batch of this many events, and its results.
struct scenario {
  explicit scenario(const stream_options& x, size_t size = 1,
                    bool exist = false)
    : format(x), uut(format) {
    for (size_t i = 0; i < size; ++i)
      uut.append({"name", "payload", ""}, exist);
  }

  texts commands() {
    texts result;
    const auto batch = uut.finish();
    for (auto& x : test::decode_commands(batch->bytes))
      result.push_back(test::to_text(x));
    CAF_CHECK_EQUAL(result.size(), batch->count);
    return result;
  }

  // The IDs and error codes that replies mean.
  texts results(const std::string& replies) {
    uut.finish();
    texts result;
    for (auto& x : uut.results(test::parse_reply(replies)).ids)
      result.push_back(x ? to_string(*x) : to_string(x.error()));
    return result;
  }

  add_format format;
  add_batch uut;
};

} // namespace

CAF_TEST(fields are name and payload and topic in that order) {
  scenario x{options(), 0};
  x.uut.append({"name", "payload", ""}, false);
  x.uut.append({"name", "", "topic"}, false);
  CAF_CHECK(x.commands()
            == texts({"XADD pulse:stream:s * n name p payload",
                      "XADD pulse:stream:s * n name p  t topic"}));
}

CAF_TEST(payloads may have any bytes) {
  scenario x{options(), 0};
  const std::string payload{"\0\r\n$1\r\n*", 9};
  x.uut.append({"name", payload, ""}, false);
  const auto commands = test::decode_commands(x.uut.finish()->bytes);
  CAF_REQUIRE_EQUAL(commands.size(), 1u);
  CAF_CHECK_EQUAL(commands[0].back(), payload);
}

CAF_TEST(adding to existing streams only says so) {
  scenario x{options(), 1, true};
  CAF_CHECK(x.commands()
            == texts({"XADD pulse:stream:s NOMKSTREAM * n name p payload"}));
}

CAF_TEST(what the stream keeps may change until the batch is finished) {
  auto how = options();
  how.max_len = 1000;
  how.protect_unacked = false;
  scenario x{how};
  x.format.keeps.ttl = 1500ms;
  CAF_CHECK(x.commands()
            == texts({"MULTI", "XADD pulse:stream:s * n name p payload",
                      "PEXPIRE pulse:stream:s 1500 NX", "EXEC"}));
  scenario y{how};
  y.format.keeps.hard_max_len = 2000;
  CAF_CHECK_EQUAL(y.commands()[0].find("EVALSHA"), 0u);
}

CAF_TEST(size and bytes grow with each event) {
  scenario x{options(), 0};
  CAF_CHECK_EQUAL(x.uut.size(), 0u);
  CAF_CHECK_EQUAL(x.uut.bytes(), 0u);
  x.uut.append({"name", std::string(1000, 'x'), ""}, false);
  CAF_CHECK_EQUAL(x.uut.size(), 1u);
  CAF_CHECK(x.uut.bytes() > 1000u);
  CAF_CHECK(x.uut.bytes() < 1200u);
}

CAF_TEST(an absolute time to live is set once with the first event) {
  CAF_CHECK(scenario(expiring(), 2).commands()
            == texts({"MULTI", "XADD pulse:stream:s * n name p payload",
                      "XADD pulse:stream:s * n name p payload",
                      "PEXPIRE pulse:stream:s 1500 NX", "EXEC"}));
}

CAF_TEST(a sliding time to live is set again with each batch) {
  CAF_CHECK(scenario(expiring(ttl_mode::sliding)).commands()
            == texts({"MULTI", "XADD pulse:stream:s * n name p payload",
                      "PEXPIRE pulse:stream:s 1500", "EXEC"}));
}

CAF_TEST(each event has its own result) {
  scenario x{options(), 4};
  CAF_CHECK(x.results("$3\r\n1-1\r\n-WRONGTYPE bad\r\n$-1\r\n$3\r\n1-2\r\n")
            == texts({"1-1", "wrong_type: WRONGTYPE bad",
                      "no_such_stream: there is no such stream", "1-2"}));
}

CAF_TEST(a reply of the wrong shape fails its event only) {
  scenario x{options(), 4};
  const auto results = x.results(":1\r\n*2\r\n$3\r\n1-1\r\n:2\r\n$1\r\nx\r\n"
                                 "$3\r\n1-2\r\n");
  CAF_CHECK_EQUAL(results[0].find("protocol_error: "), 0u);
  CAF_CHECK_EQUAL(results[1].find("protocol_error: "), 0u);
  CAF_CHECK_EQUAL(results[2].find("protocol_error: "), 0u);
  CAF_CHECK_EQUAL(results[3], "1-2");
}

CAF_TEST(results of a transaction are in its last reply) {
  scenario x{expiring(), 3};
  CAF_CHECK(x.results("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                      "*4\r\n$3\r\n1-1\r\n-WRONGTYPE bad\r\n$-1\r\n:1\r\n")
            == texts({"1-1", "wrong_type: WRONGTYPE bad",
                      "no_such_stream: there is no such stream"}));
}

CAF_TEST(a discarded transaction fails each event with the reason) {
  scenario x{expiring(), 2};
  const std::string discarded
    = "-EXECABORT Transaction discarded because of previous errors.\r\n";
  CAF_CHECK(
    x.results("+OK\r\n-OOM full\r\n-OOM full\r\n+QUEUED\r\n" + discarded)
    == texts({"out_of_memory: OOM full", "out_of_memory: OOM full"}));
  const std::string why
    = "EXECABORT Transaction discarded because of previous errors. ";
  CAF_CHECK(x.results("+OK\r\n+QUEUED\r\n-OOM full\r\n+QUEUED\r\n" + discarded)
            == texts({"out_of_memory: " + why + "(OOM full)",
                      "out_of_memory: OOM full"}));
  CAF_CHECK(
    x.results("+OK\r\n+QUEUED\r\n+QUEUED\r\n-NOPERM pexpire\r\n" + discarded)
    == texts({"permission_denied: " + why + "(NOPERM pexpire)",
              "permission_denied: " + why + "(NOPERM pexpire)"}));
}

CAF_TEST(a transaction that is refused at its end fails each event) {
  scenario x{expiring(), 2};
  const auto results = x.results(
    "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
    "-EXECABORT Transaction discarded because of: OOM command not allowed\r\n");
  for (auto& result : results)
    CAF_CHECK_EQUAL(result.find("out_of_memory: "), 0u);
  for (auto& result :
       x.results("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*-1\r\n"))
    CAF_CHECK_EQUAL(result.find("protocol_error: "), 0u);
}

CAF_TEST(without MULTI the events are added one by one) {
  scenario x{expiring(), 2};
  CAF_CHECK(x.results("-NOPERM multi\r\n$3\r\n1-1\r\n-LOADING wait\r\n:1\r\n"
                      "-ERR EXEC without MULTI\r\n")
            == texts({"1-1", "loading: LOADING wait"}));
}
