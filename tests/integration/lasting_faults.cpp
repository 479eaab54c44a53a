#define CAF_SUITE integration.lasting_faults

// Faults that last for a while and then end; no program is restarted. While a
// fault lasts, an error says what is wrong, and there are few attempts and no
// load. After its end all work goes on automatically, and nothing was lost.

#include "support/fault_link.hpp"
#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"
#include "support/tiny_server.hpp"
#include <sys/resource.h>
#include <sys/stat.h>

#include <set>
#include <thread>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

/// A producer, a sink with a worker and a reader with a subscriber, all on
/// stream "orders", on a node of their own.
struct party {
  recorder worked;
  recorder read;
  test::node node;
  pulse::stream orders;
  pulse::sink sink;
  pulse::reader reader;
  caf::actor worker;
  caf::actor subscriber;
  int added = 0;

  explicit party(const std::string& url)
    : node(url),
      orders(redis_fixture::must(node.pulse->stream("orders"))),
      sink(redis_fixture::must(node.pulse->sink(sink_settings()))),
      reader(redis_fixture::must(node.pulse->reader(reader_settings()))),
      worker(spawn_worker(*node.sys, worked)),
      subscriber(spawn_worker(*node.sys, read)) {
    redis_fixture::must(sink.subscribe(worker));
    redis_fixture::must(reader.subscribe(subscriber));
  }

  ~party() {
    stop(worker);
    stop(subscriber);
  }

  static sink_options sink_settings() {
    sink_options result;
    result.name = "billing";
    result.streams = {"orders"};
    result.start = start_position::oldest();
    result.lease = 2s;
    result.sweep_interval = 200ms;
    return result;
  }

  static reader_options reader_settings() {
    reader_options result;
    result.streams = {"orders"};
    result.start = start_position::oldest();
    return result;
  }

  /// Adds events one by one, each until it is confirmed.
  void add(int n) {
    for (const auto end = added + n; added < end; ++added)
      CAF_REQUIRE(eventually(
        [&] { return bool{orders.add("n", std::to_string(added))}; }, 30s));
  }

  /// Adds an event. @returns why that fails, as text of describe().
  std::string why_not() {
    auto id = orders.add("n", "refused");
    return id ? "none" : describe(id.error());
  }

  /// @returns whether the worker and the subscriber got all events that were
  /// added.
  bool complete() {
    return has_all(worked) && has_all(read);
  }

  bool has_all(recorder& x) {
    return eventually(
      [&] {
        std::set<std::string> found;
        for (auto& payload : x.payloads())
          found.insert(payload);
        for (int i = 0; i < added; ++i)
          if (found.count(std::to_string(i)) == 0)
            return false;
        return true;
      },
      30s);
  }
};

/// CPU time of this process.
milliseconds cpu_time() {
  rusage x{};
  ::getrusage(RUSAGE_SELF, &x);
  const auto sum = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec}
           + std::chrono::microseconds{t.tv_usec};
  };
  return std::chrono::duration_cast<milliseconds>(sum(x.ru_utime)
                                                  + sum(x.ru_stime));
}

local_redis start(std::vector<std::string> config = {}) {
  local_redis_options options;
  options.append_only = true;
  options.config = std::move(config);
  return redis_fixture::start(options);
}

std::string url_for(const local_redis& server, const std::string& who) {
  auto url = server.url();
  return url.insert(url.find("://") + 3, who + "@");
}

// @returns how often Redis refused the command or its user since `CONFIG
// RESETSTAT`.
int64_t refusals(raw_client& raw) {
  const auto text = raw({"INFO", "commandstats"});
  int64_t result = 0;
  for (auto pos = text.find("rejected_calls="); pos != std::string::npos;
       pos = text.find("rejected_calls=", pos + 1))
    result += std::atoll(text.c_str() + pos + 15);
  return result;
}

// @returns the number of connections that Redis accepted since `CONFIG
// RESETSTAT`.
int64_t connections(raw_client& raw) {
  const std::string name = "total_connections_received:";
  const auto text = raw({"INFO", "stats"});
  return std::atoll(text.c_str() + text.find(name) + name.size());
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << part << "\" is not in: " << text);
  return false;
}

} // namespace

// -- the link -----------------------------------------------------------------

CAF_TEST(links that fall silent are noticed by deadlines of the client) {
  auto server = start();
  raw_client raw{server};
  fault_link link{server};
  party uut{link.url()};
  uut.add(10);
  CAF_CHECK(uut.complete());
  link.fall_silent();
  // No other connection has a reason to give up: reads are blocked, and no
  // event is added.
  for (int i = 0; i < 10; ++i)
    raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p",
         std::to_string(uut.added++)});
  CAF_CHECK(uut.complete());
  CAF_CHECK(redis_fixture::must(uut.sink.info()).read_failures >= 1);
  CAF_CHECK(redis_fixture::must(uut.reader.info()).read_failures >= 1);
  uut.add(10);
  CAF_CHECK(uut.complete());
}

CAF_TEST(links reset in the middle of replies lose nothing) {
  auto server = start();
  fault_link link{server};
  party uut{link.url()};
  for (const size_t bytes : {0u, 1u, 3u, 10u, 30u, 100u}) {
    link.reset_after(bytes);
    uut.add(20);
  }
  CAF_CHECK(uut.complete());
}

CAF_TEST(a port that refuses for long is asked rarely and costs no CPU) {
  local_redis_options options;
  options.tcp = true;
  auto server = redis_fixture::start(options);
  auto port = static_cast<uint16_t>(
    std::stoi(server.tcp_url().substr(server.tcp_url().rfind(':') + 1)));
  party uut{server.tcp_url()};
  uut.add(10);
  CAF_CHECK(uut.complete());
  server.stop();
  CAF_CHECK(contains(uut.why_not(), "connect_failed"));
  // The attempts are at their final rate now. This server counts them, and
  // closes each connection at once.
  const tiny_server door{[](const tiny_server::client&) {}, port};
  std::this_thread::sleep_for(1500ms);
  const auto clients = door.clients();
  const auto cpu = cpu_time();
  std::this_thread::sleep_for(4s);
  const auto attempts = door.clients() - clients;
  const auto used = cpu_time() - cpu;
  CAF_MESSAGE(attempts << " attempts of 3 connections and " << used.count()
                       << " ms of CPU within 4 s");
  CAF_CHECK(attempts <= 12);
  CAF_CHECK(used < 4s / 4); // a loop would use all of it
}

CAF_TEST(a client that does not read is cut by Redis and loses nothing) {
  auto server = start({"client-output-buffer-limit normal 1mb 0 0"});
  raw_client raw{server};
  fault_link link{server};
  party uut{link.url()};
  uut.add(1);
  CAF_CHECK(uut.complete());
  const std::string large(50'000, 'x');
  link.hold();
  // These events are more than Redis may keep for one client, in one reply.
  for (int i = 0; i < 200; ++i)
    raw({"XADD", "pulse:stream:orders", "*", "n", "n", "p",
         std::to_string(uut.added++), "t", large});
  link.go_on();
  CAF_CHECK(uut.complete());
  CAF_CHECK(contains(raw({"INFO", "clients"}), "connected_clients"));
}

// -- rights -------------------------------------------------------------------

CAF_TEST(rights that are taken and given back are used again) {
  auto server = start({"user app on >pw ~* &* +@all"});
  raw_client raw{server};
  party uut{url_for(server, "app:pw")};
  uut.add(10);
  CAF_CHECK(uut.complete());
  raw({"ACL", "SETUSER", "app", "-@all"});
  const auto why = uut.why_not();
  CAF_CHECK(contains(why, "permission_denied: stream \"orders\""));
  CAF_CHECK(contains(why, "NOPERM"));
  std::this_thread::sleep_for(2s); // it settles
  raw({"CONFIG", "RESETSTAT"});
  const auto cpu = cpu_time();
  std::this_thread::sleep_for(4s);
  CAF_MESSAGE(refusals(raw) << " refused commands within 4 s");
  CAF_CHECK(refusals(raw) < 40);
  CAF_CHECK(cpu_time() - cpu < 4s / 4); // a loop would use all of it
  raw({"ACL", "SETUSER", "app", "+@all"});
  uut.add(10);
  CAF_CHECK(uut.complete());
}

CAF_TEST(a stream that is forbidden does not stop the others) {
  auto server = start({"user app on >pw ~* &* +@all"});
  raw_client raw{server};
  party uut{url_for(server, "app:pw")};
  redis_fixture::must(uut.sink.add_stream("private", start_position::oldest()));
  redis_fixture::must(
    uut.reader.add_stream("private", start_position::oldest()));
  uut.add(10);
  CAF_CHECK(uut.complete());
  raw({"ACL", "SETUSER", "app", "resetkeys", "~pulse:stream:orders*",
       "~{pulse:stream:orders}*"});
  uut.add(10);
  CAF_CHECK(uut.complete());
  raw({"ACL", "SETUSER", "app", "allkeys"});
  raw({"XADD", "pulse:stream:private", "*", "n", "n", "p", "secret"});
  for (auto* x : {&uut.worked, &uut.read})
    CAF_CHECK(x->wait(
      [](const auto& all) {
        return std::any_of(all.begin(), all.end(), [](auto& y) {
          return y.what.stream() == "private";
        });
      },
      30s));
}

CAF_TEST(a forbidden stream with pending events does not stop the others) {
  auto server = start({"user app on >pw ~* &* +@all"});
  raw_client raw{server};
  party uut{url_for(server, "app:pw")};
  recorder seen;
  auto settings = party::sink_settings();
  settings.name = "audit";
  settings.streams = {"orders", "private"};
  auto sink = redis_fixture::must(uut.node.pulse->sink(settings));
  // Of the events of "private", some are at work, and some wait after a
  // failure.
  auto worker = spawn_worker(
    *uut.node.sys, seen, "w",
    [](caf::event_based_actor* self, const event& x) -> caf::result<void> {
      if (x.stream() == "orders")
        return ok();
      return x.payload() == "keep" ? keep_unanswered(self, x) : refuse();
    });
  redis_fixture::must(sink.subscribe(worker, {64}));
  for (const auto* payload : {"keep", "refuse", "keep", "refuse"})
    raw({"XADD", "pulse:stream:private", "*", "n", "n", "p", payload});
  CAF_REQUIRE(seen.wait_for_distinct(4));
  raw({"ACL", "SETUSER", "app", "resetkeys", "~pulse:stream:orders*",
       "~{pulse:stream:orders}*"});
  uut.add(300);
  CAF_CHECK(seen.wait_for_distinct(304));
  std::this_thread::sleep_for(3s); // the lease is over
  uut.add(300);
  CAF_CHECK(seen.wait_for_distinct(604));
  raw({"ACL", "SETUSER", "app", "allkeys"});
  stop(worker);
}

CAF_TEST(a password that is changed and changed back is used again) {
  auto server = start({"user app on >old ~* &* +@all"});
  raw_client raw{server};
  party uut{url_for(server, "app:old")};
  uut.add(10);
  CAF_CHECK(uut.complete());
  raw({"ACL", "SETUSER", "app", "resetpass", ">new"});
  raw({"CLIENT", "KILL", "USER", "app"});
  std::string why;
  CAF_CHECK(eventually([&] {
    why = uut.why_not();
    return why.find("auth_failed") != std::string::npos;
  }));
  CAF_CHECK(contains(why, "WRONGPASS"));
  CAF_CHECK(why.find("old") == std::string::npos);
  std::this_thread::sleep_for(2s); // it settles
  raw({"CONFIG", "RESETSTAT"});
  std::this_thread::sleep_for(4s);
  const auto attempts = connections(raw);
  CAF_MESSAGE(attempts << " attempts of 3 connections within 4 s");
  CAF_CHECK(attempts <= 12);
  raw({"ACL", "SETUSER", "app", "resetpass", ">old"});
  uut.add(10);
  CAF_CHECK(uut.complete());
}

// -- the server ---------------------------------------------------------------

CAF_TEST(a server that loads its data set is waited for) {
  auto server = start({"key-load-delay 1000"});
  raw_client raw{server};
  party uut{server.url()};
  uut.add(10);
  CAF_CHECK(uut.complete());
  for (int i = 0; i < 2'000; ++i)
    raw({"SET", "filler:" + std::to_string(i), "x"});
  server.stop();
  std::thread starter{[&] { CAF_CHECK(server.restart().ok()); }};
  uut.add(10);
  CAF_CHECK(uut.complete());
  starter.join();
}

CAF_TEST(a server that cannot save refuses until it can) {
  auto server = start({"save 3600 1000000", "dbfilename taken.rdb"});
  raw_client raw{server};
  party uut{server.url()};
  uut.add(10);
  CAF_CHECK(uut.complete());
  const auto obstacle
    = server.socket_path().substr(0, server.socket_path().rfind('/'))
      + "/taken.rdb";
  CAF_REQUIRE_EQUAL(::mkdir(obstacle.c_str(), 0700), 0);
  raw({"BGSAVE"});
  CAF_CHECK(eventually([&] { return raw({"SET", "k", "v"}) != "OK"; }));
  const auto why = uut.why_not();
  CAF_CHECK(contains(why, "unavailable: stream \"orders\""));
  CAF_CHECK(contains(why, "MISCONF"));
  CAF_CHECK(contains(why, "check its disk"));
  CAF_REQUIRE_EQUAL(::rmdir(obstacle.c_str()), 0);
  raw({"BGSAVE"});
  uut.add(10);
  CAF_CHECK(uut.complete());
}

CAF_TEST(a master that becomes a replica is waited for) {
  auto server = start();
  raw_client raw{server};
  party uut{server.url()};
  uut.add(10);
  CAF_CHECK(uut.complete());
  raw({"REPLICAOF", "127.0.0.1", "1"});
  CAF_CHECK(contains(uut.why_not(), "read_only"));
  std::this_thread::sleep_for(500ms);
  raw({"REPLICAOF", "NO", "ONE"});
  uut.add(10);
  CAF_CHECK(uut.complete());
}
