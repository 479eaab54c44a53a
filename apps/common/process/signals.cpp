#include "common/process/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <csignal>
#include <cstdint>
#include <thread>

namespace pulse::apps {

stop_flag::stop_flag() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // nop
}

void stop_flag::raise() noexcept {
  const uint64_t one = 1;
  // Nobody reads it, so it cannot fail: the counter is far from its end.
  [[maybe_unused]] auto written = ::write(fd_.get(), &one, sizeof(one));
}

stop_signals::stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  fd_ = unique_fd{signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
}

int stop_signals::wait(const stop_flag* until,
                       std::chrono::milliseconds timeout) {
  pollfd fds[] = {{fd_.get(), POLLIN, 0},
                  {until != nullptr ? until->fd() : -1, POLLIN, 0}};
  ::poll(fds, 2, static_cast<int>(timeout.count()));
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof(info)) != sizeof(info))
    return 0;
  return static_cast<int>(info.ssi_signo);
}

void stop_signals::exit_on_next(std::function<void()> last_act) {
  // A descriptor of its own: this object may end before the thread does.
  std::thread{[fd = dup(fd_.get()), last_act = std::move(last_act)] {
    pollfd fds[] = {{fd, POLLIN, 0}};
    while (::poll(fds, 1, -1) != 1)
      ; // interrupted: wait again
    signalfd_siginfo info{};
    if (::read(fd, &info, sizeof(info)) != sizeof(info))
      return;
    last_act();
    _exit(128 + static_cast<int>(info.ssi_signo));
  }}.detach();
}

} // namespace pulse::apps
