#define CAF_SUITE redis.connection_fsm

#include "support/fsm_fixture.hpp"

using namespace pulse;
using namespace pulse::test;

CAF_TEST_FIXTURE_SCOPE(connection_fsm_tests, fsm_fixture)

// -- the good case ------------------------------------------------------------

CAF_TEST(it attempts at the first command and greets before it sends) {
  CAF_CHECK_EQUAL(state(), "idle");
  CAF_CHECK(uut().next_tick() == time_point::max());
  CAF_CHECK_EQUAL(submit(command("GET")), "connect");
  CAF_CHECK_EQUAL(state(), "connecting");
  CAF_CHECK_EQUAL(socket_opened(),
                  "say CLIENT SETNAME pulse:test CLIENT ID PING");
  CAF_CHECK_EQUAL(receive("+OK\r\n"), "");
  CAF_CHECK_EQUAL(state(), "handshaking");
  CAF_CHECK_EQUAL(receive(":42\r\n"), "");
  CAF_CHECK_EQUAL(receive("+PONG\r\n"), "send GET");
  CAF_CHECK_EQUAL(state(), "ready");
  CAF_CHECK_EQUAL(uut().info().client_id, 42);
  CAF_CHECK_EQUAL(receive("$1\r\nx\r\n"), "answer 1 x");
  CAF_CHECK_EQUAL(uut().info().queued, 0u);
}

CAF_TEST(user and password and database are part of the handshake) {
  to.user = "alice";
  to.password = "secret";
  to.database = 3;
  submit(command("GET"));
  CAF_CHECK_EQUAL(socket_opened(),
                  "say AUTH alice secret SELECT 3 CLIENT SETNAME "
                  "pulse:test CLIENT ID PING");
  CAF_CHECK_EQUAL(receive("+OK\r\n+OK\r\n" + welcome), "send GET");
}

CAF_TEST(a password alone is for the default user) {
  to.password = "secret";
  submit(command("GET"));
  CAF_CHECK(contains(socket_opened(), "say AUTH secret CLIENT"));
}

CAF_TEST(replies go to commands in order) {
  get_ready();
  CAF_CHECK_EQUAL(submit(command("A")), "send A");
  CAF_CHECK_EQUAL(submit(command("B", 2)), "send B B");
  CAF_CHECK_EQUAL(submit(command("C")), "send C");
  CAF_CHECK_EQUAL(receive("+a\r\n+b1\r\n+b"), "answer 2 a");
  CAF_CHECK_EQUAL(receive("2\r\n-c\r\n"), "answer 3 b1b2\nanswer 4 c");
  CAF_CHECK_EQUAL(uut().info().replies, 5u);
  CAF_CHECK_EQUAL(uut().info().sent, 5u);
}

CAF_TEST(commands that came while it connected are sent in order) {
  submit(command("A"));
  submit(command("B"));
  socket_opened();
  submit(command("C"));
  CAF_CHECK_EQUAL(receive(welcome), "send A\nsend B\nsend C");
  CAF_CHECK_EQUAL(submit(command("D")), "send D");
}

CAF_TEST(names and IDs are a convenience that may be refused) {
  submit(command("GET"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("-NOPERM no\r\n-NOPERM no\r\n-NOPERM no\r\n"),
                  "send GET");
  CAF_CHECK_EQUAL(uut().info().client_id, 0);
}

CAF_TEST(a server that cannot save is still connected to) {
  submit(command("GET"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("+OK\r\n:1\r\n-MISCONF Errors writing\r\n"),
                  "send GET");
}

// -- limits -------------------------------------------------------------------

CAF_TEST(commands beyond the limit are refused) {
  options.max_queued = 3;
  submit(command("A"));
  submit(command("B", 2));
  CAF_CHECK_EQUAL(submit(command("C")), "fail 3 overloaded");
  CAF_CHECK(contains(last_why, "3 commands are queued"));
  socket_opened();
  receive(welcome);
  CAF_CHECK_EQUAL(submit(command("D")), "fail 4 overloaded");
  receive("+a\r\n");
  CAF_CHECK_EQUAL(submit(command("E")), "send E");
}

CAF_TEST(bytes beyond the limit are refused) {
  const auto big = changed(command("A"), [](auto& x) { x.bytes += "12345"; });
  options.max_queued_bytes = big->bytes.size();
  CAF_CHECK_EQUAL(submit(big), "connect");
  CAF_CHECK_EQUAL(submit(command("B")), "fail 2 overloaded");
}

CAF_TEST(an empty queue takes any batch) {
  options.max_queued = 3;
  CAF_CHECK_EQUAL(submit(command("A", 10)), "connect");
}

CAF_TEST(a peer that does not read gets no more than a little ahead) {
  get_ready();
  const auto big = changed(command("A"),
                           [](auto& x) { x.bytes.append(600u << 10, 'x'); });
  const auto tiny = within(1s, command("B"));
  CAF_CHECK(contains(submit(big), "send"));
  CAF_CHECK(contains(submit(big), "send"));
  CAF_CHECK_EQUAL(submit(tiny), "");
  CAF_CHECK_EQUAL(tick_after(1s), "fail 4 timed_out");
  submit(command("C"));
  uut().on_written(now, 0, 1u << 10, todo);
  CAF_CHECK_EQUAL(done(), "send C");
}

// -- scripts ------------------------------------------------------------------

CAF_TEST(an unknown script is loaded and called again once) {
  get_ready();
  const auto call = changed(command("EVALSHA"),
                            [](auto& x) { x.lua = &sample_script; });
  submit(call);
  submit(command("B"));
  CAF_CHECK_EQUAL(receive("-NOSCRIPT No matching script.\r\n"),
                  "say SCRIPT LOAD return 1\nsend EVALSHA");
  CAF_CHECK_EQUAL(receive("+b\r\n"), "answer 3 b");
  CAF_CHECK_EQUAL(receive("$4\r\ne0e1\r\n:1\r\n"), "answer 2 ");
  submit(call);
  CAF_CHECK_EQUAL(receive("-NOSCRIPT x\r\n-NOPERM y\r\n-NOSCRIPT z\r\n"),
                  "say SCRIPT LOAD return 1\nsend EVALSHA\n"
                  "answer 4 NOSCRIPT z");
  CAF_CHECK(
    contains(last_log, "cannot load the script sample (SCRIPT LOAD): NOPERM"));
}

CAF_TEST(other errors and other commands do not load scripts) {
  get_ready();
  submit(changed(command("EVALSHA"), [](auto& x) { x.lua = &sample_script; }));
  CAF_CHECK_EQUAL(receive("-ERR NOSCRIPT\r\n"), "answer 2 ERR NOSCRIPT");
  submit(command("A"));
  CAF_CHECK_EQUAL(receive("-NOSCRIPT x\r\n"), "answer 3 NOSCRIPT x");
}

// -- close --------------------------------------------------------------------

CAF_TEST(close fails all and nothing moves any more) {
  get_ready();
  submit(command("A"));
  uut().on_written(now, 0, 10u << 20, todo);
  submit(command("B"));
  uut().close(todo);
  CAF_CHECK_EQUAL(done(), "close\nfail 2 closed\nfail 3 closed");
  CAF_CHECK_EQUAL(submit(command("C")), "fail 4 closed");
  CAF_CHECK_EQUAL(receive("+x\r\n"), "");
  CAF_CHECK_EQUAL(tick_after(1h), "");
  CAF_CHECK(uut().next_tick() == time_point::max());
  CAF_CHECK_EQUAL(state(), "closed");
}

CAF_TEST(a socket that comes after close is closed) {
  submit(command("A"));
  uut().close(todo);
  done();
  CAF_CHECK_EQUAL(socket_opened(), "close");
}

CAF_TEST_FIXTURE_SCOPE_END()
