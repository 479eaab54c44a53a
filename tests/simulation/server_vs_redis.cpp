#define CAF_SUITE simulation.server_vs_redis

#include "pulse/testing/local_redis.hpp"

#include "simulation/model/redis_model.hpp"
#include "simulation/network/server.hpp"
#include "support/raw_client.hpp"

using namespace pulse;
using namespace pulse::simulation;
using namespace std::chrono_literals;

// What clients of the simulated server get is compared with what a real one
// says: reads that block, and the commands on clients.

namespace {

// A client of the real server, which may wait for a reply.
class real_client {
public:
  explicit real_client(const local_redis& server)
    : context_(redisConnectUnix(server.socket_path().c_str()), redisFree) {
    CAF_REQUIRE(context_ && context_->err == 0);
  }

  void send(const arguments& command) {
    std::vector<const char*> data;
    std::vector<size_t> sizes;
    for (const auto& x : command) {
      data.push_back(x.data());
      sizes.push_back(x.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(data.size()),
                           data.data(), sizes.data());
    int done = 0;
    while (done == 0)
      CAF_REQUIRE_EQUAL(redisBufferWrite(context_.get(), &done), REDIS_OK);
  }

  // Waits for a reply; "closed" if the server closed the connection.
  std::string receive() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK)
      return "closed";
    const std::unique_ptr<redisReply, void (*)(void*)> guard{
      static_cast<redisReply*>(reply), freeReplyObject};
    return text_of(*guard);
  }

private:
  static std::string text_of(const redisReply& x) {
    switch (x.type) {
      case REDIS_REPLY_INTEGER:
        return std::to_string(x.integer);
      case REDIS_REPLY_NIL:
        return "nil";
      case REDIS_REPLY_ARRAY: {
        std::string result;
        for (size_t i = 0; i < x.elements; ++i)
          result += (i > 0 ? " " : "") + text_of(*x.element[i]);
        return "[" + result + "]";
      }
      default:
        return {x.str, x.len};
    }
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

// A client of the simulated server, with replies in the same form.
class simulated_client {
public:
  simulated_client(network& net, time_point& now) : net_(net), now_(now) {
    link_ = net.connect(1, {[this](const std::string& x) { text_ += x; },
                            [this] { is_closed_ = true; }});
  }

  void send(const arguments& command) {
    std::string bytes = "*" + std::to_string(command.size()) + "\r\n";
    for (const auto& x : command)
      bytes += "$" + std::to_string(x.size()) + "\r\n" + x + "\r\n";
    net_.send(link_, side::client, bytes);
    deliver_all();
  }

  std::string receive() {
    deliver_all();
    if (text_.empty() && is_closed_)
      return "closed";
    size_t at = 0;
    auto result = read(at);
    text_.erase(0, at);
    return result;
  }

private:
  void deliver_all() {
    while (const auto next = net_.next_due()) {
      now_ = std::max(now_, *next);
      for (const auto& x : net_.due())
        net_.deliver(x);
    }
  }

  std::string read(size_t& at) {
    CAF_REQUIRE(at < text_.size());
    const auto end = text_.find("\r\n", at);
    const auto kind = text_[at];
    const auto line = text_.substr(at + 1, end - at - 1);
    at = end + 2;
    if ((kind == '$' || kind == '*') && line == "-1")
      return "nil";
    if (kind == '$') {
      const auto size = std::stoul(line);
      at += size + 2;
      return text_.substr(at - size - 2, size);
    }
    if (kind != '*')
      return line;
    std::string result;
    for (size_t i = 0; i < std::stoul(line); ++i)
      result += (i > 0 ? " " : "") + read(at);
    return "[" + result + "]";
  }

  network& net_;
  time_point& now_;
  link_id link_ = 0;
  std::string text_;
  bool is_closed_ = false;
};

local_redis start_redis() {
  auto result = local_redis::start({});
  if (!result)
    CAF_FAIL("cannot start redis-server: " << to_string(result.error()));
  return std::move(*result);
}

// The same clients on both sides; what one of them is told must be the same.
struct fixture {
  fixture() {
    alice({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"});
  }

  // Both sides run the command and answer at once.
  std::string run(size_t who, const arguments& command) {
    real[who].send(command);
    ours[who].send(command);
    return receive(who);
  }

  std::string alice(const arguments& command) {
    return run(0, command);
  }

  std::string receive(size_t who) {
    const auto expected = real[who].receive();
    const auto result = ours[who].receive();
    CAF_CHECK_EQUAL(result, expected);
    return expected;
  }

  // Both sides begin to wait, on the real server for sure.
  void block(size_t who, const arguments& command) {
    ++blocked;
    real[who].send(command);
    ours[who].send(command);
    const auto wanted = "blocked_clients:" + std::to_string(blocked);
    CAF_REQUIRE(test::eventually([&] {
      return raw({"INFO", "clients"}).find(wanted) != std::string::npos;
    }));
  }

  void block_in_group(size_t who) {
    block(who, {"XREADGROUP", "GROUP", "g", "c" + std::to_string(who), "BLOCK",
                "0", "STREAMS", "s", ">"});
  }

  // The client's ID, which differs between the two sides.
  std::string id_of_real(size_t who) {
    real[who].send({"CLIENT", "ID"});
    return real[who].receive();
  }

  std::string id_of_ours(size_t who) {
    ours[who].send({"CLIENT", "ID"});
    return ours[who].receive();
  }

  // A command about a client.
  std::string about(arguments command, const std::string& real_id,
                    const std::string& our_id) {
    command.push_back(real_id);
    real[0].send(command);
    command.back() = our_id;
    ours[0].send(command);
    return receive(0);
  }

  local_redis redis = start_redis();
  test::raw_client raw{redis};
  real_client real[3] = {real_client{redis}, real_client{redis},
                         real_client{redis}};

  time_point now{1h};
  dice random{1};
  trace log{now};
  network net{random, now, log};
  server uut{net, now, log};
  simulated_client ours[3] = {{net, now}, {net, now}, {net, now}};
  int blocked = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(server_vs_redis_tests, fixture)

CAF_TEST(an add answers a blocked read) {
  block_in_group(1);
  CAF_CHECK_EQUAL(alice({"XADD", "s", "1-0", "n", "x"}), "1-0");
  CAF_CHECK_EQUAL(receive(1), "[[s [[1-0 [n x]]]]]");
  CAF_CHECK_EQUAL(alice({"XPENDING", "s", "g"}), "[1 1-0 1-0 [[c1 1]]]");
}

CAF_TEST(who was blocked first is answered first) {
  block_in_group(2);
  block_in_group(1);
  alice({"XADD", "s", "1-0", "n", "x"});
  CAF_CHECK_EQUAL(receive(2), "[[s [[1-0 [n x]]]]]");
  alice({"XADD", "s", "2-0", "n", "y"});
  CAF_CHECK_EQUAL(receive(1), "[[s [[2-0 [n y]]]]]");
}

CAF_TEST(all readers without a group are answered) {
  for (size_t who : {1u, 2u})
    block(who, {"XREAD", "BLOCK", "0", "STREAMS", "s", "0"});
  alice({"XADD", "s", "1-0", "n", "x"});
  CAF_CHECK_EQUAL(receive(1), "[[s [[1-0 [n x]]]]]");
  CAF_CHECK_EQUAL(receive(2), "[[s [[1-0 [n x]]]]]");
}

CAF_TEST(a script answers a blocked read) {
  const auto sha = alice(
    {"SCRIPT", "LOAD", "return redis.call('XADD', KEYS[1], '3-0', 'n', 'z')"});
  block_in_group(1);
  CAF_CHECK_EQUAL(alice({"EVALSHA", sha, "1", "s"}), "3-0");
  CAF_CHECK_EQUAL(receive(1), "[[s [[3-0 [n z]]]]]");
}

CAF_TEST(a group that is destroyed ends the reads that wait for it) {
  block_in_group(1);
  CAF_CHECK_EQUAL(alice({"XGROUP", "DESTROY", "s", "g"}), "1");
  real[1].send({"PING"});
  ours[1].send({"PING"});
  CAF_CHECK_EQUAL(real[1].receive().substr(0, 8), "NOGROUP ");
  CAF_CHECK_EQUAL(ours[1].receive().substr(0, 8), "NOGROUP ");
  CAF_CHECK_EQUAL(receive(1), "PONG");
}

CAF_TEST(what a blocked client sends waits) {
  block_in_group(1);
  real[1].send({"XLEN", "s"});
  ours[1].send({"XLEN", "s"});
  alice({"XADD", "s", "1-0", "n", "x"});
  CAF_CHECK_EQUAL(receive(1), "[[s [[1-0 [n x]]]]]");
  CAF_CHECK_EQUAL(receive(1), "1");
}

CAF_TEST(a read may end without anything) {
  real[1].send(
    {"XREADGROUP", "GROUP", "g", "c", "BLOCK", "10", "STREAMS", "s", ">"});
  ours[1].send(
    {"XREADGROUP", "GROUP", "g", "c", "BLOCK", "10", "STREAMS", "s", ">"});
  CAF_REQUIRE(uut.next_timeout());
  now = *uut.next_timeout();
  uut.end_blocked_reads();
  CAF_CHECK_EQUAL(receive(1), "nil");
}

CAF_TEST(a blocked read can be ended by another client) {
  const auto real_id = id_of_real(1);
  const auto our_id = id_of_ours(1);
  CAF_CHECK_EQUAL(about({"CLIENT", "UNBLOCK"}, real_id, our_id), "0");
  block_in_group(1);
  CAF_CHECK_EQUAL(about({"CLIENT", "UNBLOCK"}, real_id, our_id), "1");
  CAF_CHECK_EQUAL(receive(1), "nil");
}

CAF_TEST(a client can be closed by another one and gets nothing more) {
  const auto real_id = id_of_real(1);
  const auto our_id = id_of_ours(1);
  block_in_group(1);
  CAF_CHECK_EQUAL(about({"CLIENT", "KILL", "ID"}, real_id, our_id), "1");
  CAF_CHECK_EQUAL(receive(1), "closed");
  CAF_CHECK_EQUAL(about({"CLIENT", "KILL", "ID"}, real_id, our_id), "0");
  CAF_CHECK_EQUAL(about({"CLIENT", "LIST", "ID"}, real_id, our_id), "");
  alice({"XADD", "s", "1-0", "n", "x"});
  CAF_CHECK_EQUAL(alice({"XPENDING", "s", "g"}), "[0 nil nil nil]");
}

CAF_TEST(the list of clients has the name that one gave itself) {
  run(1, {"CLIENT", "SETNAME", "bob"});
  const auto has_name = [](const std::string& list) {
    return list.find(" name=bob ") != std::string::npos;
  };
  real[0].send({"CLIENT", "LIST", "ID", id_of_real(1)});
  ours[0].send({"CLIENT", "LIST", "ID", id_of_ours(1)});
  CAF_CHECK(has_name(real[0].receive()));
  CAF_CHECK(has_name(ours[0].receive()));
}

CAF_TEST_FIXTURE_SCOPE_END()
