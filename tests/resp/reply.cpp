#define CAF_SUITE resp.reply

#include "pulse/resp/reply.hpp"

#include "pulse/resp/sink_scripts.hpp"

#include "support/reply_builder.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::resp;

using pulse::test::reply_builder;

CAF_TEST(a cursor reads what is there in preorder) {
  auto x = reply_builder{}.array(3).text("a").integer(-7).nil().done();
  cursor at{x};
  uint32_t size = 0;
  int64_t number = 0;
  std::string_view text;
  CAF_CHECK(at.read_array(size));
  CAF_CHECK_EQUAL(size, 3u);
  CAF_CHECK(at.read_text(text));
  CAF_CHECK_EQUAL(text, "a");
  CAF_CHECK(at.read_integer(number));
  CAF_CHECK_EQUAL(number, -7);
  CAF_CHECK(at.read_nil());
  CAF_CHECK(at.at_end());
}

CAF_TEST(a cursor stays where the type is another) {
  auto x = reply_builder{}.status("OK").done();
  cursor at{x};
  uint32_t size = 0;
  int64_t number = 0;
  std::string_view text;
  CAF_CHECK(!at.read_array(size));
  CAF_CHECK(!at.read_integer(number));
  CAF_CHECK(!at.read_nil());
  CAF_CHECK(at.read_text(text));
  CAF_CHECK_EQUAL(text, "OK");
}

CAF_TEST(a cursor never goes past the end) {
  auto x = reply_builder{}.array(2).text("only one").done();
  cursor at{x};
  at.skip();
  CAF_CHECK(at.at_end());
  uint32_t size = 0;
  int64_t number = 0;
  std::string_view text;
  CAF_CHECK(!at.read_array(size));
  CAF_CHECK(!at.read_integer(number));
  CAF_CHECK(!at.read_text(text));
  CAF_CHECK(!at.read_nil());
  CAF_CHECK(!at.is(node_type::nil));
  at.skip();
  CAF_CHECK(at.at_end());
}

CAF_TEST(skip steps over all that belongs to a node) {
  auto x = reply_builder{}
             .array(2)
             .array(2)
             .texts("a", "b")
             .array(0)
             .integer(1)
             .integer(2)
             .done(2);
  cursor at{x};
  at.skip();
  int64_t number = 0;
  CAF_CHECK(at.read_integer(number));
  CAF_CHECK_EQUAL(number, 2);
}

CAF_TEST(error texts are classified by their first token) {
  const std::pair<const char*, errc> table[] = {
    {"NOGROUP No such key 'a' or consumer group 'g'", errc::no_group},
    {"WRONGTYPE Operation against a key", errc::wrong_type},
    {"OOM command not allowed", errc::out_of_memory},
    {"READONLY You can't write against a read only replica.", errc::read_only},
    {"LOADING Redis is loading the dataset in memory", errc::loading},
    {"LOADING", errc::loading},
    {"NOSCRIPT No matching script.", errc::no_script},
    {"NOAUTH Authentication required.", errc::auth_failed},
    {"WRONGPASS invalid username-password pair", errc::auth_failed},
    {"ERR AUTH <password> called without any password", errc::auth_failed},
    {"NOPERM this user has no permissions", errc::permission_denied},
    {"ERR The user executing the script can't run this command",
     errc::permission_denied},
    {"BUSY Redis is busy running a script.", errc::unavailable},
    {"TRYAGAIN Multiple keys request during rehashing", errc::unavailable},
    {"CLUSTERDOWN The cluster is down", errc::unavailable},
    {"MASTERDOWN Link with MASTER is down", errc::unavailable},
    {"MISCONF Redis is configured to save RDB snapshots", errc::unavailable},
    {"NOREPLICAS Not enough good replicas to write.", errc::unavailable},
    {"ERR max number of clients reached", errc::unavailable},
    {"MOVED 3999 127.0.0.1:6381", errc::unsupported},
    {"ASK 3999 127.0.0.1:6381", errc::unsupported},
    {"CROSSSLOT Keys in request don't hash to the same slot",
     errc::unsupported},
    {"UNBLOCKED the stream key no longer exists", errc::no_group},
    {"UNBLOCKED client unblocked via CLIENT UNBLOCK", errc::unavailable},
    {"UNBLOCKED force unblock from blocking operation, instance state changed",
     errc::read_only},
    {"ERR no such key", errc::no_such_stream},
    {"ERR The XGROUP subcommand requires the key to exist. Note",
     errc::no_such_stream},
    {"ERR Protocol error: invalid multibulk length", errc::protocol_error},
    {"ERR syntax error", errc::redis_error},
    {"EXECABORT Transaction discarded because of previous errors.",
     errc::redis_error},
    {"EXECABORT Transaction discarded because of: OOM command not allowed",
     errc::out_of_memory},
    {"BUSYGROUP Consumer Group name already exists", errc::redis_error},
    {"OOMPH is another token", errc::redis_error},
    {"", errc::redis_error},
  };
  for (auto& [text, code] : table) {
    CAF_MESSAGE(text);
    CAF_CHECK_EQUAL(to_string(classify(text).code), to_string(code));
  }
}

CAF_TEST(a transaction that was aborted says why or nothing) {
  const std::string wrapped = "EXECABORT Transaction discarded because of:";
  CAF_CHECK(classify(wrapped + " OOM no memory").code == errc::out_of_memory);
  for (auto& text : {wrapped, wrapped + " ", std::string{}}) {
    const auto why = classify(text);
    CAF_CHECK(why.code == errc::redis_error);
    CAF_CHECK(!why.what.empty());
  }
}

CAF_TEST(an error of a script has the name of the script) {
  const std::string sha1{take_over_script().sha1};
  CAF_CHECK_EQUAL(classify("WRONGTYPE Operation against a key script: " + sha1
                           + ", on @user_script:12.")
                    .what,
                  "WRONGTYPE Operation against a key, in the script take_over, "
                  "line 12");
  CAF_CHECK_EQUAL(classify("ERR nope script: " + sha1).what,
                  "ERR nope, in the script take_over");
  // That of another program, and texts that only look alike.
  for (auto& text :
       {"ERR nope script: " + std::string(40, 'a') + ", on @user_script:1.",
        std::string{"ERR a script: "}, "ERR " + sha1})
    CAF_CHECK_EQUAL(classify(text).what, text);
}

CAF_TEST(a missing password is named with the options to set) {
  const auto why = classify("NOAUTH Authentication required.").what;
  CAF_CHECK(why.find("password_file") != std::string::npos);
}

CAF_TEST(the text of an error is kept and starts the failure) {
  const std::string text = "MOVED 3999 127.0.0.1:6381";
  auto x = classify(text);
  CAF_CHECK_EQUAL(x.what.substr(0, text.size()), text);
  CAF_CHECK(x.what.find("Cluster") != std::string::npos);
  auto y = reply_builder{}.error("ERR nope").done();
  const auto why = error_of(cursor{y});
  CAF_CHECK_EQUAL(why.what, "ERR nope");
}

CAF_TEST(an unexpected reply is described without its control characters) {
  auto what = [](reply x) {
    auto why = unexpected_reply("XLEN", cursor{x});
    CAF_CHECK(why.code == errc::protocol_error);
    return why.what;
  };
  // A string may be a payload.
  CAF_CHECK_EQUAL(what(reply_builder{}.text("a\nb").done()),
                  "unexpected reply to XLEN: a string of 3 bytes");
  CAF_CHECK_EQUAL(what(reply_builder{}.error("a\nb").done()),
                  "unexpected reply to XLEN: the error \"a.b\"");
  CAF_CHECK_EQUAL(what(reply_builder{}.array(0).done()),
                  "unexpected reply to XLEN: an array of 0");
  CAF_CHECK_EQUAL(what(reply_builder{}.integer(3).done()),
                  "unexpected reply to XLEN: the number 3");
  CAF_CHECK_EQUAL(what(reply_builder{}.nil().done()),
                  "unexpected reply to XLEN: nil");
  CAF_CHECK_EQUAL(what(reply{}), "unexpected reply to XLEN: nothing more");
  CAF_CHECK_EQUAL(what(reply_builder{}.error(std::string(99, 'x')).done()),
                  "unexpected reply to XLEN: the error \""
                    + std::string(64, 'x') + "...\"");
}
