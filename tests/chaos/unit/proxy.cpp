#define CAF_SUITE chaos.proxy

#include "chaos/runner/proxy.hpp"

#include "pulse/testing/local_redis.hpp"

#include <hiredis.h>

#include <chrono>
#include <memory>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::chaos;

namespace {

using clock = std::chrono::steady_clock;

constexpr int64_t unlimited = 0;

struct fixture {
  local_redis server = start();
  proxy links{server.socket_path(), 2};

  static local_redis start() {
    auto result = local_redis::start();
    if (!result)
      CAF_FAIL(to_string(result.error()));
    return std::move(*result);
  }

  /// A client of link `i` that waits for a reply for at most the given time.
  struct client {
    std::unique_ptr<redisContext, void (*)(redisContext*)> context;

    client(const proxy& links, size_t i, int ms = 10'000)
      : context(nullptr, redisFree) {
      const auto url = links.url(i);
      const auto port = std::atoi(url.substr(url.rfind(':') + 1).c_str());
      const timeval limit{ms / 1'000, ms % 1'000 * 1'000};
      context.reset(redisConnectWithTimeout("127.0.0.1", port, limit));
      CAF_REQUIRE(context);
      redisSetTimeout(context.get(), limit);
    }

    /// @returns the reply to a command, or "no reply".
    std::string operator()(const std::string& command) const {
      auto* reply = static_cast<redisReply*>(
        redisCommand(context.get(), command.c_str()));
      if (reply == nullptr)
        return "no reply";
      const std::unique_ptr<redisReply, void (*)(void*)> guard{reply,
                                                               freeReplyObject};
      return {reply->str, static_cast<size_t>(reply->len)};
    }
  };

  static bool eventually(const client& who, const std::string& command,
                         const std::string& answer) {
    const auto end = clock::now() + std::chrono::seconds{20};
    while (who(command) != answer) {
      if (clock::now() > end)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(proxy_tests, fixture)

CAF_TEST(commands and replies of any size get through) {
  client x{links, 0};
  CAF_CHECK_EQUAL(x("PING"), "PONG");
  const std::string big(3'000'000, 'x');
  CAF_CHECK_EQUAL(x("SET k " + big), "OK");
  const auto back = x("GET k");
  CAF_CHECK(back == big);
  const auto counts = links.counts(0);
  CAF_CHECK_EQUAL(counts.accepted, 1u);
  CAF_CHECK_EQUAL(counts.open, 1u);
  CAF_CHECK_EQUAL(links.counts(1).accepted, 0u);
}

CAF_TEST(a cut resets the connections of its link alone) {
  client x{links, 0};
  client y{links, 1};
  CAF_CHECK_EQUAL(x("PING") + y("PING"), "PONGPONG");
  links.cut(0);
  CAF_CHECK_EQUAL(x("PING"), "no reply");
  CAF_CHECK_EQUAL(y("PING"), "PONG");
  client again{links, 0};
  CAF_CHECK_EQUAL(again("PING"), "PONG");
}

CAF_TEST(a black hole swallows until it is healed) {
  client x{links, 0, 1'500};
  CAF_CHECK_EQUAL(x("PING"), "PONG");
  links.set(0, {link_mode::hole, 0, unlimited});
  CAF_CHECK_EQUAL(x("SET k late"), "no reply");
  client direct{links, 1};
  CAF_CHECK_EQUAL(direct("EXISTS k") + direct("GET k"), "");
  // The delayed bytes arrive.
  links.set(0, {});
  CAF_CHECK(eventually(direct, "GET k", "late"));
}

CAF_TEST(what a frozen connection sent arrives though its client is gone) {
  client direct{links, 1};
  {
    client x{links, 0, 1'500};
    CAF_CHECK_EQUAL(x("PING"), "PONG");
    links.freeze(0, true);
    CAF_CHECK_EQUAL(x("SET k late"), "no reply");
  }
  // A new connection of the same link works.
  CAF_CHECK_EQUAL((client{links, 0}("GET k")), "");
  links.freeze(0, false);
  CAF_CHECK(eventually(direct, "GET k", "late"));
}

CAF_TEST(a deaf client acts without hearing) {
  client x{links, 0, 1'500};
  CAF_CHECK_EQUAL(x("PING"), "PONG");
  links.set(0, {link_mode::deaf, 0, unlimited});
  CAF_CHECK_EQUAL(x("SET k done"), "no reply");
  CAF_CHECK_EQUAL((client{links, 1}("GET k")), "done");
}

CAF_TEST(a reply may end in the middle) {
  client x{links, 0};
  CAF_CHECK_EQUAL(x("SET k 0123456789"), "OK");
  links.set(0, {link_mode::half_reply, 0, unlimited});
  CAF_CHECK_EQUAL(x("GET k"), "no reply");
}

CAF_TEST(replies may come byte by byte and late) {
  client x{links, 0};
  const std::string text(2'000, 'y');
  CAF_CHECK_EQUAL(x("SET k " + text), "OK");
  links.set(0, {link_mode::bytewise, 0, unlimited});
  const auto back = x("GET k");
  CAF_CHECK(back == text);
  links.set(0, {link_mode::delay, 100'000, unlimited});
  const auto begin = clock::now();
  CAF_CHECK_EQUAL(x("PING"), "PONG");
  CAF_CHECK(clock::now() - begin >= std::chrono::milliseconds{200});
  links.set(0, {link_mode::throttle, 0, 20'000});
  const auto slow = clock::now();
  CAF_CHECK(x("GET k") == text);
  CAF_CHECK(clock::now() - slow >= std::chrono::milliseconds{90});
}

CAF_TEST(without a Redis clients are refused and counted) {
  server.stop();
  client x{links, 0}; // may be reset before it has noticed that it is connected
  CAF_CHECK_EQUAL(x("PING"), "no reply");
  CAF_CHECK_EQUAL(links.counts(0).accepted, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
