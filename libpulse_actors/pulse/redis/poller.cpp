#include "pulse/redis/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace pulse::redis {

namespace {

// The eventfd has this number.
constexpr uint64_t waker_number = 0;

failure failed(const std::string& what) {
  return {errc::connect_failed,
          what + ": " + std::generic_category().message(errno)};
}

constexpr uint32_t always = EPOLLIN | EPOLLRDHUP | EPOLLET;

bool control(int epoll, int what, int fd, uint64_t number, uint32_t events) {
  epoll_event x{};
  x.events = events;
  x.data.u64 = number;
  return ::epoll_ctl(epoll, what, fd, &x) == 0;
}

uint32_t readiness_of(uint32_t events) {
  uint32_t result = 0;
  if ((events & EPOLLIN) != 0)
    result |= readiness::reads;
  if ((events & EPOLLOUT) != 0)
    result |= readiness::writes;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    result |= readiness::ended;
  return result;
}

} // namespace

outcome<std::unique_ptr<poller>> poller::make() {
  const auto epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0)
    return failed("cannot create an epoll instance");
  const auto waker = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (waker < 0) {
    auto why = failed("cannot create an eventfd");
    ::close(epoll);
    return why;
  }
  std::unique_ptr<poller> result{new poller(epoll, waker)};
  if (!control(epoll, EPOLL_CTL_ADD, waker, waker_number, EPOLLIN | EPOLLET))
    return failed("cannot watch an eventfd");
  return result;
}

poller::poller(int epoll, int waker) noexcept : epoll_(epoll), waker_(waker) {
  // nop
}

poller::~poller() {
  ::close(waker_);
  ::close(epoll_);
}

status poller::add(int fd, uint64_t number) {
  if (!control(epoll_, EPOLL_CTL_ADD, fd, number, always))
    return failed("cannot watch a socket");
  return {};
}

void poller::watch_writes(int fd, uint64_t number, bool watches) noexcept {
  const uint32_t what = watches ? always | EPOLLOUT : always;
  control(epoll_, EPOLL_CTL_MOD, fd, number, what);
}

void poller::remove(int fd) noexcept {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

const std::vector<poller::event>& poller::wait(bool sleeps) {
  std::array<epoll_event, 64> found;
  events_.clear();
  // A signal may interrupt the wait; then there are no events.
  const auto n = ::epoll_wait(epoll_, found.data(),
                              static_cast<int>(found.size()), sleeps ? -1 : 0);
  for (int i = 0; i < n; ++i) {
    const auto& x = found[static_cast<size_t>(i)];
    if (x.data.u64 != waker_number)
      events_.push_back({x.data.u64, readiness_of(x.events)});
  }
  return events_;
}

void poller::wake() noexcept {
  // Each write is a change, so nobody needs to read the counter. It cannot
  // become full: that would take 2^64 calls.
  const uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(waker_, &one, sizeof(one));
}

} // namespace pulse::redis
