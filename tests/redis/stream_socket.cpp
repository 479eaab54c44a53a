#define CAF_SUITE redis.stream_socket

#include "pulse/redis/stream_socket.hpp"

#include "pulse/redis/poller.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using redis::poller;
using redis::readiness;
using redis::stream_socket;

namespace {

// A socket, and the other end of its connection.
struct fixture {
  fixture() {
    std::array<int, 2> both{};
    CAF_REQUIRE_EQUAL(
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both.data()), 0);
    uut.open(both[0]);
    peer = both[1];
  }

  ~fixture() {
    hang_up();
  }

  void hang_up() {
    if (peer >= 0)
      ::close(std::exchange(peer, -1));
  }

  void say(const std::string& text) const {
    CAF_REQUIRE_EQUAL(::write(peer, text.data(), text.size()),
                      static_cast<ssize_t>(text.size()));
  }

  // Reads all that has arrived at the peer.
  std::string heard() {
    std::string result;
    std::array<char, 4096> part{};
    for (ssize_t n = 0; (n = ::read(peer, part.data(), part.size())) > 0;)
      result.append(part.data(), static_cast<size_t>(n));
    return result;
  }

  static command_ptr commands(std::string bytes) {
    auto result = std::make_shared<command_batch>();
    result->bytes = std::move(bytes);
    result->count = 1;
    return result;
  }

  // Writes until the socket takes no more. @returns all bytes.
  std::string fill() {
    std::string all;
    while (!uut.has_unsent()) {
      const std::string more(100'000, static_cast<char>('a' + all.size() % 26));
      uut.write(more);
      all += more;
      CAF_REQUIRE(uut.flush().ok());
    }
    return all;
  }

  // @returns what happened to the sockets, as text.
  static std::string look(poller& at) {
    std::string result;
    for (const auto& x : at.wait(false)) {
      result += std::to_string(x.number) + ":";
      if ((x.what & readiness::reads) != 0)
        result += 'r';
      if ((x.what & readiness::writes) != 0)
        result += 'w';
      if ((x.what & readiness::ended) != 0)
        result += 'e';
      result += ' ';
    }
    return result;
  }

  static std::unique_ptr<poller> make_poller() {
    auto result = poller::make();
    CAF_REQUIRE(result.ok());
    return std::move(*result);
  }

  stream_socket uut;
  int peer = -1;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_socket_tests, fixture)

// -- writing ------------------------------------------------------------------

CAF_TEST(everything is sent in order and with one call) {
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const auto text = std::to_string(i) + ' ';
    if (i % 3 == 0)
      uut.write(text);
    else
      uut.write(commands(text));
    all += text;
  }
  uut.write(std::string{});
  uut.write(commands({}));
  CAF_CHECK(uut.has_unsent());
  const auto done = uut.flush();
  CAF_REQUIRE(done.ok());
  CAF_CHECK_EQUAL(done->written, all.size());
  CAF_CHECK_EQUAL(done->unsent, 0u);
  CAF_CHECK(!uut.has_unsent());
  CAF_CHECK_EQUAL(heard(), all);
}

CAF_TEST(commands are kept and not copied until they are sent) {
  const auto x = commands("abc");
  uut.write(x);
  CAF_CHECK_EQUAL(x.use_count(), 2);
  CAF_CHECK(uut.flush().ok());
  CAF_CHECK_EQUAL(x.use_count(), 1);
}

CAF_TEST(what the socket does not take waits) {
  auto all = fill();
  std::string arrived;
  while (uut.has_unsent()) {
    uut.write("+");
    all += '+';
    arrived += heard();
    const auto done = uut.flush();
    CAF_REQUIRE(done.ok());
    CAF_CHECK(done->written > 0);
    CAF_CHECK_EQUAL(done->unsent > 0, uut.has_unsent());
  }
  arrived += heard();
  CAF_CHECK(arrived == all);
}

CAF_TEST(a write after the end of the peer is an error) {
  hang_up();
  uut.write("abc");
  const auto done = uut.flush();
  CAF_REQUIRE(!done.ok());
  CAF_CHECK_EQUAL(done.error().code, errc::connection_lost);
}

CAF_TEST(an abandoned socket forgets what it has not sent) {
  fill();
  uut.abandon();
  CAF_CHECK(!uut.is_open());
  CAF_CHECK(!uut.has_unsent());
  heard();
  char x = 0;
  CAF_CHECK_EQUAL(::read(peer, &x, 1), 0);
  uut.abandon();
}

// -- reading ------------------------------------------------------------------

CAF_TEST(a read gives bytes or nothing or the end) {
  std::array<char, 4> buffer{};
  auto read = [&] { return uut.read(buffer.data(), buffer.size()); };
  CAF_CHECK(read().bytes.empty());
  CAF_CHECK(!read().ended);
  say("abcdef");
  CAF_CHECK_EQUAL(read().bytes, "abcd");
  hang_up();
  const auto last = read();
  CAF_CHECK_EQUAL(last.bytes, "ef");
  CAF_CHECK(!last.ended);
  CAF_CHECK(read().ended);
}

// -- waiting ------------------------------------------------------------------

CAF_TEST(a change is reported once) {
  const auto at = make_poller();
  CAF_REQUIRE(at->add(uut.fd(), 7).ok());
  CAF_CHECK_EQUAL(look(*at), "");
  say("a");
  CAF_CHECK_EQUAL(look(*at), "7:r ");
  CAF_CHECK_EQUAL(look(*at), "");
  say("b");
  CAF_CHECK_EQUAL(look(*at), "7:r ");
  hang_up();
  CAF_CHECK_EQUAL(look(*at), "7:re ");
}

CAF_TEST(bytes that were there before are reported) {
  say("a");
  const auto at = make_poller();
  CAF_REQUIRE(at->add(uut.fd(), 7).ok());
  CAF_CHECK_EQUAL(look(*at), "7:r ");
}

CAF_TEST(only who waits for room hears of it) {
  const auto at = make_poller();
  CAF_REQUIRE(at->add(uut.fd(), 7).ok());
  fill();
  heard();
  CAF_CHECK_EQUAL(look(*at), "");
  at->watch_writes(uut.fd(), 7, true);
  CAF_CHECK_EQUAL(look(*at), "7:w ");
  while (uut.has_unsent()) {
    CAF_REQUIRE(uut.flush().ok());
    heard();
  }
  at->watch_writes(uut.fd(), 7, false);
  look(*at);
  uut.write("a");
  CAF_REQUIRE(uut.flush().ok());
  heard();
  CAF_CHECK_EQUAL(look(*at), "");
}

CAF_TEST(a removed socket is not reported) {
  const auto at = make_poller();
  CAF_REQUIRE(at->add(uut.fd(), 7).ok());
  at->remove(uut.fd());
  say("a");
  CAF_CHECK_EQUAL(look(*at), "");
}

CAF_TEST(a file that cannot be watched is an error) {
  const auto at = make_poller();
  const auto file = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  const auto added = at->add(file, 7);
  ::close(file);
  CAF_REQUIRE(!added.ok());
  CAF_CHECK_EQUAL(added.error().code, errc::connect_failed);
}

CAF_TEST(another thread ends a wait) {
  const auto at = make_poller();
  // A call before the wait counts.
  at->wake();
  CAF_CHECK(at->wait(true).empty());
  std::thread other{[&] { at->wake(); }};
  CAF_CHECK(at->wait(true).empty());
  other.join();
  std::thread peer_thread{[&] { say("a"); }};
  CAF_REQUIRE(at->add(uut.fd(), 7).ok());
  CAF_CHECK_EQUAL(at->wait(true).size(), 1u);
  peer_thread.join();
}

CAF_TEST_FIXTURE_SCOPE_END()
