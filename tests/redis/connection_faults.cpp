#define CAF_SUITE redis.connection_faults

#include "support/fsm_fixture.hpp"

using namespace pulse;
using namespace pulse::test;

CAF_TEST_FIXTURE_SCOPE(connection_faults_tests, fsm_fixture)

// -- no connection ------------------------------------------------------------

CAF_TEST(refused connections are tried again with growing pauses) {
  options.command_timeout = 60s;
  submit(command("GET"));
  milliseconds total{0};
  int attempts = 0;
  for (; total < 60s; ++attempts) {
    CAF_CHECK_EQUAL(refused(), "close");
    CAF_CHECK_EQUAL(state(), "waiting");
    const auto pause
      = std::chrono::duration_cast<milliseconds>(uut().next_tick() - now);
    CAF_CHECK(pause > 0ms && pause <= 6250ms);
    total += pause;
    if (total < 60s)
      CAF_REQUIRE_EQUAL(tick_after(pause), "connect");
  }
  // 100 ms, 200 ms ... 3.2 s, then every 5 s.
  CAF_CHECK(attempts > 10 && attempts < 22);
  CAF_CHECK_EQUAL(tick_after(60s), fail(errc::connect_failed));
  CAF_CHECK(contains(last_why, "Connection refused"));
  CAF_CHECK(contains(last_why, "redis://127.0.0.1:6379/0"));
}

CAF_TEST(without commands there are no attempts) {
  submit(command("GET"));
  refused();
  CAF_CHECK_EQUAL(tick_after(5s), "fail 1 connect_failed");
  CAF_CHECK_EQUAL(state(), "idle");
  CAF_CHECK(uut().next_tick() == time_point::max());
}

CAF_TEST(a new command does not shorten the pause) {
  options.reconnect_first = 1s;
  submit(command("GET"));
  refused();
  now += 10ms;
  CAF_CHECK_EQUAL(submit(command("GET")), "");
  CAF_CHECK_EQUAL(tick_after(10ms), "");
  CAF_CHECK_EQUAL(tick_after(1250ms), "connect");
}

CAF_TEST(a silent server is given up after the connect timeout) {
  options.connect_timeout = 2s;
  submit(command("GET"));
  socket_opened();
  CAF_CHECK(uut().next_tick() == now + 2s);
  CAF_CHECK_EQUAL(tick_after(1999ms), "");
  CAF_CHECK_EQUAL(tick_after(1ms), "close");
  CAF_CHECK(contains(last_log, "no answer within 2000 ms"));
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
  CAF_CHECK_EQUAL(tick_after(2s), "close");
  CAF_CHECK_EQUAL(tick_after(1s), "fail 1 connect_failed");
  CAF_CHECK_EQUAL(uut().info().failures, 2u);
}

CAF_TEST(a server that accepts and is silent is described as such) {
  const std::string text = "the peer accepted the connection, but ";
  submit(within(1s, command("A")));
  submit(command("B"));
  socket_opened();
  CAF_CHECK_EQUAL(tick_after(1s), "fail 1 connect_failed");
  CAF_CHECK(contains(last_why, "the first attempt is under way"));
  submit(within(1s, command("C")));
  uut().on_written(now, 0, 0, todo);
  CAF_CHECK_EQUAL(tick_after(1s), "fail 3 connect_failed");
  CAF_CHECK(contains(last_why, text + "has not answered the handshake yet"));
  CAF_CHECK_EQUAL(tick_after(3s), "fail 2 connect_failed\nclose");
  CAF_CHECK(contains(last_log, text
                                 + "did not answer the handshake within 5000 "
                                   "ms"));
}

CAF_TEST(a command that waited too long is never sent) {
  submit(within(100ms, command("A")));
  submit(command("B"));
  socket_opened();
  CAF_CHECK(uut().next_tick() == now + 100ms);
  CAF_CHECK_EQUAL(tick_after(100ms), "fail 1 connect_failed");
  CAF_CHECK_EQUAL(receive(welcome), "send B");
}

CAF_TEST(a command is not sent late though no tick came in time) {
  submit(within(100ms, command("A")));
  submit(command("B"));
  socket_opened();
  now += 200ms;
  CAF_CHECK_EQUAL(receive(welcome), "fail 1 connect_failed\nsend B");
}

CAF_TEST(a port that closes after the first bytes may speak TLS) {
  submit(command("GET"));
  socket_opened();
  uut().on_written(now, 0, 0, todo);
  peer_closed();
  CAF_CHECK(contains(last_log, "rediss://"));
  tick_after(200ms);
  socket_opened();
  peer_closed();
  CAF_CHECK(last_log.find("rediss://") == std::string::npos);
  fsm.reset();
  submit(command("GET"));
  socket_opened();
  receive("\x15\x03\x03");
  CAF_CHECK(contains(last_log, "the peer speaks TLS: use rediss://"));
}

CAF_TEST(a cut handshake is tried again) {
  submit(command("GET"));
  socket_opened();
  CAF_CHECK_EQUAL(peer_closed(), "close");
  CAF_CHECK(contains(last_log, "closed it without an answer"));
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
  socket_opened();
  CAF_CHECK_EQUAL(receive("+OK\r\n"), "");
  CAF_CHECK_EQUAL(peer_closed(), "close");
  CAF_CHECK(contains(last_log, "handshake"));
}

// -- refusals that no retry cures ---------------------------------------------

CAF_TEST(a wrong password fails what waits and what comes at once) {
  to.password = "wrong";
  submit(command("A"));
  submit(command("B"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("-WRONGPASS invalid username-password pair\r\n"),
                  "close\nfail 1 auth_failed\nfail 2 auth_failed");
  CAF_CHECK(contains(last_why, "WRONGPASS"));
  CAF_CHECK(last_why.find("wrong\"") == std::string::npos);
  CAF_CHECK_EQUAL(submit(command("C")), "fail 3 auth_failed");
  // The next attempt is for the next command after the pause.
  CAF_CHECK_EQUAL(tick_after(200ms), "");
  CAF_CHECK_EQUAL(submit(command("D")), "connect");
  socket_opened();
  CAF_CHECK_EQUAL(receive("+OK\r\n" + welcome), "send D");
}

CAF_TEST(a missing password is auth_failed too) {
  submit(command("A"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("-NOAUTH Authentication required.\r\n"),
                  "close\nfail 1 auth_failed");
  to.password = "needless";
  fsm.reset();
  submit(command("A"));
  socket_opened();
  CAF_CHECK_EQUAL(receive(
                    "-ERR AUTH <password> called without any password\r\n"),
                  "close\nfail 2 auth_failed");
}

CAF_TEST(a database that is not there fails what waits) {
  to.database = 99;
  submit(command("A"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("-ERR DB index is out of range\r\n"),
                  "close\nfail 1 redis_error");
  CAF_CHECK(contains(last_why, "SELECT 99"));
}

CAF_TEST(a peer that is no Redis fails what waits) {
  submit(command("A"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("HTTP/1.1 400 Bad Request\r\n"),
                  "close\nfail 1 protocol_error");
  CAF_CHECK(contains(last_why, "HTTP/1.1 400"));
  tick_after(1s);
  submit(command("B"));
  socket_opened();
  CAF_CHECK_EQUAL(receive("$3\r\nfoo\r\n"), "close\nfail 2 protocol_error");
}

CAF_TEST(lasting refusals settle to less than one attempt a second) {
  to.password = "wrong";
  int attempts = 0;
  // A client that asks every 10 ms for a minute.
  for (int i = 0; i < 6'000; ++i) {
    tick_after(10ms);
    if (submit(command("A")) == "connect") {
      ++attempts;
      socket_opened();
      receive("-WRONGPASS no\r\n");
    }
  }
  CAF_CHECK_EQUAL(uut().info().queued, 0u);
  CAF_CHECK(attempts > 5 && attempts < 25);
}

// -- refusals that pass -------------------------------------------------------

CAF_TEST(a loading server is asked again) {
  for (std::string text :
       {"+OK\r\n:1\r\n-LOADING Redis is loading\r\n", "-BUSY Redis is busy\r\n",
        "-ERR max number of clients reached\r\n"}) {
    fsm.reset();
    const auto token = std::to_string(last_token + 1);
    submit(command("A"));
    socket_opened();
    CAF_CHECK_EQUAL(receive(text), "close");
    CAF_CHECK_EQUAL(state(), "waiting");
    CAF_CHECK_EQUAL(tick_after(200ms), "connect");
    socket_opened();
    CAF_CHECK_EQUAL(receive(welcome), "send A");
  }
}

CAF_TEST(the last reason is in the error of a command that waited in vain) {
  submit(command("A"));
  socket_opened();
  receive("+OK\r\n:1\r\n-LOADING Redis is loading the dataset\r\n");
  CAF_CHECK(contains(tick_after(5s), "fail 1 connect_failed"));
  CAF_CHECK(contains(last_why, "LOADING Redis is loading the dataset"));
}

// -- lost connections ---------------------------------------------------------

CAF_TEST(a lost connection fails what was sent and keeps what was not ) {
  get_ready();
  submit(command("A"));
  uut().on_written(now, 0, 10u << 20, todo);
  CAF_CHECK_EQUAL(submit(command("B")), "");
  CAF_CHECK_EQUAL(peer_closed(), "close\nfail 2 connection_lost");
  CAF_CHECK(contains(last_why, "outcome is unknown"));
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "send B");
}

CAF_TEST(repeatable commands are sent again in order) {
  get_ready();
  submit(repeatable("A"));
  submit(command("B"));
  submit(repeatable("C"));
  CAF_CHECK_EQUAL(receive("+a"), "");
  CAF_CHECK_EQUAL(peer_closed(), "close\nfail 3 connection_lost");
  tick_after(200ms);
  submit(command("D"));
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "send A\nsend C\nsend D");
  CAF_CHECK_EQUAL(receive("+a\r\n+c\r\n+d\r\n"),
                  "answer 2 a\nanswer 4 c\nanswer 5 d");
}

CAF_TEST(a connection that is still there for the server is ended first) {
  get_ready();
  submit(repeatable("A"));
  // A proxy may have closed the connection, and may still send bytes to the
  // server.
  peer_closed();
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
  CAF_CHECK_EQUAL(socket_opened(),
                  "say CLIENT SETNAME pulse:test CLIENT ID CLIENT "
                  "LIST ID 42 PING");
  const std::string old = "id=42 addr=x laddr=y fd=8 name=pulse:test age=9\n";
  CAF_CHECK_EQUAL(receive("+OK\r\n:43\r\n$" + std::to_string(old.size())
                          + "\r\n" + old + "\r\n"),
                  "say CLIENT KILL ID 42");
  CAF_CHECK_EQUAL(receive("+PONG\r\n"), "");
  CAF_CHECK_EQUAL(receive(":1\r\n"), "send A");
}

CAF_TEST(a connection of somebody else with that ID is left alone) {
  get_ready();
  submit(repeatable("A"));
  peer_closed();
  tick_after(200ms);
  socket_opened();
  // The server was started again and counts from one.
  const std::string other
    = "id=42 addr=x laddr=y fd=8 name=pulse:test2 age=9\n";
  CAF_CHECK_EQUAL(receive("+OK\r\n:7\r\n$" + std::to_string(other.size())
                          + "\r\n" + other + "\r\n+PONG\r\n"),
                  "send A");
}

CAF_TEST(who may not list or kill clients does without) {
  get_ready();
  submit(repeatable("A"));
  peer_closed();
  tick_after(200ms);
  socket_opened();
  CAF_CHECK_EQUAL(receive("+OK\r\n:43\r\n-NOPERM no\r\n+PONG\r\n"), "send A");
}

CAF_TEST(half a batch of replies is thrown away before it is repeated) {
  get_ready();
  submit(changed(command("A", 2), [](auto& x) { x.repeatable = true; }));
  receive("+old\r\n");
  peer_closed();
  tick_after(200ms);
  socket_opened();
  welcome_back();
  CAF_CHECK_EQUAL(receive("+new1\r\n+new2\r\n"), "answer 2 new1new2");
}

CAF_TEST(a repeatable command is not repeated for longer than it has) {
  get_ready();
  submit(within(1s, repeatable("A")));
  peer_closed();
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
  refused();
  CAF_CHECK(contains(tick_after(1s), "fail 2 connection_lost"));
}

CAF_TEST(after a long good time it connects again at once) {
  get_ready();
  CAF_CHECK_EQUAL(tick_after(10s), "");
  submit(repeatable("A"));
  CAF_CHECK_EQUAL(peer_closed(), "close\nconnect");
}

CAF_TEST(an idle connection that is lost comes back with the next command) {
  get_ready();
  tick_after(10s);
  CAF_CHECK_EQUAL(peer_closed(), "close");
  CAF_CHECK_EQUAL(state(), "idle");
  CAF_CHECK_EQUAL(submit(command("A")), "connect");
}

CAF_TEST(a server that dies of every command is not asked ever faster) {
  options.command_timeout = 60s;
  int attempts = 0;
  submit(repeatable("A"));
  for (const auto end = now + 60s; now < end;) {
    if (state() == "connecting") {
      ++attempts;
      socket_opened();
      receive(welcome);
      peer_closed();
    }
    now = uut().next_tick();
    uut().on_tick(now, todo);
    done();
  }
  CAF_CHECK(attempts > 5 && attempts < 25);
}

CAF_TEST(an unused connection is closed after a minute) {
  get_ready();
  CAF_CHECK(uut().next_tick() == now + 60s);
  CAF_CHECK_EQUAL(tick_after(59s), "");
  submit(command("A"));
  receive("+a\r\n");
  CAF_CHECK_EQUAL(tick_after(59s), "");
  CAF_CHECK_EQUAL(tick_after(1s), "close");
  CAF_CHECK_EQUAL(state(), "idle");
  CAF_CHECK(uut().next_tick() == time_point::max());
}

CAF_TEST(a master that became a replica is left when all was answered) {
  for (std::string text :
       {"-READONLY You can't write against a replica.\r\n",
        "-UNBLOCKED force unblock from blocking operation\r\n",
        "-NOAUTH Authentication required.\r\n"}) {
    fsm.reset();
    get_ready();
    submit(command("A"));
    submit(command("B"));
    const auto error = text.substr(1, text.size() - 3);
    const auto a = std::to_string(last_token - 1);
    CAF_CHECK_EQUAL(receive(text), "answer " + a + " " + error);
    // The command waits for the next connection, since this one would be
    // refused.
    CAF_CHECK_EQUAL(submit(command("C")), "");
    const auto b = std::to_string(last_token - 1);
    CAF_CHECK_EQUAL(receive("+b\r\n"), "answer " + b + " b\ngo elsewhere");
    CAF_CHECK_EQUAL(tick_after(200ms), "connect");
    socket_opened();
    CAF_CHECK_EQUAL(welcome_back(), "send C");
  }
}

CAF_TEST(a master that became a replica is left though MULTI hides that) {
  const std::string refused = "-READONLY no\r\n";
  for (const auto& replies : std::vector<std::string>{
         "+OK\r\n" + refused + refused
           + "-EXECABORT Transaction discarded because of previous errors.\r\n",
         "+OK\r\n+QUEUED\r\n+QUEUED\r\n-EXECABORT Transaction discarded "
         "because of: READONLY no\r\n",
         "$3\r\n1-1\r\n" + refused + refused + refused}) {
    fsm.reset();
    get_ready();
    submit(command("A", 4));
    const auto done = receive(replies);
    CAF_CHECK_EQUAL(done.substr(done.rfind('\n') + 1), "go elsewhere");
  }
}

CAF_TEST(a script that a replica does not know goes along to the next server) {
  get_ready();
  submit(command("A"));
  submit(changed(command("EVALSHA"), [](auto& x) { x.lua = &sample_script; }));
  CAF_CHECK_EQUAL(receive("-READONLY no\r\n"), "answer 2 READONLY no");
  CAF_CHECK_EQUAL(receive("-NOSCRIPT no\r\n"), "go elsewhere");
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "say SCRIPT LOAD return 1\nsend EVALSHA");
}

CAF_TEST(a server that stays a replica is not asked ever faster) {
  options.command_timeout = 60s;
  int attempts = 0;
  get_ready();
  for (const auto end = now + 60s; now < end; now += 10ms) {
    uut().on_tick(now, todo);
    if (uut().info().queued == 0)
      uut().submit(now, ++last_token, command("A"), todo);
    done();
    if (state() == "connecting") {
      ++attempts;
      uut().on_connecting(now, todo);
      done();
      welcome_back();
    }
    if (uut().under_way())
      receive("-READONLY no\r\n");
  }
  CAF_MESSAGE(attempts << " attempts");
  CAF_CHECK(attempts > 10 && attempts < 60);
}

// -- deadlines of what was sent -----------------------------------------------

CAF_TEST(a command without a reply in time replaces the connection) {
  options.command_timeout = 3s;
  get_ready();
  submit(command("A"));
  tick_after(1s);
  submit(command("B"));
  submit(repeatable("C"));
  CAF_CHECK(uut().next_tick() == now + 2s);
  CAF_CHECK_EQUAL(tick_after(1999ms), "");
  CAF_CHECK_EQUAL(tick_after(1ms),
                  "close\nfail 2 timed_out\nfail 3 connection_lost");
  CAF_CHECK(contains(last_log, "no reply in time"));
  tick_after(200ms);
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "send C");
}

CAF_TEST(a command with a short deadline fails alone) {
  get_ready();
  submit(command("A"));
  submit(within(250ms, repeatable("B")));
  submit(command("C"));
  CAF_CHECK(uut().next_tick() == now + 250ms);
  CAF_CHECK_EQUAL(tick_after(250ms), "fail 3 timed_out");
  CAF_CHECK(contains(last_why, "no reply within 250 ms"));
  CAF_CHECK_EQUAL(tick_after(150ms), "");
  CAF_CHECK_EQUAL(uut().info().queued, 3u);
  CAF_CHECK_EQUAL(receive("+a\r\n+b\r\n+c\r\n"), "answer 2 a\nanswer 4 c");
  CAF_CHECK_EQUAL(uut().info().queued, 0u);
  CAF_CHECK_EQUAL(submit(command("D")), "send D");
  CAF_CHECK_EQUAL(receive("+d\r\n"), "answer 5 d");
  CAF_CHECK_EQUAL(uut().info().failures, 0u);
}

CAF_TEST(a large command may be sent slowly) {
  get_ready();
  submit(command("A"));
  receive("+a\r\n");
  constexpr size_t size = 600u << 10;
  submit(changed(command("B"), [](auto& x) { x.bytes.append(size, 'x'); }));
  size_t unsent = size;
  for (int i = 0; i < 20; ++i) {
    unsent -= 20u << 10;
    uut().on_written(now, 20u << 10, unsent, todo);
    CAF_REQUIRE_EQUAL(tick_after(4s), "");
  }
  // The peer takes nothing more.
  CAF_CHECK_EQUAL(tick_after(2s), "close\nfail 3 timed_out");
}

CAF_TEST(a large command has more time although the socket took all of it) {
  get_ready();
  const auto large = changed(command("A"), [](auto& x) {
    x.bytes.append(4u << 20, 'x'); // 15.75 s more
  });
  submit(large);
  uut().on_written(now, 4u << 20, 0, todo);
  submit(command("B"));
  // The small one fails alone: its reply comes behind that of the large one.
  CAF_CHECK_EQUAL(tick_after(5s), "fail 3 timed_out");
  CAF_CHECK_EQUAL(tick_after(15s), "");
  CAF_CHECK_EQUAL(tick_after(1s), "close\nfail 2 timed_out");
}

CAF_TEST(commands that were sent before a large one keep their deadlines) {
  get_ready();
  constexpr size_t size = 100u << 10;
  submit(command("A"));
  submit(changed(command("B"), [](auto& x) { x.bytes.append(size, 'x'); }));
  now += 4s;
  uut().on_written(now, 10u << 10, size, todo);
  CAF_CHECK_EQUAL(tick_after(1s), "close\nfail 2 timed_out\n"
                                  "fail 3 connection_lost");
}

CAF_TEST(a reply that arrives slowly is waited for) {
  options.command_timeout = 3s;
  get_ready();
  submit(within(1s, command("A")));
  submit(command("B"));
  receive("$100000\r\n");
  const std::string part(10'000, 'x');
  for (int i = 0; i < 10; ++i) {
    CAF_CHECK_EQUAL(tick_after(900ms), i == 3 ? "fail 3 timed_out" : "");
    receive(part);
  }
  CAF_CHECK_EQUAL(receive("\r\n").substr(0, 8), "answer 2");
  CAF_CHECK_EQUAL(receive("+b\r\n"), "");
  CAF_CHECK_EQUAL(uut().info().failures, 0u);
  CAF_CHECK_EQUAL(uut().info().queued, 0u);
}

CAF_TEST(who watches the progress waits behind a reply that arrives slowly) {
  options.command_timeout = 3s;
  get_ready();
  submit(command("A"));
  submit(within(1s, changed(command("B"), [](auto& x) {
                  x.progress = std::make_shared<reply_progress>();
                })));
  submit(within(1s, command("C")));
  receive("$100000\r\n");
  const std::string part(10'000, 'x');
  for (int i = 0; i < 10; ++i) {
    CAF_CHECK_EQUAL(tick_after(900ms), i == 1 ? "fail 4 timed_out" : "");
    receive(part);
  }
  CAF_CHECK_EQUAL(receive("\r\n").substr(0, 8), "answer 2");
  CAF_CHECK_EQUAL(tick_after(900ms), "");
  CAF_CHECK_EQUAL(receive("+b\r\n"), "answer 3 b");
}

CAF_TEST(a slow reply knows how long it took and is announced) {
  get_ready();
  const auto progress = std::make_shared<reply_progress>();
  submit(changed(command("A"), [&](auto& x) { x.progress = progress; }));
  CAF_CHECK(!progress->arriving);
  uut().on_data(now, "$4\r\nab", todo);
  CAF_CHECK(progress->arriving);
  now += 2s;
  uut().on_data(now, "cd\r\n", todo);
  const auto* x = std::get_if<answer_action>(&todo.back());
  CAF_REQUIRE(x != nullptr);
  CAF_CHECK(x->answer->took == 2s);
  done();
  submit(command("B"));
  uut().on_data(now, "+b\r\n", todo);
  CAF_CHECK(std::get<answer_action>(todo.back()).answer->took == 0s);
}

CAF_TEST(a reply whose bytes come one by one is not waited for) {
  options.command_timeout = 3s;
  get_ready();
  submit(command("A"));
  receive("$100000\r\n");
  int seconds = 0;
  while (tick_after(1s).empty() && ++seconds < 100)
    receive("x");
  CAF_CHECK_EQUAL(seconds, 3);
}

CAF_TEST(a reply of which no more bytes come is not waited for) {
  options.command_timeout = 3s;
  get_ready();
  submit(command("A"));
  receive("$100000\r\n");
  tick_after(1s);
  receive(std::string(50'000, 'x'));
  CAF_CHECK_EQUAL(tick_after(2999ms), "");
  CAF_CHECK_EQUAL(tick_after(1ms), "close\nfail 2 timed_out");
}

CAF_TEST(short deadlines do not keep a silent connection) {
  get_ready();
  submit(within(250ms, repeatable("A")));
  submit(command("B"));
  CAF_CHECK_EQUAL(tick_after(250ms), "fail 2 timed_out");
  CAF_CHECK(uut().next_tick() == now + 4750ms);
  for (int i = 0; i < 18; ++i) {
    submit(within(250ms, repeatable("C")));
    submit(command("D"));
    CAF_CHECK(contains(tick_after(250ms), "timed_out"));
  }
  CAF_CHECK(contains(tick_after(250ms), "close\nfail 3 timed_out\nfail 5 "
                                        "connection_lost\n"));
  // Nobody is told twice.
  tick_after(1h);
  CAF_CHECK_EQUAL(state(), "idle");
}

CAF_TEST(what was given up is neither repeated nor failed again) {
  get_ready();
  submit(repeatable("A"));
  submit(within(250ms, repeatable("B")));
  submit(within(250ms, changed(repeatable("EVALSHA"),
                               [](auto& x) { x.lua = &sample_script; })));
  CAF_CHECK_EQUAL(tick_after(250ms), "fail 3 timed_out\nfail 4 timed_out");
  CAF_CHECK_EQUAL(peer_closed(), "close");
  tick_after(200ms);
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "send A");
  submit(within(250ms, changed(repeatable("EVALSHA"),
                               [](auto& x) { x.lua = &sample_script; })));
  CAF_CHECK_EQUAL(tick_after(250ms), "fail 5 timed_out");
  CAF_CHECK_EQUAL(receive("+a\r\n-NOSCRIPT x\r\n"), "answer 2 a");
  submit(command("C"));
  uut().close(todo);
  CAF_CHECK_EQUAL(done(), "close\nfail 6 closed");
}

CAF_TEST(a repeatable command that was not answered in time has timed out) {
  get_ready();
  submit(within(1s, repeatable("A")));
  CAF_CHECK_EQUAL(tick_after(1s), "close\nfail 2 timed_out");
  CAF_CHECK(contains(last_why, "no reply within 1000 ms"));
}

CAF_TEST(a blocking read has the time it asks for) {
  get_ready();
  submit(within(30s, command("XREAD")));
  CAF_CHECK(uut().next_tick() == now + 30s);
  CAF_CHECK_EQUAL(tick_after(29s), "");
  CAF_CHECK_EQUAL(receive("*-1\r\n"), "answer 2 ");
}

// -- a peer that misbehaves ---------------------------------------------------

CAF_TEST(a reply that nobody asked for replaces the connection) {
  get_ready();
  CAF_CHECK_EQUAL(receive("+surprise\r\n"), "close");
  CAF_CHECK(contains(last_log, "surprise"));
  submit(command("A"));
  CAF_CHECK_EQUAL(tick_after(200ms), "connect");
}

CAF_TEST(a command is not answered by a reply that began before it) {
  get_ready();
  CAF_CHECK_EQUAL(receive("+surp"), "");
  CAF_CHECK_EQUAL(submit(command("A")), "send A");
  CAF_CHECK_EQUAL(receive("rise\r\n"), "close\n" + fail(errc::protocol_error));
  CAF_CHECK(contains(last_log, "surprise"));
}

CAF_TEST(a broken reply fails its command and replaces the connection) {
  get_ready();
  submit(repeatable("A"));
  submit(repeatable("B"));
  submit(command("C"));
  CAF_CHECK_EQUAL(receive("$3\r\nabcXY"), "close\nfail 2 protocol_error\n"
                                          "fail 4 connection_lost");
  tick_after(200ms);
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "send B");
}

CAF_TEST(
  a reply beyond the limit fails its command with the name of the limit) {
  options.max_reply_bytes = 100;
  get_ready();
  submit(repeatable("A"));
  submit(repeatable("B"));
  CAF_CHECK_EQUAL(receive("$101\r\nsecret"), "close\nfail 2 payload_too_large");
  for (auto& text : {last_why, last_log}) {
    CAF_CHECK(contains(text, "101"));
    CAF_CHECK(contains(text, "max_reply_bytes = 100; raise this option"));
    CAF_CHECK_EQUAL(text.find("secret"), std::string::npos);
    CAF_CHECK_EQUAL(text.find("broke the protocol"), std::string::npos);
  }
  tick_after(200ms);
  socket_opened();
  CAF_CHECK_EQUAL(welcome_back(), "send B");
}

CAF_TEST(what an old connection still says is not heard) {
  get_ready();
  submit(within(1s, command("A")));
  tick_after(1s);
  CAF_CHECK_EQUAL(receive("+late\r\n"), "");
  CAF_CHECK_EQUAL(peer_closed(), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
