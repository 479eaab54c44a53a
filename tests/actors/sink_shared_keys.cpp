#define CAF_SUITE actors.sink_shared_keys

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// A keyed sink shares its keys with the members on other nodes. The script that
// decides who gets what is tested in tests/simulation/shared_keys.cpp.

namespace {

using share_reply = scripted_redis::share_reply;

const std::string wake_key = "{pulse:stream:a}:wake:s";

struct fixture : sink_actor_fixture {
  fixture() {
    options.dispatch = dispatch_mode::keyed;
  }

  // The sink has half of the partitions.
  static share_reply shared() {
    share_reply result;
    result.sole = false;
    result.others = "host.9.other";
    result.first_of_others = partition_count / 2;
    result.after.clear();
    result.wake = "5-0";
    return result;
  }

  void answer(const share_reply& x) {
    redis.answer("share", x.text());
  }

  // The next call of stay learns that the member must share.
  void change() {
    redis.answer("stay", bulk("0"));
  }

  // Another member joins, and the sink stops reading alone.
  void share_with_another() {
    spawn_subscribed(1);
    auto seen = share_reply{};
    seen.others = "host.9.other";
    answer(seen);
    answer(shared());
    change();
    pass(2s);
    calls("share");
  }

  // The sink is woken for these members.
  void wake(const std::string& names) {
    give_page(array_of(1) + array_of(2) + bulk(wake_key) + array_of(1)
              + array_of(2) + bulk("6-0") + array_of(2) + bulk("for")
              + bulk(names));
  }

  size_t count(const std::string& kind) {
    const auto all = redis.kinds();
    return static_cast<size_t>(std::count(all.begin(), all.end(), kind));
  }

  bool waits() {
    return reads() && read().rfind("COUNT 1 BLOCK", 0) == 0;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_shared_keys_tests, fixture)

CAF_TEST(a single member reads its streams itself) {
  spawn_subscribed();
  CAF_CHECK(read().rfind("GROUP s me COUNT", 0) == 0);
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
}

CAF_TEST(when another member joins the sink reads no more alone) {
  share_with_another();
  CAF_REQUIRE(waits());
  CAF_CHECK_EQUAL(read(), "COUNT 1 BLOCK 3750 STREAMS " + wake_key + " 5-0");
}

CAF_TEST(the permission to read alone is given back before keys are shared) {
  spawn_subscribed(1);
  calls("share");
  auto seen = share_reply{};
  seen.others = "host.9.other";
  answer(seen);
  answer(shared());
  change();
  pass(2s);
  const auto asked = calls("share");
  // "works", "alone": first with a read under way, then without one.
  CAF_CHECK(asked.find(" 1 1 1 120000 | ") != std::string::npos);
  CAF_CHECK(asked.find(" 1 0 ") != std::string::npos);
}

CAF_TEST(a member that is woken asks for its events) {
  share_with_another();
  auto reply = shared();
  reply.entries = array_of(2) + entry(1, "x") + entry(2, "y");
  answer(reply);
  wake("host.9.other " + consumer);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
}

CAF_TEST(a busy member looks for new members as well) {
  share_with_another();
  auto busy = shared();
  busy.again = true;
  for (int i = 0; i < 300; ++i) {
    busy.entries = array_of(1) + entry(static_cast<uint64_t>(i + 1), "x");
    answer(busy);
  }
  pass(2s);
  const auto asked = calls("share");
  CAF_CHECK(asked.find(" 1 0 1 120000") != std::string::npos);
  alice.got();
}

CAF_TEST(a member sleeps on when others are woken) {
  share_with_another();
  wake("host.9.other");
  CAF_CHECK_EQUAL(calls("share"), "");
  CAF_REQUIRE(waits());
  CAF_CHECK_EQUAL(read(), "COUNT 1 BLOCK 3750 STREAMS " + wake_key + " 6-0");
}

CAF_TEST(the member that watches waits for new entries as well) {
  spawn_subscribed(1);
  auto seen = share_reply{};
  seen.others = "host.9.other";
  answer(seen);
  auto reply = shared();
  reply.after = "7-0";
  answer(reply);
  change();
  pass(2s);
  CAF_REQUIRE(waits());
  CAF_CHECK_EQUAL(read(),
                  "COUNT 1 BLOCK 3750 STREAMS " + wake_key + " a 5-0 7-0");
}

CAF_TEST(a consumer that blocks all members is named once) {
  spawn_subscribed(1);
  auto reply = shared();
  reply.blocked_by = "host.3.stranger";
  for (int i = 0; i < 3; ++i)
    answer(reply);
  change();
  pass(2s);
  CAF_CHECK(logged("consumer host.3.stranger holds events of this sink"));
  const auto first = log_text.find("stranger");
  CAF_CHECK(log_text.find("stranger", first + 1) == std::string::npos);
}

// -- where nothing happens
// -----------------------------------------------------

CAF_TEST(some calls a lease renew the memberships of many idle streams) {
  options.streams.clear();
  for (int i = 0; i < 300; ++i)
    options.streams.push_back("s" + std::to_string(i));
  spawn_subscribed();
  pass(1s);
  const auto shares = count("share");
  CAF_CHECK_GREATER(shares, 299u);
  const auto stays = count("stay");
  pass(options.lease);
  CAF_CHECK_EQUAL(count("share"), shares);
  // Ticks are half a second apart.
  CAF_CHECK_GREATER(count("stay") - stays, 10u);
  CAF_CHECK_LESS(count("stay") - stays, 70u);
  // And the sink goes on reading alone.
  CAF_CHECK_EQUAL(read().rfind("GROUP s me COUNT", 0), 0u);
}

CAF_TEST(a member that is told of a change shares its keys again) {
  spawn_subscribed();
  pass(2s);
  calls("share");
  pass(2s);
  CAF_CHECK_EQUAL(calls("share"), "");
  change();
  pass(2s);
  // It may be reading the stream, and looks for changes.
  CAF_CHECK(calls("share").find(" 1 1 1 120000") != std::string::npos);
}

CAF_TEST(a member says whom it knows and which wake up it saw last) {
  share_with_another();
  calls("stay");
  auto same = shared();
  for (int i = 0; i < 4; ++i)
    answer(same);
  redis.answer("stay", bulk("1"));
  pass(3s);
  CAF_CHECK(calls("stay").find(" 120000 host.9.other 5-0 ")
            != std::string::npos);
}

CAF_TEST(a permission to read alone that nobody renews expires) {
  spawn_subscribed();
  pass(2s);
  redis.hold("stay");
  pass(options.lease / 2);
  give(1, 1);
  CAF_CHECK(!reads() || waits());
  redis.release("stay");
  pass(2s);
  if (waits())
    give_page(nothing);
  CAF_CHECK_EQUAL(read().rfind("GROUP s me COUNT", 0), 0u);
}

CAF_TEST(a stream that a sink may not access does not stop the others) {
  options.streams = {"a", "b"};
  spawn_subscribed();
  pass(2s);
  calls("share");
  redis.refuse("stay", "NOPERM no access to b");
  pass(2s);
  const auto asked = calls("share");
  CAF_CHECK(asked.find("a ") != std::string::npos);
  CAF_CHECK(asked.find("b ") != std::string::npos);
  pass(2s);
  CAF_CHECK_EQUAL(read().rfind("GROUP s me COUNT", 0), 0u);
}

CAF_TEST(a removed stream and a closed sink end their membership) {
  options.streams = {"a", "b"};
  spawn_subscribed();
  auto removed = ask<bool>(uut, atom::rem_stream_v, std::string{"b"});
  consume_messages();
  pass(1s);
  CAF_CHECK(calls("leave").rfind("b ", 0) == 0);
  auto closed = close();
  pass(1s);
  CAF_CHECK(closed->ok());
  CAF_CHECK(calls("leave").rfind("a ", 0) == 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
