#include "chaos/runner/proxy_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace pulse::chaos {

namespace {

constexpr size_t max_buffered = 256 * 1024;
constexpr size_t bytes_a_turn = 256;
constexpr int server_side = 1;

} // namespace

proxy_connection::~proxy_connection() {
  ::close(ends_[0]);
  ::close(ends_[1]);
}

bool proxy_connection::blocked(int from, const link_behaviour& how) const {
  return frozen_ || how.mode == link_mode::hole
         || (how.mode == link_mode::deaf && from == server_side);
}

short proxy_connection::events(int side, const link_behaviour& how) const {
  short result = 0;
  const auto& in = ways_[side];
  if (!in.ended && in.size < max_buffered && !blocked(side, how))
    result |= POLLIN;
  // Waits for room only if the kernel did not take all bytes before.
  const auto& out = ways_[1 - side];
  if (out.size >= max_buffered && how.mode == link_mode::pass)
    result |= POLLOUT;
  return result;
}

void proxy_connection::receive(int side, const link_behaviour& how,
                               int64_t now) {
  auto& x = ways_[side];
  if (x.ended || x.size >= max_buffered || blocked(side, how))
    return;
  std::array<char, 64 * 1024> buffer{};
  const auto n = ::recv(ends_[side], buffer.data(), buffer.size(), 0);
  if (n > 0) {
    const auto late = how.mode == link_mode::delay ? how.delay_us : 0;
    x.chunks.push_back(
      {now + late, {buffer.data(), static_cast<size_t>(n)}, 0});
    x.size += static_cast<size_t>(n);
  } else if (n == 0) {
    x.ended = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    broken_ = true;
  }
}

bool proxy_connection::forward(const link_behaviour& how, int64_t now) {
  return !broken_ && forward(0, how, now) && forward(1, how, now);
}

size_t proxy_connection::allowed(way& x, const link_behaviour& how,
                                 int64_t now) {
  if (how.mode == link_mode::bytewise)
    return bytes_a_turn;
  if (how.mode != link_mode::throttle)
    return SIZE_MAX;
  const auto rate = static_cast<double>(how.bytes_per_second);
  if (x.last > 0)
    x.allowance += rate * static_cast<double>(now - x.last) / 1e6;
  x.allowance = std::min(x.allowance, rate / 10);
  x.last = now;
  return static_cast<size_t>(x.allowance);
}

// Returns false if the connection has ended.
bool proxy_connection::forward(int from, const link_behaviour& how,
                               int64_t now) {
  auto& x = ways_[from];
  if (blocked(from, how))
    return true;
  auto budget = allowed(x, how, now);
  while (!x.chunks.empty() && x.chunks.front().due <= now && budget > 0) {
    auto& front = x.chunks.front();
    const auto left = front.bytes.size() - front.sent;
    const bool half = how.mode == link_mode::half_reply && from == server_side
                      && left > 1;
    auto size = std::min(budget, half ? left / 2 : left);
    if (how.mode == link_mode::bytewise)
      size = 1;
    const auto n = ::send(ends_[1 - from], front.bytes.data() + front.sent,
                          size, MSG_NOSIGNAL);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR;
    if (half) {
      cut();
      return false;
    }
    const auto sent = static_cast<size_t>(n);
    budget -= sent;
    x.size -= sent;
    if (how.mode == link_mode::throttle)
      x.allowance -= static_cast<double>(sent);
    front.sent += sent;
    if (front.sent == front.bytes.size())
      x.chunks.pop_front();
  }
  return !(x.ended && x.chunks.empty());
}

void proxy_connection::cut() {
  const linger now{1, 0};
  for (int fd : ends_)
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

} // namespace pulse::chaos
