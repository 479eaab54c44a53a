#define CAF_SUITE actors.reader_hub

#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/core/log.hpp"

#include "support/hub_fixture.hpp"
#include "support/read_replies.hpp"

#include <algorithm>
#include <map>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

// Readers that share a hub.
struct fixture : hub_fixture {
  fixture() {
    set_log_function(nullptr);
  }

  ~fixture() {
    for (auto& [name, x] : readers)
      caf::anon_send(x, caf::close_atom_v);
    readers.clear();
    subscribers.clear();
    consume_messages();
  }

  // Opens a reader that gets the events of a stream after <after>-0.
  void open(const std::string& name, const std::string& stream, uint64_t after,
            const std::string& state = facts(9)) {
    open(name, std::vector{stream}, after, state);
  }

  // The same for several streams.
  void open(const std::string& name, const std::vector<std::string>& streams,
            uint64_t after, const std::string& states) {
    reader_options options;
    options.name = name;
    options.streams = streams;
    options.start = start_position::after({after, 0});
    readers[name] = spawn_reader(sys, options, hubs);
    consume_messages();
    redis.answer(states);
    consume_messages();
    subscribers[name] = sys.spawn([this, name](event_listener::pointer) {
      return event_listener::behavior_type{[this, name](const event& x) {
        got += (got.empty() ? "" : " ") + name + std::to_string(x.id().ms);
        block_bytes[name] = x.block()->bytes.size();
      }};
    });
    ask_void(readers[name], caf::subscribe_atom_v, subscribers[name],
             subscription{});
    consume_messages();
  }

  void close(const std::string& name) {
    caf::anon_send(readers[name], caf::close_atom_v);
    readers.erase(name);
    subscribers.erase(name);
    consume_messages();
  }

  static void answer(fake_connection& connection, std::string replies) {
    connection.answer(std::move(replies));
  }

  void brings(fake_connection& connection, std::string replies) {
    answer(connection, std::move(replies));
    consume_messages();
  }

  // The events that arrived since the last call, as "x6 y6".
  std::string news() {
    return std::exchange(got, {});
  }

  static std::string log_of(fake_connection& connection) {
    std::string result;
    for (auto& x : connection.log())
      result.append(result.empty() ? "" : " | ").append(x);
    connection.clear_log();
    return result;
  }

  static std::string read(const std::string& rest) {
    return "XREAD COUNT 1000 BLOCK 5000 STREAMS " + rest;
  }

  std::map<std::string, reader_actor> readers;
  std::map<std::string, event_listener> subscribers;
  std::string got;
  /// The size of the block of the event that came last to each reader.
  std::map<std::string, size_t> block_bytes;
  const std::string large = std::string(1u << 20, 't');
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(reader_hub_tests, fixture)

CAF_TEST(two readers share a connection and a read) {
  open("x", "a", 9);
  open("y", "a", 9);
  CAF_CHECK_EQUAL(log_of(blocking), read("pulse:stream:a 9-0"));
  brings(blocking, page("a", 10, 11));
  CAF_CHECK_EQUAL(news(), "x10 x11 y10 y11");
  CAF_CHECK_EQUAL(log_of(blocking), read("pulse:stream:a 11-0"));
  CAF_CHECK_EQUAL(opened, 1u);
}

CAF_TEST(a reader that begins in the future reads no faster than others) {
  open("x", "a", 50, facts_of(9, 9, 1, 9));
  CAF_CHECK_EQUAL(log_of(blocking), "XINFO STREAM pulse:stream:a | "
                                      + read("pulse:stream:a 50-0"));
  brings(blocking, facts_of(9, 9, 1, 9));
  CAF_CHECK_EQUAL(blocking.unblocks(), 0u);
  brings(blocking, nothing);
  CAF_CHECK_EQUAL(log_of(blocking), "XINFO STREAM pulse:stream:a | "
                                      + read("pulse:stream:a 50-0"));
  brings(blocking, facts_of(9, 9, 1, 9));
  CAF_CHECK_EQUAL(blocking.unblocks(), 0u);
  brings(blocking, page("a", 51, 51));
  CAF_CHECK_EQUAL(news(), "x51");
}

CAF_TEST(a reader that is behind catches up and comes to the tail) {
  open("x", "a", 9);
  log_of(blocking);
  log_of(redis);
  open("y", "a", 5);
  CAF_CHECK_EQUAL(log_of(redis), "XINFO STREAM pulse:stream:a | "
                                 "XINFO STREAM pulse:stream:a | "
                                 "XREAD COUNT 1 STREAMS pulse:stream:a 5-0");
  brings(redis, facts(9));
  brings(redis, page("a", 6, 9));
  CAF_CHECK_EQUAL(news(), "y6 y7 y8 y9");
  CAF_CHECK_EQUAL(log_of(redis), "");
  CAF_CHECK_EQUAL(blocking.unblocks(), 0u);
  brings(blocking, page("a", 10, 10));
  CAF_CHECK_EQUAL(news(), "x10 y10");
}

CAF_TEST(no event of a stream that was replaced is skipped) {
  open("x", "a", 20, facts_of(9, 9, 1, 9));
  open("y", "a", 0, facts_of(9, 9, 1, 9));
  brings(redis, facts_of(9, 9, 1, 9));
  brings(redis, page("a", 1, 9));
  CAF_CHECK_EQUAL(news(), "y1 y2 y3 y4 y5 y6 y7 y8 y9");
  brings(redis, facts_of(5, 5, 3, 20)); // the events 3, 4, 5, 19 and 20
  log_of(redis);
  brings(redis, page("a", 19, 20));
  CAF_CHECK_EQUAL(news(), "");
  CAF_CHECK_EQUAL(log_of(redis), "XINFO STREAM pulse:stream:a | "
                                 "XREAD COUNT 72 STREAMS pulse:stream:a 0-0");
  brings(redis, facts_of(5, 5, 3, 20));
  brings(redis, page({{"a", array_of(5) + entry(3) + entry(4) + entry(5)
                              + entry(19) + entry(20)}}));
  CAF_CHECK_EQUAL(news(), "y3 y4 y5 y19 y20");
}

CAF_TEST(a reader of another stream joins and nothing is lost or repeated) {
  open("x", "a", 9);
  log_of(blocking);
  open("y", "b", 9);
  CAF_CHECK_EQUAL(blocking.unblocks(), 1u);
  brings(blocking, page("a", 10, 10)); // came before the unblock
  CAF_CHECK_EQUAL(news(), "x10");
  CAF_CHECK_EQUAL(log_of(blocking),
                  read("pulse:stream:a pulse:stream:b 10-0 9-0"));
  brings(blocking, page({{"a", entries(11, 11)}, {"b", entries(10, 10)}}));
  CAF_CHECK_EQUAL(news(), "x11 y10");
}

CAF_TEST(a reader that leaves does not disturb the others) {
  open("x", "a", 9);
  open("y", "a", 9);
  close("x");
  CAF_CHECK_EQUAL(blocking.unblocks(), 0u);
  brings(blocking, page("a", 10, 10));
  CAF_CHECK_EQUAL(news(), "y10");
}

CAF_TEST(the hub ends with its last reader) {
  open("x", "a", 9);
  const auto hub = hubs->hub();
  close("x");
  CAF_CHECK_EQUAL(blocking.closes(), 1u);
  CAF_CHECK(hubs->hub() != hub);
  caf::anon_send_exit(hubs->hub(), caf::exit_reason::kill);
  consume_messages();
}

CAF_TEST(the count of a read is divided between its streams) {
  open("x", "a", 9);
  brings(blocking, page({{"a", array_of(1) + entry(10, large)}}));
  log_of(blocking);
  open("y", "b", 9);
  brings(blocking, nothing);
  // 16 MiB, about, for events of 1 MiB.
  CAF_CHECK_EQUAL(log_of(blocking),
                  "XREAD COUNT 7 BLOCK 5000 STREAMS pulse:stream:a "
                  "pulse:stream:b 10-0 9-0");
}

CAF_TEST(old reads of a stream say nothing about those of another one) {
  open("x", "a", 50);
  open("y", "b", 50);
  open("z", "a", 0);
  for (uint64_t i = 1; i < 4; ++i) {
    brings(redis, facts(9));
    brings(redis, page("a", i, i));
  }
  brings(redis, facts(9));
  CAF_CHECK_EQUAL(news(), "z1 z2 z3");
  log_of(redis);
  brings(redis, nothing);
  open("w", "b", 0);
  CAF_CHECK_EQUAL(log_of(redis), "XINFO STREAM pulse:stream:b | "
                                 "XINFO STREAM pulse:stream:b | "
                                 "XREAD COUNT 1 STREAMS pulse:stream:b 0-0");
}

CAF_TEST(only a few old reads are under way at a time) {
  std::vector<std::string> streams;
  std::string states;
  for (int i = 0; i < 100; ++i) {
    streams.push_back("a" + std::to_string(i));
    states += facts(9);
  }
  open("x", streams, 9, states);
  open("y", streams, 5, states);
  for (unsigned i = 0; i < 100; ++i) {
    const size_t expected = std::min(32u, 200 - 2 * i);
    CAF_REQUIRE_EQUAL(redis.waiting().size(), expected);
    brings(redis, facts(9));
    brings(redis, nothing);
  }
  CAF_CHECK(redis.waiting().empty());
}

CAF_TEST(an event of one stream does not keep those of others in memory) {
  open("x", "a", 9);
  open("y", "b", 9);
  brings(blocking, nothing);
  brings(blocking,
         page({{"a", array_of(1) + entry(10, large)}, {"b", entries(10, 10)}}));
  CAF_CHECK_EQUAL(news(), "x10 y10");
  CAF_CHECK_GREATER(block_bytes["x"], large.size());
  CAF_CHECK_LESS(block_bytes["y"], 100u);
}

CAF_TEST(a check that is answered after its read failed has no effect) {
  open("x", "a", 9);
  open("y", "b", 9);
  brings(blocking, nothing);
  brings(blocking, nothing); // so the streams are checked before the next read
  CAF_REQUIRE_EQUAL(blocking.waiting().size(), 2u);
  blocking.fail_last({errc::connection_lost, "as told"});
  consume_messages();
  close("y");
  log_of(blocking);
  advance_time(200ms);
  consume_messages();
  CAF_CHECK_EQUAL(log_of(blocking), "XREAD COUNT 1 STREAMS pulse:stream:a 9-0");
  brings(blocking, facts(9) + facts(9));
  brings(blocking, page("a", 10, 10));
  CAF_CHECK_EQUAL(news(), "x10");
  CAF_CHECK_EQUAL(blocking.closes(), 0u);
}

CAF_TEST(streams whose events are too large together are read in turn) {
  auto fail = [&] {
    blocking.fail({errc::connection_lost, "as told"});
    consume_messages();
    advance_time(2s);
    consume_messages();
    return log_of(blocking);
  };
  for (auto name : {"a", "b", "c", "d"})
    open(name, name, 9);
  brings(blocking, nothing);
  log_of(blocking);
  CAF_CHECK_EQUAL(fail(), "XREAD COUNT 1 STREAMS pulse:stream:a pulse:stream:b "
                          "pulse:stream:c pulse:stream:d 9-0 9-0 9-0 9-0");
  CAF_CHECK_EQUAL(
    fail(), "XREAD COUNT 1 STREAMS pulse:stream:a pulse:stream:b 9-0 9-0");
  CAF_CHECK_EQUAL(fail(), "XREAD COUNT 1 STREAMS pulse:stream:c 9-0");
  brings(blocking, page("c", 10, 10));
  CAF_CHECK_EQUAL(news(), "c10");
  const auto unblocks = blocking.unblocks();
  brings(blocking, facts(9) + facts(9));
  brings(blocking, page({{"a", entries(10, 10)}, {"d", entries(10, 10)}}));
  CAF_CHECK_EQUAL(news(), "a10 d10");
  CAF_CHECK_EQUAL(blocking.unblocks(), unblocks);
  const auto log = log_of(blocking);
  CAF_CHECK(log.find("XREAD COUNT 8 STREAMS pulse:stream:a pulse:stream:d 9-0")
            != std::string::npos);
  CAF_CHECK(log.find("XREAD COUNT 16 BLOCK 5000 STREAMS pulse:stream:a "
                     "pulse:stream:b pulse:stream:c pulse:stream:d")
            != std::string::npos);
}

CAF_TEST(a stream that Redis refuses does not stop readers of others) {
  open("x", "a", 9);
  open("y", "b", 9);
  brings(blocking, nothing);
  log_of(blocking);
  brings(blocking, wrong_type);
  brings(redis, std::string{nothing} + wrong_type);
  CAF_CHECK_EQUAL(log_of(blocking),
                  "XREAD COUNT 1000 STREAMS pulse:stream:a 9-0");
  brings(blocking, page("a", 10, 10));
  CAF_CHECK_EQUAL(news(), "x10");
}

CAF_TEST(if the hub dies its readers go on with another one) {
  open("x", "a", 9);
  open("y", "a", 9);
  brings(blocking, page("a", 10, 10));
  CAF_CHECK_EQUAL(news(), "x10 y10");
  caf::anon_send_exit(hubs->hub(), caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK_EQUAL(blocking.closes(), 1u);
  brings(blocking, nothing); // the connection of the dead hub
  log_of(blocking);
  advance_time(200ms);
  consume_messages();
  CAF_CHECK_EQUAL(opened, 2u);
  CAF_CHECK_EQUAL(log_of(blocking), read("pulse:stream:a 10-0"));
  brings(blocking, page("a", 11, 11));
  const auto both = news(); // the readers asked the new hub in any order
  CAF_CHECK(both == "x11 y11" || both == "y11 x11");
}

CAF_TEST_FIXTURE_SCOPE_END()
