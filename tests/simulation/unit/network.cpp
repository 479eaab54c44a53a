#define CAF_SUITE simulation.network

#include "simulation/network/network.hpp"

#include <algorithm>

#include <caf/test/unit_test.hpp>

using namespace pulse::simulation;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() {
    uut.accept = [this](link_id) {
      return link_end{[this](const std::string& x) { at_server += x; },
                      [this] { at_server += "|"; }};
    };
    link = uut.connect(7, {[this](const std::string& x) { at_client += x; },
                           [this] { at_client += "|"; }});
  }

  // All that can arrive arrives.
  void run() {
    while (const auto next = uut.next_due()) {
      now = std::max(now, *next);
      for (const auto& x : uut.due())
        uut.deliver(x);
    }
  }

  void say(const std::string& text) {
    uut.send(link, side::client, text);
  }

  void answer(const std::string& text) {
    uut.send(link, side::server, text);
  }

  time_point now{1h};
  dice random{1};
  trace log{now};
  network uut{random, now, log};
  link_id link = 0;
  std::string at_server;
  std::string at_client;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(network_tests, fixture)

CAF_TEST(bytes arrive later and in order) {
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const auto text = std::to_string(i) + " ";
    say(text);
    all += text;
  }
  CAF_CHECK_EQUAL(at_server, "");
  const auto start = now;
  run();
  CAF_CHECK_EQUAL(at_server, all);
  CAF_CHECK(now > start);
}

CAF_TEST(what was sent before the end still arrives) {
  say("last words");
  uut.close(link, side::client);
  answer("too late");
  run();
  CAF_CHECK_EQUAL(at_server, "last words|");
  CAF_CHECK_EQUAL(at_client, "");
}

CAF_TEST(a cut link tells both ends and loses what it should) {
  for (auto loses : {true, false}) {
    fixture other;
    other.say("up");
    other.answer("down");
    other.uut.cut(other.link, loses);
    other.run();
    CAF_CHECK_EQUAL(other.at_server, loses ? "|" : "up|");
    CAF_CHECK_EQUAL(other.at_client, "|");
  }
}

CAF_TEST(a black hole keeps all of a node and then lets it go) {
  uut.hold(7);
  say("up");
  answer("down");
  run();
  CAF_CHECK_EQUAL(at_server + at_client, "");
  uut.release(7);
  run();
  CAF_CHECK_EQUAL(at_server, "up");
  CAF_CHECK_EQUAL(at_client, "down");
}

CAF_TEST(other nodes do not notice a black hole) {
  uut.hold(8);
  say("up");
  run();
  CAF_CHECK_EQUAL(at_server, "up");
}

CAF_TEST(a mute link carries only what the client says) {
  uut.mute(link);
  say("up");
  answer("down");
  run();
  CAF_CHECK_EQUAL(at_server, "up");
  CAF_CHECK_EQUAL(at_client, "");
  uut.unmute(link);
  run();
  CAF_CHECK_EQUAL(at_client, "down");
}

CAF_TEST(a server that is away refuses at once or a moment later) {
  uut.server_is_away = true;
  auto refused = 0;
  for (int i = 0; i < 20; ++i) {
    at_client.clear();
    const auto id = uut.connect(7, {[](const std::string&) {},
                                    [this] { at_client += "|"; }});
    run();
    CAF_CHECK_EQUAL(at_client, id == 0 ? "" : "|");
    refused += id == 0 ? 1 : 0;
  }
  CAF_CHECK(refused > 0 && refused < 20);
}

CAF_TEST(nobody listens at a node that is gone) {
  say("up");
  answer("down");
  uut.abandon(7, false);
  run();
  CAF_CHECK_EQUAL(at_server, "up|");
  CAF_CHECK_EQUAL(at_client, "");
  CAF_CHECK(uut.links_of(7).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
