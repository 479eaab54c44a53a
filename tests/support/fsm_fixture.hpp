#pragma once

#include "pulse/redis/connection_fsm.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/script.hpp"

#include <optional>
#include <string>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

using namespace pulse::redis;
using namespace std::chrono_literals;

inline const resp::script sample_script{
  "sample", "return 1", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"};

inline command_ptr command(const std::string& name, uint32_t count = 1) {
  auto result = std::make_shared<command_batch>();
  for (uint32_t i = 0; i < count; ++i)
    resp::write_command(result->bytes, name);
  result->count = count;
  return result;
}

template <class F>
command_ptr changed(const command_ptr& x, F change) {
  auto result = std::make_shared<command_batch>(*x);
  change(*result);
  return result;
}

inline command_ptr repeatable(const std::string& name) {
  return changed(command(name), [](auto& x) { x.repeatable = true; });
}

inline command_ptr within(milliseconds timeout, const command_ptr& x) {
  return changed(x, [&](auto& y) { y.timeout = timeout; });
}

// The arguments of commands, without their lengths.
inline std::string words(const std::string& bytes) {
  std::string result;
  for (size_t pos = 0; pos < bytes.size();) {
    const auto end = bytes.find("\r\n", pos);
    if (end == std::string::npos)
      return result + " ...";
    const auto line = bytes.substr(pos, end - pos);
    if (line[0] != '*' && line[0] != '$')
      result += (result.empty() ? "" : " ") + line;
    pos = end + 2;
  }
  return result;
}

struct action_printer {
  std::string operator()(const connect_action&) const {
    return "connect";
  }
  std::string operator()(const send_action& x) const {
    return "send " + words(x.commands->bytes);
  }
  std::string operator()(const send_text_action& x) const {
    return "say " + words(x.bytes);
  }
  std::string operator()(const close_action& x) const {
    return x.elsewhere ? "go elsewhere" : "close";
  }
  std::string operator()(const answer_action& x) const {
    return "answer " + std::to_string(x.token) + " " + x.answer->bytes;
  }
  std::string operator()(const fail_action& x) const {
    return "fail " + std::to_string(x.token) + " " + to_string(x.why.code);
  }
  std::string operator()(const log_action&) const {
    return {};
  }
};

/// A state machine, its clock, and the actions that it wants.
struct fsm_fixture {
  redis_options options;
  endpoint to;
  time_point now{1h};
  std::optional<connection_fsm> fsm;
  actions todo;
  uint64_t last_token = 0;
  std::string last_log;
  std::string last_why;

  fsm_fixture() {
    options.reconnect_first = 100ms;
    options.reconnect_last = 5s;
  }

  connection_fsm& uut() {
    if (!fsm)
      fsm.emplace(connection_config{to, options, "pulse:test"},
                  random_engine{7});
    return *fsm;
  }

  // The actions since the last call, one per line.
  std::string done() {
    std::string result;
    for (auto& x : todo) {
      if (auto* line = std::get_if<log_action>(&x))
        last_log = line->line;
      if (auto* fail = std::get_if<fail_action>(&x))
        last_why = fail->why.what;
      if (auto text = std::visit(action_printer{}, x); !text.empty())
        result += (result.empty() ? "" : "\n") + text;
    }
    todo.clear();
    return result;
  }

  std::string submit(command_ptr x) {
    uut().submit(now, ++last_token, std::move(x), todo);
    return done();
  }

  std::string receive(const std::string& bytes) {
    uut().on_data(now, bytes, todo);
    return done();
  }

  // As receive(welcome), from a server that no longer knows the previous
  // connection.
  std::string welcome_back() {
    return receive("+OK\r\n:42\r\n$0\r\n\r\n+PONG\r\n");
  }

  std::string tick_after(milliseconds x) {
    now += x;
    uut().on_tick(now, todo);
    return done();
  }

  std::string socket_opened() {
    uut().on_connecting(now, todo);
    return done();
  }

  std::string refused() {
    uut().on_connect_failed(now, {errc::connect_failed, "Connection refused"},
                            todo);
    return done();
  }

  std::string peer_closed() {
    uut().on_peer_closed(now, todo);
    return done();
  }

  std::string state() {
    return uut().info().state;
  }

  // Connects by sending a PING and replying to it.
  void get_ready() {
    CAF_REQUIRE_EQUAL(submit(command("HELLO")), "connect");
    socket_opened();
    CAF_REQUIRE_EQUAL(receive(welcome), "send HELLO");
    CAF_REQUIRE_EQUAL(receive("+hi\r\n"), answer("hi"));
  }

  std::string answer(const std::string& text) {
    return "answer " + std::to_string(last_token) + " " + text;
  }

  std::string fail(errc code) {
    return "fail " + std::to_string(last_token) + " " + to_string(code);
  }

  // The replies to CLIENT SETNAME, CLIENT ID and PING.
  const std::string welcome = "+OK\r\n:42\r\n+PONG\r\n";
};

inline bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << part << "\" is not in: " << text);
  return false;
}

} // namespace pulse::test
