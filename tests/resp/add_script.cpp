#define CAF_SUITE resp.add_script

#include "pulse/core/streams/unique_ids.hpp"
#include "pulse/resp/add_batch.hpp"
#include "pulse/resp/script.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include "support/raw_client.hpp"
#include "support/resp_text.hpp"

#include <caf/test/unit_test.hpp>

// The script that adds, called as add_batch calls it, on a real server.

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;
using resp::add_batch;
using resp::add_format;

namespace {

using texts = std::vector<std::string>;

struct fixture {
  local_redis server = [] {
    auto result = local_redis::start();
    if (!result)
      CAF_FAIL(to_string(result.error()));
    return std::move(*result);
  }();
  raw_client redis{server};
  stream_options options;

  fixture() {
    options.name = "s";
    redis({"SCRIPT", "LOAD", std::string{resp::add_script().source}});
  }

  // Sends the commands of the batch. @returns its results as texts.
  texts run(add_batch& batch, const command_ptr& commands) {
    std::string replies;
    for (auto& x : decode_commands(commands->bytes))
      replies += redis.resp(x);
    last = batch.results(parse_reply(replies));
    texts result;
    for (auto& x : last.ids)
      result.push_back(x ? to_string(*x) : to_string(x.error().code));
    return result;
  }

  texts add(const std::vector<new_event>& events, bool only_if_exists = false) {
    const add_format format{options};
    add_batch batch{format};
    for (auto& x : events)
      batch.append(x, only_if_exists, ids.next());
    return run(batch, batch.finish());
  }

  texts add(const new_event& x) {
    return add(std::vector<new_event>{x});
  }

  void acknowledge_all() {
    redis({"EVAL",
           "local got = redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', "
           "KEYS[1], '>') "
           "for _, x in ipairs(got and got[1][2] or {}) do "
           "redis.call('XACK', KEYS[1], 'g', x[1]) end",
           "1", "pulse:stream:s"});
  }

  int64_t length() {
    return redis.number({"XLEN", "pulse:stream:s"});
  }

  unique_ids ids{4711};
  resp::add_results last;
};

new_event numbered(int i, std::string dedup_id = {}) {
  return {"n", std::to_string(i), {}, std::move(dedup_id)};
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(add_script_tests, fixture)

// -- batches of unknown outcome -----------------------------------------------

CAF_TEST(a repeated batch finds what is stored and adds what is missing) {
  const add_format format{options};
  add_batch batch{format};
  for (int i = 0; i < 5; ++i)
    batch.append(numbered(i), false, ids.next());
  const auto commands = decode_commands(batch.finish()->bytes);
  // The connection died after three of them.
  texts stored;
  for (size_t i = 0; i < 3; ++i)
    stored.push_back(redis(commands[i]));
  const auto again = run(batch, batch.repeat(event_id::min(), 10ms, 1s));
  CAF_CHECK_EQUAL(last.found, 3u);
  CAF_CHECK_EQUAL(length(), 5);
  CAF_CHECK(texts(again.begin(), again.begin() + 3) == stored);
  // The result is the same after any number of repetitions.
  CAF_CHECK(run(batch, batch.repeat(event_id::min(), 10ms, 1s)) == again);
  CAF_CHECK_EQUAL(last.found, 5u);
  CAF_CHECK_EQUAL(length(), 5);
}

CAF_TEST(events of the same content are told apart) {
  const add_format format{options};
  add_batch batch{format};
  batch.append(numbered(1), false, ids.next());
  add(numbered(1));
  const auto commands = batch.finish();
  run(batch, batch.repeat(event_id::min(), 10ms, 1s));
  CAF_CHECK_EQUAL(last.found, 0u);
  CAF_CHECK_EQUAL(length(), 2);
}

CAF_TEST(what others added since does not hide a stored batch) {
  const auto before = add(numbered(0))[0];
  const add_format format{options};
  add_batch batch{format};
  batch.append(numbered(1), false, ids.next());
  run(batch, batch.finish());
  for (int i = 0; i < 35; ++i)
    add(std::vector<new_event>(100, numbered(2)));
  const auto after = *parse_event_id(before);
  run(batch, batch.repeat(after, 10ms, 1s));
  CAF_CHECK_EQUAL(last.found, 1u);
  CAF_CHECK_EQUAL(length(), 3'502);
}

CAF_TEST(the search ends soon though nothing is known before the batch) {
  for (int i = 0; i < 30; ++i)
    redis({"EVAL",
           "for i = 1, 1000 do redis.call('XADD', KEYS[1], "
           "ARGV[1] + i .. '-1', 'n', 'x', 'p', 'y') end",
           "1", "pulse:stream:s", std::to_string(1'000 * i)});
  const add_format format{options};
  add_batch batch{format};
  batch.append(numbered(1), false, ids.next());
  batch.finish();
  redis({"CONFIG", "RESETSTAT"});
  run(batch, batch.repeat(event_id::min(), 10ms, 1s));
  CAF_CHECK_EQUAL(last.found, 0u);
  const auto stats = redis({"INFO", "commandstats"});
  CAF_CHECK(stats.find("cmdstat_xrevrange:calls=100,") != std::string::npos);
}

CAF_TEST(a repeated batch needs no stream and keeps its topic and any bytes) {
  const add_format format{options};
  add_batch batch{format};
  batch.append({"name", std::string{"\0\r\n$1", 5}, "eu", {}}, false, "u1");
  batch.finish();
  run(batch, batch.repeat(event_id::min(), 10ms, 1s));
  CAF_CHECK_EQUAL(last.found, 0u);
  const auto entry = redis({"XRANGE", "pulse:stream:s", "-", "+"});
  CAF_CHECK_EQUAL(entry.substr(entry.find(' ')),
                  (std::string{" n name p \0\r\n$1 t eu u u1", 25}));
}

CAF_TEST(a repeated add to an existing stream only does not create it) {
  const add_format format{options};
  add_batch batch{format};
  batch.append(numbered(1), true, ids.next());
  batch.finish();
  CAF_CHECK(run(batch, batch.repeat(event_id::min(), 10ms, 1s))
            == texts({"no_such_stream"}));
  CAF_CHECK_EQUAL(length(), 0);
}

CAF_TEST(a repeated batch sets the time to live as the first attempt does) {
  options.ttl = 60s;
  const add_format format{options};
  add_batch batch{format};
  batch.append(numbered(1), false, ids.next());
  batch.finish();
  run(batch, batch.repeat(event_id::min(), 10ms, 1s));
  CAF_CHECK(redis.number({"PTTL", "pulse:stream:s"}) > 50'000);
}

CAF_TEST(an error of the whole script is the result of each event) {
  redis({"SET", "pulse:stream:s", "x"});
  const add_format format{options};
  add_batch batch{format};
  batch.append(numbered(1), false, ids.next());
  batch.append(numbered(2), false, ids.next());
  batch.finish();
  CAF_CHECK(run(batch, batch.repeat(event_id::min(), 10ms, 1s))
            == texts({"wrong_type", "wrong_type"}));
}

// -- dedup IDs ----------------------------------------------------------------

CAF_TEST(the same dedup ID adds once and answers the same ID) {
  const auto first = add(numbered(1, "order 1"));
  CAF_CHECK(add(numbered(1, "order 1")) == first);
  CAF_CHECK(add(numbered(1, "order 2")) != first);
  // In one batch, too.
  const auto both = add({numbered(3, "order 3"), numbered(3, "order 3")});
  CAF_CHECK_EQUAL(both[0], both[1]);
  CAF_CHECK_EQUAL(length(), 3);
}

CAF_TEST(another event under the same dedup ID is an error) {
  add({"n", "p", "t", "id"});
  const texts conflict{"dedup_conflict"};
  CAF_CHECK(add({"m", "p", "t", "id"}) == conflict);
  CAF_CHECK(add({"n", "q", "t", "id"}) == conflict);
  CAF_CHECK(add({"n", "p", "x", "id"}) == conflict);
  CAF_CHECK(add({"n", "p", "", "id"}) == conflict);
  CAF_CHECK(add({"n", std::string{"p\0t\0t", 5}, "", "id"}) == conflict);
  CAF_CHECK_EQUAL(length(), 1);
  // The others of the batch are added.
  const auto mixed = add({numbered(1), {"m", "p", "t", "id"}, numbered(2)});
  CAF_CHECK_EQUAL(mixed[1], "dedup_conflict");
  CAF_CHECK_EQUAL(length(), 3);
}

CAF_TEST(dedup IDs are forgotten after the window and with the stream) {
  options.dedup_window = 50ms;
  const auto first = add(numbered(1, "a"));
  CAF_CHECK(eventually([&] { return add(numbered(1, "a")) != first; }));
  CAF_CHECK_EQUAL(length(), 2);
  options.dedup_window = 60s;
  add(numbered(1, "b"));
  redis({"DEL", "pulse:stream:s"});
  add(numbered(1, "b"));
  CAF_CHECK_EQUAL(length(), 1);
  CAF_CHECK(redis.number({"PTTL", "{pulse:stream:s}:dedup:b"}) > 50'000);
}

// -- hard limits --------------------------------------------------------------

CAF_TEST(a full stream refuses what does not fit) {
  options.max_len = 3;
  options.hard_max_len = 3;
  CAF_CHECK_EQUAL(add(std::vector<new_event>(2, numbered(1))).size(), 2u);
  const auto results = add({numbered(1), numbered(2)});
  CAF_CHECK(results[0] != "stream_full");
  CAF_CHECK_EQUAL(results[1], "stream_full");
  const auto what = last.ids[1].error().what;
  CAF_CHECK_EQUAL(what, "STREAMFULL it has 3 events and hard_max_len is 3");
  CAF_CHECK_EQUAL(length(), 3);
}

CAF_TEST(the oldest events make room if that is wanted) {
  options.max_len = 3;
  options.hard_max_len = 3;
  options.on_full = full_policy::drop_oldest;
  for (int i = 0; i < 3; ++i)
    add(numbered(i));
  CAF_CHECK_EQUAL(last.dropped, 0u);
  add({numbered(3), numbered(4)});
  CAF_CHECK_EQUAL(last.dropped, 2u);
  CAF_CHECK_EQUAL(length(), 3);
  const auto all = redis({"XRANGE", "pulse:stream:s", "-", "+"});
  CAF_CHECK(all.find(" p 1 ") == std::string::npos);
  CAF_CHECK(all.find(" p 2 ") != std::string::npos);
}

CAF_TEST(what all sinks have acknowledged makes room at once) {
  // With the default of Redis a node has 100 entries, and XTRIM with "~"
  // removes whole nodes only.
  for (auto [max_len, hard] :
       {std::pair{1'000, 1'000}, std::pair{1'000, 1'050}, std::pair{10, 50},
        std::pair{0, 50}, std::pair{1, 1}}) {
    redis({"FLUSHDB"});
    redis({"XGROUP", "CREATE", "pulse:stream:s", "g", "0", "MKSTREAM"});
    options.max_len = static_cast<uint64_t>(max_len);
    options.hard_max_len = static_cast<uint64_t>(hard);
    add(std::vector<new_event>(static_cast<size_t>(hard), numbered(1)));
    CAF_CHECK_EQUAL(length(), hard);
    CAF_CHECK(add(numbered(2)) == texts({"stream_full"}));
    CAF_CHECK_EQUAL(last.removed, 0u);
    acknowledge_all();
    for (int i = 0; i < 5; ++i) {
      CAF_CHECK(add(numbered(3))[0] != "stream_full");
      CAF_CHECK(length() <= hard);
      acknowledge_all();
    }
    CAF_CHECK_EQUAL(last.dropped, 0u);
  }
}

CAF_TEST(a full stream removes nothing that a sink needs) {
  redis({"XGROUP", "CREATE", "pulse:stream:s", "g", "0", "MKSTREAM"});
  options.hard_max_len = 10;
  add(std::vector<new_event>(10, numbered(1)));
  redis({"XREADGROUP", "GROUP", "g", "c", "COUNT", "4", "STREAMS",
         "pulse:stream:s", ">"});
  const auto page = redis({"XRANGE", "pulse:stream:s", "-", "+"});
  redis({"XACK", "pulse:stream:s", "g", page.substr(0, page.find(' '))});
  const auto results = add({numbered(2), numbered(2), numbered(2)});
  CAF_CHECK_EQUAL(last.removed, 1u);
  CAF_CHECK(results[0] != "stream_full");
  CAF_CHECK_EQUAL(results[1], "stream_full");
  CAF_CHECK_EQUAL(length(), 10);
}

CAF_TEST(events that are dropped before sinks have had them are counted) {
  redis({"XGROUP", "CREATE", "pulse:stream:s", "g", "0", "MKSTREAM"});
  options.hard_max_len = 10;
  options.on_full = full_policy::drop_oldest;
  add(std::vector<new_event>(10, numbered(1)));
  acknowledge_all();
  add(std::vector<new_event>(8, numbered(2)));
  CAF_CHECK_EQUAL(last.removed, 8u);
  CAF_CHECK_EQUAL(last.dropped, 0u);
  add(std::vector<new_event>(5, numbered(3)));
  CAF_CHECK_EQUAL(last.removed, 2u);
  CAF_CHECK_EQUAL(last.dropped, 3u);
  CAF_CHECK_EQUAL(redis({"HGET", "{pulse:stream:s}:retention", "lost"}), "3");
}

CAF_TEST_FIXTURE_SCOPE_END()
