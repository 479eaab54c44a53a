#define CAF_SUITE resp.scripts

#include "pulse/core/event_id.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/find_script.hpp"
#include "pulse/resp/reply.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include "support/raw_client.hpp"

#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

using test::raw_client;

local_redis start(const std::vector<std::string>& config) {
  local_redis_options options;
  options.config = config;
  auto result = local_redis::start(options);
  if (!result)
    CAF_FAIL(to_string(result.error()));
  return std::move(*result);
}

// With one entry per node trimming is exact.
struct fixture {
  local_redis server = start({"stream-node-max-entries 1"});
  raw_client redis{server};

  std::string eval(const resp::script& x, std::vector<std::string> args) {
    args.insert(args.begin(), {"EVAL", std::string{x.source}});
    return redis(args);
  }

  std::string trim(int max_len) {
    // Removed, left, and who holds it back; times have tests of their own.
    const auto text
      = eval(resp::trim_script(),
             {"2", "s", "kept", std::to_string(max_len), "0", "1"});
    auto end = text.size();
    for (int i = 0; i < 3; ++i)
      end = text.rfind(' ', end - 1);
    return text.substr(0, end);
  }

  // Answers whether something is stored, max_len, max_age, ttl, the length of
  // the stream, and the number of lost events.
  std::string agree(const std::string& mode, const std::string& max_len,
                    const std::string& max_age, const std::string& ttl = "") {
    auto result = eval(resp::retention_script(),
                       {"2", "s", "kept", mode, "max_len", "0", max_len,
                        "max_age", "0", max_age, "ttl", "0", ttl,
                        "protect_unacked", "1", "", "hard_max_len", "0", ""});
    // The last two options are the same in all tests.
    if (const auto at = result.find(" 1 0 "); at != std::string::npos)
      result.erase(at, 4);
    return result;
  }

  void add(int first, int last) {
    for (int i = first; i <= last; ++i)
      redis({"XADD", "s", std::to_string(i) + "-1", "n", "x"});
  }

  void group(const std::string& name, const std::string& start = "0") {
    CAF_REQUIRE_EQUAL(redis({"XGROUP", "CREATE", "s", name, start, "MKSTREAM"}),
                      "OK");
  }

  void deliver(const std::string& name, int count) {
    redis({"XREADGROUP", "GROUP", name, "c", "COUNT", std::to_string(count),
           "STREAMS", "s", ">"});
  }

  void ack(const std::string& name, int first, int last) {
    for (int i = first; i <= last; ++i)
      redis({"XACK", "s", name, std::to_string(i) + "-1"});
  }

  std::string length() {
    return redis({"XLEN", "s"});
  }

  std::string first() {
    const auto entry = redis({"XRANGE", "s", "-", "+", "COUNT", "1"});
    return entry.substr(0, entry.find(' '));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(scripts_tests, fixture)

CAF_TEST(each script has the digest that Redis computes) {
  for (auto* x :
       {&resp::add_script(), &resp::trim_script(), &resp::destroy_script(),
        &resp::renew_script(), &resp::take_over_script(),
        &resp::release_script(), &resp::count_script(),
        &resp::dead_letter_script(), &resp::redrive_script(),
        &resp::clean_consumers_script(), &resp::audit_script(),
        &resp::create_group_script(), &resp::retention_script(),
        &resp::delay_script(), &resp::share_script(), &resp::stay_script(),
        &resp::leave_script(), &resp::keep_script(),
        &resp::end_consumer_script()}) {
    CAF_MESSAGE(std::string{x->name});
    CAF_CHECK(resp::find_script(x->sha1) == x);
    CAF_CHECK_EQUAL(redis({"SCRIPT", "LOAD", std::string{x->source}}),
                    std::string{x->sha1});
  }
}

CAF_TEST(an error that Redis adds a digest to has the name of the script) {
  redis({"SET", "s", "no stream"});
  const auto text = eval(resp::renew_script(), {"1", "s", "g", "c", "0", "1"});
  const auto why = resp::classify(text);
  CAF_CHECK(why.code == errc::wrong_type);
  CAF_CHECK(why.what.find(", in the script renew, line ") != std::string::npos);
  CAF_CHECK_EQUAL(why.what.find(resp::renew_script().sha1), std::string::npos);
}

// -- the last member ----------------------------------------------------------

CAF_TEST(the last member deletes consumers that are no members) {
  add(1, 3);
  group("g");
  auto give = [this](const std::string& to) {
    redis({"XREADGROUP", "GROUP", "g", to, "COUNT", "1", "STREAMS", "s", ">"});
  };
  auto release = [this](const std::string& who) {
    eval(resp::release_script(),
         {"3", "s", "s:delayed", "s:position", "g", who, "15000", "all"});
    return redis({"XINFO", "CONSUMERS", "s", "g"});
  };
  give("released");
  give("key.5");
  give("delayed");
  redis({"XGROUP", "CREATECONSUMER", "s", "g", "stranger"});
  redis({"XGROUP", "CREATECONSUMER", "s", "g", "a.1.x.15000ms"});
  redis({"XGROUP", "CREATECONSUMER", "s", "g", "b.2.x.15000ms"});
  ack("g", 1, 2);
  CAF_CHECK(release("a.1.x.15000ms").find("released") != std::string::npos);
  const auto left = release("b.2.x.15000ms");
  CAF_CHECK(left.find("released") == std::string::npos);
  CAF_CHECK(left.find("key.5") == std::string::npos);
  CAF_CHECK(left.find("delayed") != std::string::npos); // it holds an entry
  CAF_CHECK(left.find("stranger") != std::string::npos);
}

// -- somebody deletes the consumer of the entries that wait
// --------------------

CAF_TEST(entries that wait are pending again after their consumer was deleted) {
  add(1, 5);
  group("g");
  deliver("g", 4);
  const auto wait = [this](const std::string& id) {
    return eval(resp::delay_script(), {"2", "s", "s:delayed", "g", "c", "15000",
                                       id, "200002", "60000"});
  };
  const auto waiting = [this] {
    return redis({"XPENDING", "s", "g", "-", "+", "9", "delayed"});
  };
  const auto take = [this](const std::string& which) {
    return eval(resp::take_over_script(), {"3", "s", "s:delayed", "s:paused",
                                           "g", "c", "15000", "9", which});
  };
  const auto remove = [this] {
    redis({"XGROUP", "DELCONSUMER", "s", "g", "delayed"});
  };
  wait("1-1");
  wait("2-1");
  // Of an event that has another owner the set knows nothing, or nothing new.
  redis({"ZADD", "s:delayed", "1000000000000000", "4-1"});
  // The group has not delivered this one.
  redis({"ZADD", "s:delayed", "1000000000000000", "5-1"});
  for (const std::string which : {"all", "due"}) {
    remove();
    CAF_CHECK_EQUAL(waiting(), "");
    const auto reply = take(which);
    CAF_CHECK_EQUAL(reply.substr(reply.find(' ', 2)), " 2 0   ");
    CAF_CHECK(waiting().find("1-1 delayed") == 0);
    CAF_CHECK(waiting().find(" 100001 2-1 delayed") != std::string::npos);
    CAF_CHECK(waiting().find("3-1") == std::string::npos);
    CAF_CHECK(waiting().find("4-1") == std::string::npos);
    CAF_CHECK(waiting().find("5-1") == std::string::npos);
  }
  CAF_CHECK(take("all").find(" 0 0   ") != std::string::npos);
  remove();
  // Whoever gives the next event finds out as well.
  const auto reply = wait("3-1");
  CAF_CHECK_EQUAL(reply.substr(reply.size() - 2), " 2");
  CAF_CHECK(waiting().find("2-1 delayed") != std::string::npos);
}

CAF_TEST(a new group forgets what waited and was late in the old one) {
  add(1, 5);
  group("g");
  deliver("g", 4);
  eval(resp::delay_script(),
       {"2", "s", "s:delayed", "g", "c", "15000", "1-1", "200002", "60000"});
  redis({"ZADD", "s:late", "1", "2-1"});
  redis({"XGROUP", "DESTROY", "s", "g"});
  eval(resp::create_group_script(),
       {"3", "s", "s:delayed", "s:late", "g", "0", "0", "5", "5-1"});
  CAF_CHECK_EQUAL(redis({"EXISTS", "s:delayed", "s:late"}), "0");
  redis({"XGROUP", "DESTROY", "s", "g"});
  redis({"ZADD", "s:delayed", "1", "1-1"});
  redis({"ZADD", "s:late", "1", "2-1"});
  eval(resp::open_group_script(),
       {"4", "s", "s:position", "s:delayed", "s:late", "g", "0"});
  CAF_CHECK_EQUAL(redis({"EXISTS", "s:delayed", "s:late"}), "0");
}

CAF_TEST(what vanished with its consumer is claimed unless it was late) {
  add(1, 4);
  group("g");
  deliver("g", 4);
  redis({"XGROUP", "DELCONSUMER", "s", "g", "c"});
  redis({"ZADD", "s:late", "1", "2-1"});
  const auto kept = eval(resp::keep_script(),
                         {"2", "s", "s:late", "g", "c", "0", "3", "1-1", "1",
                          "2-1", "1", "3-1", "1", "4-1", "1"});
  CAF_CHECK_EQUAL(kept, "1-1 3-1 4-1");
  // The rest proves no deletion.
  redis({"XACK", "s", "g", "1-1", "3-1", "4-1"});
  const auto none
    = eval(resp::keep_script(),
           {"2", "s", "s:late", "g", "c", "0", "1", "2-1", "1", "4-1", "1"});
  CAF_CHECK_EQUAL(none, "");
}

CAF_TEST(only the owner of an event makes it a dead letter) {
  add(1, 1);
  group("g");
  deliver("g", 1);
  auto give_up = [this](const std::string& by) {
    eval(resp::dead_letter_script(),
         {"3", "s", "dead", "record", "g", "1-1", "0", by, "x-id", "1-1"});
    return redis({"XLEN", "dead"});
  };
  redis({"XCLAIM", "s", "g", "other", "0", "1-1", "JUSTID"});
  CAF_CHECK_EQUAL(give_up("c"), "0");
  CAF_CHECK_EQUAL(redis({"XPENDING", "s", "g", "-", "+", "1", "other"}).size(),
                  redis({"XPENDING", "s", "g", "-", "+", "1"}).size());
  CAF_CHECK_EQUAL(give_up("other"), "1");
}

CAF_TEST(what was acknowledged by hand does not come back) {
  add(1, 5);
  group("g");
  deliver("g", 4);
  for (const std::string id : {"1-1", "2-1"})
    eval(resp::delay_script(),
         {"2", "s", "s:delayed", "g", "c", "15000", id, "200002", "60000"});
  ack("g", 1, 2);
  const auto take = [this] {
    return eval(resp::take_over_script(), {"3", "s", "s:delayed", "s:paused",
                                           "g", "c", "15000", "9", "all"});
  };
  take();
  redis({"XGROUP", "DELCONSUMER", "s", "g", "delayed"});
  const auto reply = take();
  CAF_CHECK_EQUAL(reply.substr(0, 7), "0 -1 0 ");
  CAF_CHECK_EQUAL(redis({"XPENDING", "s", "g", "-", "+", "9", "delayed"}), "");
}

// -- entries that were trimmed ------------------------------------------------

CAF_TEST(who gives entries back is told which of them had been trimmed) {
  add(1, 4);
  group("g");
  deliver("g", 4);
  redis({"XTRIM", "s", "MAXLEN", "2"});
  // The second and the third are listed, and the third waits.
  CAF_CHECK_EQUAL(eval(resp::release_script(),
                       {"3", "s", "s:delayed", "s:position", "g", "c", "15000",
                        "all", "2-1", "0", "500", "3-1", "0", "500"}),
                  "2 1  1-1 2-1 0");
  CAF_CHECK_EQUAL(redis({"ZRANGE", "s:delayed", "0", "-1"}), "3-1");
}

CAF_TEST(the heritage of a member that leaves goes to nobody) {
  add(1, 4);
  group("g");
  redis(
    {"XREADGROUP", "GROUP", "g", "dead.c", "COUNT", "4", "STREAMS", "s", ">"});
  redis({"XTRIM", "s", "MAXLEN", "3"});
  CAF_CHECK_EQUAL(eval(resp::leave_script(),
                       {"3", "s", "members", "wake", "g", "c"}),
                  "0 1-1");
  CAF_CHECK_EQUAL(
    redis({"XPENDING", "s", "g", "-", "+", "1", "released"}).substr(0, 12),
    "2-1 released");
}

// -- trim ---------------------------------------------------------------------

CAF_TEST(a stream at or below its limit stays as it is) {
  CAF_CHECK_EQUAL(trim(10), "0 0 ");
  add(1, 10);
  CAF_CHECK_EQUAL(trim(10), "0 10 ");
  group("g");
  deliver("g", 10);
  ack("g", 1, 10);
  CAF_CHECK_EQUAL(trim(10), "0 10 ");
  CAF_CHECK_EQUAL(trim(11), "0 10 ");
}

CAF_TEST(without groups the limit rules) {
  add(1, 30);
  CAF_CHECK_EQUAL(trim(10), "20 10 ");
  CAF_CHECK_EQUAL(first(), "21-1");
}

CAF_TEST(what a group was not given yet stays) {
  add(1, 30);
  group("g");
  CAF_CHECK_EQUAL(trim(10), "0 30 g");
  deliver("g", 5);
  ack("g", 1, 5);
  CAF_CHECK_EQUAL(trim(10), "4 26 g");
  CAF_CHECK_EQUAL(first(), "5-1");
}

CAF_TEST(what a group did not acknowledge stays) {
  add(1, 30);
  group("g");
  deliver("g", 30);
  ack("g", 1, 11);
  ack("g", 13, 30);
  CAF_CHECK_EQUAL(trim(10), "11 19 g");
  CAF_CHECK_EQUAL(first(), "12-1");
  CAF_CHECK_EQUAL(trim(10), "0 19 g");
}

CAF_TEST(trimming ends at the limit though all is acknowledged) {
  add(1, 30);
  group("g");
  deliver("g", 30);
  ack("g", 1, 30);
  CAF_CHECK_EQUAL(trim(10), "20 10 g");
  CAF_CHECK_EQUAL(first(), "21-1");
}

CAF_TEST(the slowest group decides) {
  add(1, 30);
  for (auto* name : {"fast", "slow", "middle"})
    group(name);
  deliver("fast", 30);
  ack("fast", 1, 30);
  deliver("middle", 20);
  deliver("slow", 9);
  ack("slow", 1, 9);
  CAF_CHECK_EQUAL(trim(5), "0 30 middle");
  ack("middle", 1, 20);
  CAF_CHECK_EQUAL(trim(5), "8 22 slow");
  CAF_CHECK_EQUAL(first(), "9-1");
}

CAF_TEST(IDs are compared as the 64 bit numbers that they are) {
  for (auto* id :
       {"9-9", "9-10", "10-2", "9007199254740992-1", "9007199254740993-1",
        "18446744073709551614-1", "18446744073709551615-2"})
    redis({"XADD", "s", id, "n", "x"});
  auto trim_from = [&](const std::string& a, const std::string& b) {
    for (auto& [name, id] : {std::pair{"a", a}, std::pair{"b", b}}) {
      redis({"XGROUP", "DESTROY", "s", name});
      redis({"XGROUP", "CREATE", "s", name, id});
    }
    trim(1);
    return first();
  };
  CAF_CHECK_EQUAL(trim_from("10-2", "9-10"), "9-10");
  CAF_CHECK_EQUAL(trim_from("10-2", "9007199254740992-1"), "10-2");
  CAF_CHECK_EQUAL(trim_from("9007199254740993-1", "9007199254740992-1"),
                  "9007199254740992-1");
  CAF_CHECK_EQUAL(trim_from("18446744073709551615-2", "18446744073709551614-1"),
                  "18446744073709551614-1");
}

CAF_TEST(a group that was set back keeps what it will be given again) {
  add(1, 30);
  group("g");
  deliver("g", 30);
  CAF_REQUIRE_EQUAL(redis({"XGROUP", "SETID", "s", "g", "7-1"}), "OK");
  CAF_CHECK_EQUAL(trim(1), "0 30 g");
  ack("g", 1, 30);
  CAF_CHECK_EQUAL(trim(1), "6 24 g");
}

CAF_TEST(a key of another type is an error) {
  redis({"SET", "s", "x"});
  CAF_CHECK_EQUAL(trim(1).find("WRONGTYPE"), 0u);
}

CAF_TEST(what is stored counts and not what the caller passes) {
  add(1, 30);
  redis(
    {"HSET", "kept", "max_len", "25", "max_age", "0", "protect_unacked", "1"});
  CAF_CHECK_EQUAL(trim(10), "5 25 ");
}

CAF_TEST(events that go before a sink has had them are counted) {
  add(1, 30);
  auto trimmed = [&](const std::string& max_len, const std::string& protect) {
    return eval(resp::trim_script(), {"2", "s", "kept", max_len, "0", protect});
  };
  CAF_CHECK_EQUAL(trimmed("28", "1"), "2 28  0 0 2");
  group("g");
  deliver("g", 10);
  ack("g", 3, 11);
  // The entry 12-1 is pending, and the 18 behind it are unread.
  CAF_CHECK_EQUAL(trimmed("20", "0"), "8 20  0 0 0");
  CAF_CHECK_EQUAL(trimmed("10", "0"), "10 10  0 0 9");
  CAF_CHECK_EQUAL(redis({"HGET", "kept", "lost"}), "11");
}

// -- retention ----------------------------------------------------------------

CAF_TEST(the first choice is stored and others must not contradict it) {
  CAF_CHECK_EQUAL(agree("check", "", ""), "0 0 0 0 0 0");
  CAF_CHECK_EQUAL(redis({"EXISTS", "kept"}), "0");
  CAF_CHECK_EQUAL(agree("check", "100", ""), "1 100 0 0 0 0");
  CAF_CHECK_EQUAL(agree("check", "100", "0"), "1 100 0 0 0 0");
  CAF_CHECK_EQUAL(agree("check", "", ""), "1 100 0 0 0 0");
  CAF_CHECK_EQUAL(agree("check", "5", "60000"),
                  "RETENTION max_len is 100, not 5, max_age is 0, not 60000");
  CAF_CHECK_EQUAL(agree("follow", "5", ""), "1 100 0 0 0 0");
  CAF_CHECK_EQUAL(agree("change", "5", ""), "1 5 0 0 0 0");
  CAF_CHECK_EQUAL(agree("change", "", "60000"), "1 5 60000 0 0 0");
  CAF_CHECK_EQUAL(agree("check", "", ""), "1 5 60000 0 0 0");
}

CAF_TEST(the first choice must not remove what nothing limited before) {
  redis({"EVAL",
         "for i = 1, 2000 do redis.call('XADD', 's', i .. '-1', 'n', 'x') end",
         "0"});
  CAF_CHECK_EQUAL(agree("check", "1000", ""),
                  "RETENTION nothing limits the stream so far, and max_len = "
                  "1000 would remove 1000 of its 2000 events");
  CAF_CHECK_EQUAL(agree("check", "", "60000")
                    .find("RETENTION nothing limits the stream so far, and "
                          "max_age = 60000 ms would remove events, of which"),
                  0u);
  CAF_CHECK_EQUAL(agree("check", "", "", "5000"),
                  "RETENTION nothing limits the stream so far, and ttl = 5000 "
                  "would end it");
  CAF_CHECK_EQUAL(redis({"EXISTS", "kept"}), "0");
  CAF_CHECK_EQUAL(agree("check", "1999", ""),
                  "RETENTION nothing limits the stream so far, and max_len = "
                  "1999 would remove 1 of its 2000 events");
  CAF_CHECK_EQUAL(agree("check", "2000", ""), "1 2000 0 0 2000 0");
  redis({"DEL", "kept"});
  CAF_CHECK_EQUAL(agree("change", "1000", ""), "1 1000 0 0 2000 0");
  redis({"DEL", "kept"});
  // What a sink still needs stays anyway.
  group("g");
  CAF_CHECK_EQUAL(agree("check", "1000", ""), "1 1000 0 0 2000 0");
}

CAF_TEST(the retention of a stream that expires does not stay for ever) {
  agree("check", "", "", "5000");
  const auto left = redis.number({"PTTL", "kept"});
  CAF_CHECK(left > 86'400'000 && left <= 86'405'000);
  agree("change", "", "", "0");
  CAF_CHECK_EQUAL(redis.number({"PTTL", "kept"}), -1);
}

// Random histories: the script never trims an event that a group still needs,
// or one within the limit.
CAF_TEST(no history loses what a group needs) {
  const auto* given = std::getenv("PULSE_TEST_SEED");
  const auto seed = given != nullptr ? std::stoul(given) : 4'711ul;
  CAF_MESSAGE("PULSE_TEST_SEED=" << seed);
  std::minstd_rand random{static_cast<std::minstd_rand::result_type>(seed)};
  auto below = [&](int n) {
    return static_cast<int>(random() % static_cast<unsigned>(n));
  };
  const std::vector<std::string> names{"a", "b"};
  for (auto& name : names)
    group(name);
  // What each group still needs.
  std::map<std::string, std::set<int>> needed;
  std::map<std::string, int> delivered;
  int last = 0;
  for (int step = 0; step < 1'000; ++step) {
    const auto& name = names[static_cast<size_t>(below(2))];
    switch (below(4)) {
      case 0: {
        const auto n = 1 + below(8);
        add(last + 1, last + n);
        for (auto& x : names)
          for (int i = last + 1; i <= last + n; ++i)
            needed[x].insert(i);
        last += n;
        break;
      }
      case 1: {
        const auto n = 1 + below(10);
        deliver(name, n);
        delivered[name] = std::min(last, delivered[name] + n);
        break;
      }
      case 2:
        for (int i = 0; i < 4 && !needed[name].empty(); ++i) {
          auto x = std::next(needed[name].begin(),
                             below(static_cast<int>(needed[name].size())));
          if (*x > delivered[name])
            continue;
          ack(name, *x, *x);
          needed[name].erase(x);
        }
        break;
      default: {
        const auto before = std::stoi(length());
        trim(20);
        const auto after = std::stoi(length());
        CAF_REQUIRE(after >= std::min(before, 20));
        auto oldest = last + 1;
        for (auto& x : names)
          if (!needed[x].empty())
            oldest = std::min(oldest, *needed[x].begin());
        // Entries are removed from the head only: this one being there means
        // that all behind it are.
        if (oldest <= last) {
          const auto id = std::to_string(oldest) + "-1";
          CAF_REQUIRE_EQUAL(redis({"XRANGE", "s", id, id}).substr(0, id.size()),
                            id);
        }
      }
    }
  }
  CAF_CHECK(std::stoi(length()) < last);
}

// -- keyed sinks
// ---------------------------------------------------------------

CAF_TEST(a membership is renewed where nothing changed) {
  const std::string other = "b";
  group("g");
  auto share = [&](const std::string& who) {
    return eval(resp::share_script(),
                {"5", "s", "members", "wake", "delayed", "paused", "g", who,
                 "9000", "1", "9", "1", "0", "1", "20000"});
  };
  auto stay = [&](const std::string& who, const std::string& others = "",
                  const std::string& woken = "0-0",
                  const std::string& read = "") {
    return eval(resp::stay_script(),
                {"6", "s", "members", "wake", "t", "members of t", "wake of t",
                 "g", who, "9000", "20000", others, woken, read, "", "", ""});
  };
  CAF_CHECK_EQUAL(stay("a"), "00"); // no member
  share("a");
  redis({"HSET", "members", "m:a", "1000"});
  CAF_CHECK_EQUAL(stay("a"), "20");
  CAF_CHECK_GREATER(redis.number({"HGET", "members", "m:a"}), 1000);
  CAF_CHECK_GREATER(redis.number({"PTTL", "members"}), 200'000'000);
  // Entries that another consumer holds.
  add(1, 2);
  deliver("g", 1);
  CAF_CHECK_EQUAL(stay("a"), "00");
  ack("g", 1, 1);
  CAF_CHECK_EQUAL(stay("a"), "20");
  // A death long ago does not matter, and one of late takes the permission.
  redis({"HSET", "members", "died", "1000"});
  CAF_CHECK_EQUAL(stay("a"), "20");
  redis({"HDEL", "members", "sole"});
  CAF_CHECK_EQUAL(stay("a"), "00");
  redis({"HSET", "members", "died", redis({"HGET", "members", "m:a"})});
  CAF_CHECK_EQUAL(stay("a"), "10");
  // Another member joins.
  share(other);
  CAF_CHECK_EQUAL(stay("a"), "00");
  auto woken = redis({"XREVRANGE", "wake", "+", "-", "COUNT", "1"});
  woken = woken.substr(0, woken.find(' '));
  CAF_CHECK_EQUAL(stay("a", other, woken), "10");
  CAF_CHECK_EQUAL(stay("a", other), "00");
  // Somebody sets the group back.
  CAF_CHECK_EQUAL(stay("a", other, woken, "1-1"), "10");
  redis({"XGROUP", "SETID", "s", "g", "0"});
  CAF_CHECK_EQUAL(stay("a", other, woken, "1-1"), "00");
  // It is silent for a lease.
  redis({"HSET", "members", "m:b", "1000"});
  CAF_CHECK_EQUAL(stay("a", other, woken), "00");
  redis({"DEL", "s"});
  CAF_CHECK_EQUAL(stay("a", other, woken), "00");
}

// -- destroy ------------------------------------------------------------------

CAF_TEST(destroy deletes the stream with its groups and metadata) {
  add(1, 3);
  group("g");
  redis({"SET", "{s}:meta", "x"});
  CAF_CHECK_EQUAL(eval(resp::destroy_script(), {"2", "s", "{s}:meta"}), "1");
  CAF_CHECK_EQUAL(redis({"EXISTS", "s", "{s}:meta"}), "0");
  CAF_CHECK_EQUAL(eval(resp::destroy_script(), {"1", "s"}), "0");
}

CAF_TEST(destroy spares keys of another type) {
  redis({"SET", "s", "x"});
  CAF_CHECK_EQUAL(eval(resp::destroy_script(), {"1", "s"}).find("WRONGTYPE"),
                  0u);
  CAF_CHECK_EQUAL(redis({"GET", "s"}), "x");
}

CAF_TEST_FIXTURE_SCOPE_END()
