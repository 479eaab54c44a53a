#define CAF_SUITE integration.access_control

// Each user in docs/access-control.md can do its work, and nothing else.

#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"

#include <atomic>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

/// The lines of the document by the name of the user, split at blanks.
std::map<std::string, std::vector<std::string>> documented_users() {
  std::map<std::string, std::vector<std::string>> result;
  std::ifstream in{PULSE_SOURCE_DIR "/docs/access-control.md"};
  const std::string start = "ACL SETUSER ";
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, start.size(), start) != 0)
      continue;
    std::vector<std::string> words;
    bool in_selector = false;
    std::istringstream text{line};
    for (std::string word; text >> word;) {
      // A selector is one argument, blanks included.
      if (in_selector)
        words.back() += " " + word;
      else
        words.push_back(word);
      in_selector = (in_selector || word.front() == '(') && word.back() != ')';
    }
    result[words.at(2)] = words;
  }
  return result;
}

/// A node. Its workers terminate before it closes.
struct staffed_node : test::node {
  std::vector<caf::actor> workers;

  using test::node::node;

  ~staffed_node() {
    for (auto& x : workers)
      stop(x);
  }

  caf::actor worker(recorder& out, reaction react = {}) {
    workers.push_back(spawn_worker(*sys, out, {}, std::move(react)));
    return workers.back();
  }
};

struct fixture {
  local_redis server = redis_fixture::start({});
  raw_client raw{server};
  recorder seen;

  fixture() {
    const auto users = documented_users();
    CAF_REQUIRE_EQUAL(users.size(), 4u);
    for (auto& [name, words] : users)
      CAF_REQUIRE_EQUAL(raw(words), "OK");
  }

  std::string url(const std::string& user) const {
    return std::string{server.url()}.insert(7, user + ":PASSWORD@");
  }

  /// @returns what Redis refused so far; empty if nothing.
  std::string refused() {
    auto result = raw({"ACL", "LOG"});
    raw({"ACL", "LOG", "RESET"});
    return result;
  }

  template <class T>
  static std::string why_not(const caf::expected<T>& x) {
    return x ? "none" : describe(x.error());
  }

  static sink_options billing() {
    sink_options result;
    result.name = "billing";
    result.streams = {"orders"};
    result.start = start_position::oldest();
    result.lease = 1s;
    result.backoff = {milliseconds{20}};
    result.sweep_interval = milliseconds{100};
    return result;
  }
};

template <class T>
T must(caf::expected<T> x) {
  return redis_fixture::must(std::move(x));
}

void must(const caf::expected<void>& x) {
  if (!x)
    CAF_FAIL(describe(x.error()));
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << part << "\" is not in: " << text);
  return false;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(access_control_tests, fixture)

// -- each can do its work -----------------------------------------------------

CAF_TEST(a producer adds and trims and repeats) {
  staffed_node here{url("producer")};
  stream_options options;
  options.name = "orders";
  options.max_len = 100;
  options.max_age = 1h;
  options.hard_max_len = 1'000'000;
  options.ttl = 1h;
  auto orders = must(here.pulse->stream(options));
  raw({"XGROUP", "CREATE", "pulse:stream:orders", "g", "0", "MKSTREAM"});
  for (int round = 0; round < 20; ++round) {
    std::vector<new_event> events;
    for (int i = 0; i < 100; ++i)
      events.push_back({"n", std::to_string(i), {}});
    if (round == 10) {
      raw({"XGROUP", "DESTROY", "pulse:stream:orders", "g"});
      raw({"SCRIPT", "FLUSH"});
      raw({"CLIENT", "KILL", "USER", "producer"});
    }
    events.back().dedup_id = "round " + std::to_string(round);
    for (auto& x : must(orders.add(std::move(events))))
      CAF_CHECK_EQUAL(x.what, "");
  }
  CAF_CHECK(eventually([&] {
    return raw.number({"XLEN", "pulse:stream:orders"}) < 1'000;
  }));
  must(orders.info());
  must(orders.range({}));
  must(orders.close());
  CAF_CHECK_EQUAL(refused(), "");
}

CAF_TEST(a sink works with all it does about faults) {
  for (int i = 0; i < 100; ++i)
    raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p", std::to_string(i)});
  raw({"XADD", "pulse:stream:orders", "*", "malformed", "entry"});
  // The pending events of a dead node.
  raw({"XGROUP", "CREATE", "pulse:stream:orders", "billing", "0"});
  raw({"XREADGROUP", "GROUP", "billing", "gone", "COUNT", "10", "STREAMS",
       "pulse:stream:orders", ">"});
  staffed_node here{url("consumer")};
  auto sink = must(here.pulse->sink(billing()));
  std::atomic<int> calls{0};
  must(sink.subscribe(here.worker(seen, [&](auto* self, const event&) {
    const auto n = ++calls;
    if (n == 50)
      self->quit(caf::exit_reason::kill);
    return n % 10 == 3 ? refuse() : ok();
  })));
  must(sink.subscribe(here.worker(seen, [&](auto*, const event& x) {
    if (x.payload() == "7")
      return caf::result<void>{term("unwanted")};
    return ++calls == 60 ? refuse() : ok();
  })));
  CAF_CHECK(seen.wait_for_distinct(100));
  raw({"SCRIPT", "FLUSH"});
  raw({"CLIENT", "KILL", "USER", "consumer"});
  CAF_CHECK(eventually([&] { return raw.pending("orders", "billing") == 0; }));
  CAF_CHECK(eventually([&] {
    return raw.number({"XLEN", "pulse:stream:orders:dead:billing"}) >= 1;
  }));
  // The consumer of the dead node is removed after a while.
  CAF_CHECK(eventually([&] {
    return raw({"INFO", "commandstats"}).find("|delconsumer")
           != std::string::npos;
  }));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  CAF_CHECK(
    eventually([&] { return must(sink.info()).groups_recovered == 1; }));
  raw({"FLUSHALL"});
  raw({"XADD", "pulse:stream:orders", "1-1", "n", "n", "p", "again"});
  CAF_CHECK(seen.wait([](const auto& all) {
    return !all.empty() && all.back().what.payload() == "again";
  }));
  must(sink.add_stream("more"));
  must(sink.remove_stream("more"));
  must(sink.close());
  CAF_CHECK_EQUAL(refused(), "");
}

CAF_TEST(nodes share the keys of a sink) {
  auto options = billing();
  options.dispatch = dispatch_mode::keyed;
  staffed_node here{url("consumer")};
  auto first = must(here.pulse->sink(options));
  must(first.subscribe(here.worker(seen)));
  // The first one reads alone, and renews the permission for that.
  CAF_CHECK(eventually([&] {
    return raw({"INFO", "commandstats"}).find("cmdstat_hlen")
           != std::string::npos;
  }));
  staffed_node there{url("consumer")};
  auto second = must(there.pulse->sink(options));
  must(second.subscribe(there.worker(seen)));
  for (int i = 0; i < 100; ++i)
    raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p", std::to_string(i),
         "t", "t" + std::to_string(i % 20)});
  CAF_CHECK(seen.wait_for_distinct(100));
  must(second.close());
  must(first.close());
  CAF_CHECK_EQUAL(refused(), "");
}

CAF_TEST(a reader looks and catches up) {
  for (int i = 0; i < 500; ++i)
    raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p", std::to_string(i)});
  recorder other;
  staffed_node here{url("reader")};
  reader_options options;
  options.streams = {"orders"};
  options.start = start_position::oldest();
  options.buffer = 10;
  auto reader = must(here.pulse->reader(options));
  must(reader.subscribe(here.worker(seen)));
  must(reader.subscribe(here.worker(other, [](auto*, const event&) {
    std::this_thread::sleep_for(1ms);
    return ok();
  })));
  CAF_CHECK(seen.wait_for_distinct(500));
  raw({"CLIENT", "KILL", "USER", "reader"});
  raw({"XTRIM", "pulse:stream:orders", "MAXLEN", "10"});
  raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p", "last"});
  CAF_CHECK(seen.wait_for_distinct(501));
  must(reader.add_stream("more"));
  must(reader.remove_stream("more"));
  must(reader.close());
  CAF_CHECK_EQUAL(refused(), "");
}

CAF_TEST(an admin looks and removes and works with dead letters) {
  {
    staffed_node worker_node{url("consumer")};
    for (int i = 0; i < 10; ++i)
      raw(
        {"XADD", "pulse:stream:orders", "*", "n", "n", "p", std::to_string(i)});
    auto sink = must(worker_node.pulse->sink(billing()));
    must(sink.subscribe(worker_node.worker(seen, [](auto*, const event&) {
      return caf::result<void>{term("unwanted")};
    })));
    CAF_CHECK(eventually([&] {
      return raw.number({"XLEN", "pulse:stream:orders:dead:billing"}) == 10;
    }));
    must(sink.close());
  }
  staffed_node here{url("admin")};
  auto orders = must(here.pulse->stream("orders"));
  must(orders.info());
  const auto events = must(orders.range({}));
  CAF_CHECK_EQUAL(must(orders.remove({events.at(0).id()})), 1u);
  dead_query letters;
  letters.sink = "billing";
  CAF_CHECK_EQUAL(must(orders.dead_letters(letters)).size(), 10u);
  redrive_request again;
  again.sink = "billing";
  again.rate = 0;
  const auto redriven = must(orders.redrive(again));
  CAF_CHECK_EQUAL(redriven.redriven, 9u);
  CAF_CHECK_EQUAL(redriven.skipped_missing, 1u);
  purge_request rest;
  rest.sink = "billing";
  must(orders.purge(rest));
  must(orders.trim(1));
  CAF_CHECK(must(orders.destroy()));
  CAF_CHECK_EQUAL(refused(), "");
}

// -- and no more --------------------------------------------------------------

CAF_TEST(what is not granted is denied and named) {
  raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p", "0"});
  auto denied = [](const std::string& why, const std::string& what) {
    return contains(why, "permission_denied") && contains(why, what);
  };
  staffed_node producer{url("producer")};
  CAF_CHECK(denied(why_not(must(producer.pulse->stream("orders")).destroy()),
                   "ACL LOG"));
  CAF_CHECK(
    denied(why_not(must(producer.pulse->stream("orders")).remove({{1, 1}})),
           "'xdel'"));
  auto sink = must(producer.pulse->sink(billing()));
  CAF_CHECK(denied(why_not(sink.subscribe(producer.worker(seen))), "ACL LOG"));
  for (auto [name, what] :
       {std::pair{"consumer", "~pulse:stream:*"}, std::pair{"reader", "'xadd'"},
        std::pair{"admin", "'xadd'"}}) {
    staffed_node here{url(name)};
    CAF_CHECK(
      denied(why_not(must(here.pulse->stream("orders")).add("n", "p")), what));
  }
  staffed_node reader{url("reader")};
  CAF_CHECK(
    denied(why_not(must(reader.pulse->stream("orders")).trim(0)), "'xtrim'"));
}

CAF_TEST(a retention that is not stored is not said to be stored) {
  staffed_node reader{url("reader")};
  stream_options options;
  options.name = "orders";
  options.max_len = 500;
  options.retention = retention_mode::change;
  auto stream = must(reader.pulse->stream(options));
  auto stored = [this] {
    return raw({"HGET", "{pulse:stream:orders}:retention", "max_len"});
  };
  CAF_CHECK(contains(why_not(stream.retention()), "permission_denied"));
  CAF_CHECK_EQUAL(stored(), "nil");
  raw({"ACL", "SETUSER", "reader", "allcommands", "allkeys"});
  CAF_CHECK_EQUAL(must(stream.retention()).max_len, 500u);
  CAF_CHECK_EQUAL(stored(), "500");
}

CAF_TEST(other keys and commands are denied to all) {
  for (auto* name : {"producer", "consumer", "reader", "admin"})
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{
           {"GET", "other"},
           {"SET", "other", "x"},
           {"XRANGE", "other", "-", "+"},
           {"XADD", "other", "*", "f", "v"},
           {"FLUSHALL"},
           {"KEYS", "*"},
           {"CONFIG", "GET", "*"},
           {"ACL", "LIST"},
           {"CLIENT", "NO-EVICT", "on"},
           {"EVAL", "return 1", "0"},
           {"XGROUP", "DESTROY", "pulse:stream:orders", "billing"},
           {"SHUTDOWN"}}) {
      auto dry_run = command;
      dry_run.insert(dry_run.begin(), {"ACL", "DRYRUN", name});
      CAF_CHECK(contains(raw(dry_run), "has no permissions"));
    }
  // Writing is for producers, except to dead letters.
  auto may = [&](const char* user, const std::vector<std::string>& command) {
    auto dry_run = command;
    dry_run.insert(dry_run.begin(), {"ACL", "DRYRUN", user});
    return raw(dry_run) == "OK";
  };
  const std::vector<std::string> add{"XADD", "pulse:stream:orders", "*", "n",
                                     "n"};
  const std::vector<std::string> bury{"XADD",
                                      "pulse:stream:orders:dead:billing", "*",
                                      "n", "n"};
  CAF_CHECK(may("producer", add));
  CAF_CHECK(!may("consumer", add));
  CAF_CHECK(may("consumer", bury));
  CAF_CHECK(!may("reader", bury));
}

CAF_TEST_FIXTURE_SCOPE_END()
