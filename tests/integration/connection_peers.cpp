#define CAF_SUITE integration.connection_peers

// Peers that are no Redis servers, or close the connection within a reply.

#include "support/connection_fixture.hpp"
#include "support/tiny_server.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

using client = tiny_server::client;

struct fixture : connection_fixture {
  redis_options patient(const std::string& url) {
    redis_options result;
    result.url = url;
    result.reconnect_first = 10ms;
    result.reconnect_last = 50ms;
    return result;
  }
};

const std::string reply_text = "*2\r\n$5\r\nhello\r\n*2\r\n:12\r\n+OK\r\n";

} // namespace

CAF_TEST_FIXTURE_SCOPE(connection_peers_tests, fixture)

CAF_TEST(a web server is recognized) {
  tiny_server server{[](const client& x) {
    x.read_until("\r\n");
    x.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    x.wait();
  }};
  const auto failed = run(open(server.url()), command("PING"));
  CAF_CHECK(contains(failed, "protocol_error: redis://127.0.0.1"));
  CAF_CHECK(contains(failed, "HTTP/1.1 400 Bad Request"));
}

CAF_TEST(a server that never answers is given up) {
  tiny_server server{[](const client& x) { x.wait(); }};
  auto options = patient(server.url());
  options.connect_timeout = 100ms;
  auto uut = open(options);
  const auto failed = run(uut, within(3s, command("PING")));
  CAF_CHECK(contains(failed, "connect_failed"));
  CAF_CHECK(contains(failed, "the peer accepted the connection, but "));
  CAF_CHECK(info(uut).failures >= 2);
}

CAF_TEST(a server that closes at once is given up) {
  tiny_server server{[](const client&) {}};
  const auto failed = run(open(patient(server.url())),
                          within(10s, command("PING")));
  CAF_CHECK(contains(failed, "connect_failed"));
  CAF_CHECK(contains(failed, "refused the connection, or closed it"));
  CAF_CHECK(server.clients() > 2);
}

CAF_TEST(garbage instead of a reply is a protocol error) {
  tiny_server server{[](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say("\x16\x03\x01 garbage\r\n");
    x.wait();
  }};
  auto uut = open(patient(server.url()));
  CAF_CHECK(contains(run(uut, command("PING")), "protocol_error"));
  // These bytes may be those of a payload, so no text has them.
  const auto why = run(uut, command("PING"));
  CAF_CHECK(contains(why, "the peer broke the protocol"));
  CAF_CHECK_EQUAL(why.find("garbage"), std::string::npos);
}

CAF_TEST(a reply cut at any byte and then the end loses one command only) {
  size_t cut = 0;
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say(std::string_view{reply_text}.substr(0, cut++));
  }};
  auto uut = open(patient(server.url()));
  for (size_t i = 0; i < reply_text.size(); ++i)
    CAF_CHECK(contains(run(uut, command("GET", "k")), "connection_lost"));
  CAF_CHECK_EQUAL(run(uut, command("GET", "k")), "hello 12 OK");
}

CAF_TEST(a repeatable command survives a cut at any byte) {
  size_t cut = 0;
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say(std::string_view{reply_text}.substr(0, cut++));
  }};
  auto uut = open(patient(server.url()));
  CAF_CHECK_EQUAL(run(uut, within(20s, repeatable(command("GET", "k")))),
                  "hello 12 OK");
  CAF_CHECK_EQUAL(cut, reply_text.size() + 1);
}

CAF_TEST(a reply byte by byte is a reply) {
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    for (auto c : reply_text) {
      x.say({&c, 1});
      std::this_thread::sleep_for(1ms);
    }
    x.wait();
  }};
  CAF_CHECK_EQUAL(run(open(server.url()), command("GET", "k")), "hello 12 OK");
}

CAF_TEST(a handshake cut at any byte is tried again) {
  const std::string welcome = "+OK\r\n:1\r\n+PONG\r\n";
  size_t cut = 0;
  tiny_server server{[&](const client& x) {
    x.read_until("PING\r\n");
    x.say(std::string_view{welcome}.substr(0, cut));
    if (cut++ < welcome.size())
      return;
    x.read_until("\r\n");
    x.say("+OK\r\n");
    x.wait();
  }};
  CAF_CHECK_EQUAL(run(open(patient(server.url())), within(20s, command("GET"))),
                  "OK");
  CAF_CHECK_EQUAL(server.clients(), static_cast<int>(welcome.size()) + 1);
}

CAF_TEST(a server that loads its data set is waited for) {
  int round = 0;
  tiny_server server{[&](const client& x) {
    x.read_until("PING\r\n");
    if (++round < 4) {
      x.say("+OK\r\n:1\r\n-LOADING Redis is loading the dataset in memory\r\n");
      x.wait();
      return;
    }
    x.say("+OK\r\n:1\r\n+PONG\r\n");
    x.read_until("\r\n");
    x.say("-LOADING it does so again\r\n");
    x.wait();
  }};
  // Once it is connected, LOADING is a reply like others.
  CAF_CHECK_EQUAL(run(open(patient(server.url())), command("GET")),
                  "LOADING it does so again");
  CAF_CHECK_EQUAL(server.clients(), 4);
}

CAF_TEST(a huge announcement costs nothing) {
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say("*2147483647\r\n");
    x.wait();
  }};
  CAF_CHECK(
    contains(run(open(patient(server.url())), command("GET")), "max_elements"));
}

CAF_TEST(a million elements that never come are waited for until the deadline) {
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say("*1000000\r\n$1\r\nx\r\n");
    x.wait();
  }};
  auto uut = open(patient(server.url()));
  CAF_CHECK(contains(run(uut, within(3s, command("GET"))), "timed_out"));
}

CAF_TEST(a line without end is refused) {
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say("+" + std::string(100'000, 'x'));
    x.wait();
  }};
  CAF_CHECK(contains(run(open(patient(server.url())), command("GET")),
                     "max_line_bytes"));
}

CAF_TEST(a reply that nobody asked for replaces the connection) {
  tiny_server server{[&](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say("+OK\r\n+and more\r\n");
    x.wait();
  }};
  auto uut = open(patient(server.url()));
  CAF_CHECK_EQUAL(run(uut, command("GET")), "OK");
  CAF_CHECK_EQUAL(run(uut, within(30s, command("GET"))), "OK");
  CAF_CHECK_EQUAL(server.clients(), 2);
  CAF_CHECK(contains(logged(), "and more"));
}

CAF_TEST(attempts settle while nothing helps) {
  tiny_server server{[](const client&) {}};
  redis_options options;
  options.url = server.url();
  auto uut = open(options);
  run(uut, within(3s, command("PING")));
  // 100, 200, 400, 800, then 1500 ms.
  CAF_CHECK(server.clients() >= 3 && server.clients() <= 7);
}

CAF_TEST(close ends an attempt that gets no answer) {
  tiny_server server{[](const client& x) { x.wait(); }};
  auto uut = open(server.url());
  auto waiting = start(uut, command("PING"));
  self->send(uut, caf::close_atom_v);
  CAF_CHECK(contains(result_of(std::move(waiting)), "closed: "));
  self->wait_for(uut);
}

CAF_TEST_FIXTURE_SCOPE_END()
