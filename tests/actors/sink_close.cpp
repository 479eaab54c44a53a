#define CAF_SUITE actors.sink_close

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// How a sink ends its work on one stream, and how it closes.

namespace {

struct fixture : sink_actor_fixture {
  bool add_stream(const std::string& name, start_position start = {}) {
    auto result = ask_void(uut, atom::add_stream_v, name, start);
    consume_messages();
    return result->ok();
  }

  bool remove_stream(const std::string& name) {
    auto result = ask<bool>(uut, atom::rem_stream_v, name);
    consume_messages();
    return result->ok() && result->value;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_close_tests, fixture)

CAF_TEST(an idle sink closes at once though a read is blocked and twice) {
  spawn_subscribed();
  auto first = ask_void(uut, caf::close_atom_v);
  auto second = ask_void(uut, caf::close_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(first->why(), "none");
  CAF_CHECK_EQUAL(second->why(), "none");
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 all");
  CAF_CHECK_EQUAL(leases.log(), "");
}

CAF_TEST(a sink with very many streams gives back some at a time) {
  options.streams.clear();
  for (int i = 0; i < 1'200; ++i)
    options.streams.push_back("s" + std::to_string(i));
  redis.hold("open_group");
  spawn();
  auto count = [this](const std::string& kind) {
    const auto all = redis.kinds();
    return std::count(all.begin(), all.end(), kind);
  };
  CAF_CHECK_EQUAL(count("open_group"), 1'000);
  release("open_group");
  CAF_CHECK_EQUAL(count("open_group"), 1'200);
  CAF_CHECK_EQUAL(subscribe(alice), "none");
  give(1, 1, "s1199");
  redis.hold("release");
  auto done = close();
  pass(1s);
  CAF_CHECK_EQUAL(count("release"), 100);
  // Streams with events come first.
  CAF_CHECK(calls("release").find("s1199 ") != std::string::npos);
  release("release");
  CAF_CHECK_EQUAL(count("release"), 1'200);
  CAF_CHECK_EQUAL(done->why(), "none");
}

CAF_TEST(closing very many streams ends in time) {
  options.streams.clear();
  options.drain_timeout = 4s;
  for (int i = 0; i < 1'200; ++i)
    options.streams.push_back("s" + std::to_string(i));
  spawn_subscribed();
  redis.hold("release");
  auto done = close();
  pass(4s);
  CAF_CHECK_EQUAL(done->why(), "no answer");
  for (int i = 0; i < 100; ++i)
    redis.commands.fail({errc::timed_out, "as told"});
  pass(100ms);
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK(
    logged("could not delete the consumer of this node on 1200 streams"));
  CAF_CHECK(!logged("could not give back"));
}

CAF_TEST(closing waits for handlers and gives back all other events) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  auto done = close();
  pass(5s);
  CAF_CHECK_EQUAL(done->why(), "no answer");
  CAF_CHECK_EQUAL(alice.got(), "a1");
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK_EQUAL(alice.got(), ""); // a2 is for others, uncounted
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 all 2-0 0 -1");
}

CAF_TEST(events that were trimmed before a sink gives them back are reported) {
  alice.hold();
  spawn_subscribed(1);
  listen();
  give(1, 3);
  redis.answer("release", array_of(5) + ":1\r\n:1\r\n" + array_of(0)
                            + array_of(2) + bulk("2-0") + bulk("3-0")
                            + ":0\r\n");
  auto closed = close();
  alice.finish();
  pass(2s);
  CAF_CHECK(closed->ok());
  CAF_CHECK_EQUAL(news(), "gap a 1-18446744073709551615 loss 2");
}

CAF_TEST(closing does not wait for a handler beyond drain_timeout) {
  options.drain_timeout = 4s;
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  auto done = close();
  pass(2900ms);
  CAF_CHECK_EQUAL(done->why(), "no answer");
  pass(1100ms);
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK(logged("drain_timeout is over"));
  CAF_CHECK_EQUAL(calls("release"),
                  "a s me 15000 all 1-0 " + packed({1, 0, 0}) + " -1");
}

CAF_TEST(closing waits for acks that are not confirmed) {
  spawn_subscribed();
  redis.hold("XACK");
  give(1, 1);
  auto done = close();
  pass(3s);
  CAF_CHECK_EQUAL(done->why(), "no answer");
  release("XACK");
  pass(100ms);
  CAF_CHECK_EQUAL(done->why(), "none");
}

CAF_TEST(closing ends though Redis is away) {
  options.drain_timeout = 4s;
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  redis.goes_away();
  auto done = close();
  pass(4s);
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK(logged("could not give back the events of stream a: "));
}

CAF_TEST(only events that a sink could not give back are worth a warning) {
  options.drain_timeout = 4s;
  options.streams = {"a", "b", "c", "d"};
  alice.hold();
  spawn_subscribed();
  give(1, 1, "b");
  give(1, 1, "c");
  redis.goes_away();
  auto done = close();
  pass(4s);
  CAF_CHECK_EQUAL(done->why(), "none");
  const std::string line = "could not give back the events of ";
  CAF_CHECK(logged(line + "2 streams (c is one of them): "));
  CAF_CHECK_EQUAL(log_text.find(line), log_text.rfind(line));
  CAF_CHECK(logged("could not delete the consumer of this node on 2 streams"));
}

CAF_TEST(a slow Redis is asked for little at a time when a sink closes) {
  options.streams.clear();
  for (int i = 0; i < 400; ++i)
    options.streams.push_back("s" + std::to_string(i));
  spawn_subscribed();
  auto count = [this] {
    const auto all = redis.kinds();
    return std::count(all.begin(), all.end(), "release");
  };
  redis.hold("release");
  auto done = close();
  CAF_CHECK_EQUAL(count(), 100);
  pass(300ms);
  for (int i = 0; i < 100; ++i)
    redis.commands.fail({errc::timed_out, "as told"});
  consume_messages();
  CAF_CHECK_EQUAL(count(), 150);
  release("release");
  CAF_CHECK_EQUAL(count(), 400);
  CAF_CHECK_EQUAL(done->why(), "none");
}

CAF_TEST(a closing sink gives events back after its leases have ended) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  alice.finish();
  consume_messages();
  alice.finish();
  leases.hold_ends();
  auto done = close();
  pass(100ms);
  CAF_CHECK_EQUAL(leases.log(), "add a, delete a");
  CAF_CHECK_EQUAL(calls("release"), "");
  leases.release_ends();
  pass(100ms);
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 all");
  CAF_CHECK_EQUAL(done->why(), "none");
}

CAF_TEST(what is acknowledged while a lease ends is not given back) {
  alice.hold();
  options.drain_timeout = 2s;
  spawn_subscribed(2);
  give(1, 2);
  leases.hold_ends();
  auto done = close();
  pass(1600ms); // the time to drain is over
  CAF_CHECK_EQUAL(calls("release"), "");
  alice.finish();
  leases.release_ends();
  pass(100ms);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 all 2-0 1 -1");
  CAF_CHECK_EQUAL(done->why(), "none");
}

CAF_TEST(a closing sink refuses further requests) {
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  close();
  CAF_CHECK_EQUAL(subscribe(bob).substr(0, 7), "closed:");
  CAF_CHECK(!add_stream("b"));
}

// -- streams ------------------------------------------------------------------

CAF_TEST(a stream can be added and is read with the others) {
  spawn_subscribed();
  CAF_CHECK(add_stream("b", start_position::oldest()));
  CAF_CHECK(add_stream("b")); // repeating it is fine
  pass(100ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 STREAMS a b > >");
  give(3, 3, "b");
  CAF_CHECK_EQUAL(alice.got(), "b3");
  CAF_CHECK_EQUAL(info().streams.size(), 2u);
}

CAF_TEST(a stream that is added is read at once) {
  spawn_subscribed();
  redis.blocking().set_unblock_answer({}); // Redis misses the requests
  CAF_CHECK(add_stream("b"));
  pass(1s);
  CAF_CHECK_GREATER(redis.blocking().unblocks(), 2u);
  redis.blocking().set_unblock_answer("*-1\r\n");
  pass(1s);
  CAF_CHECK_EQUAL(read().substr(read().find("STREAMS")), "STREAMS a b > >");
  const auto asked = redis.blocking().unblocks();
  pass(1s);
  CAF_CHECK_EQUAL(redis.blocking().unblocks(), asked);
}

CAF_TEST(a stream that cannot be added leaves the sink as it was) {
  spawn_subscribed();
  redis.refuse("open_group", "WRONGTYPE Operation against a key");
  CAF_CHECK(!add_stream("b"));
  CAF_CHECK(!add_stream("no good name"));
  CAF_CHECK_EQUAL(info().streams.size(), 1u);
  pass(5s);
  CAF_CHECK(reads());
}

CAF_TEST(a stream that is removed is not read and its events are given back) {
  alice.hold();
  options.streams = {"a", "b"};
  spawn_subscribed(1);
  give(1, 2);
  CAF_CHECK(remove_stream("a"));
  CAF_CHECK(!remove_stream("a"));
  pass(1s);
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 listed 2-0 0 -1");
  alice.finish();
  pass(1s);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 all");
  CAF_CHECK_EQUAL(read().substr(read().find("STREAMS")), "STREAMS b >");
}

CAF_TEST(events of a removed stream that a read still brings go back) {
  options.streams = {"a", "b"};
  spawn_subscribed();
  redis.blocking().set_unblock_answer({}); // the read goes on for a while
  CAF_CHECK(remove_stream("a"));
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK_EQUAL(calls("release"),
                  "a s me 15000 listed 1-0 0 -1 2-0 0 -1 | a s me 15000 all");
  give(3, 3, "b");
  CAF_CHECK_EQUAL(alice.got(), "b3");
}

CAF_TEST(a stream that is added again while its lease ends stays) {
  options.streams = {"a", "b"};
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  leases.log();
  leases.hold_ends();
  CAF_CHECK(remove_stream("a"));
  alice.finish();
  pass(1s);
  CAF_CHECK_EQUAL(leases.log(), "delete a");
  CAF_CHECK(add_stream("a"));
  leases.release_ends();
  pass(1s);
  CAF_CHECK_EQUAL(calls("release"), "");
  CAF_CHECK_EQUAL(leases.log(), "");
  CAF_CHECK_EQUAL(read().substr(read().find("STREAMS")), "STREAMS a b > >");
}

CAF_TEST_FIXTURE_SCOPE_END()
