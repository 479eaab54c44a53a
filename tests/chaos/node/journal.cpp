#include "chaos/node/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace pulse::chaos {

int64_t now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

journal::journal(const std::string& path)
  : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (fd_ < 0) {
    std::perror(path.c_str());
    std::_Exit(EXIT_FAILURE);
  }
}

journal::~journal() {
  ::close(fd_);
}

int64_t journal::write(std::string_view fact) {
  const auto now = now_us();
  auto line = std::to_string(now);
  line += ' ';
  line += fact;
  line += '\n';
  // The line is written by one call, so that threads do not mix their lines.
  if (::write(fd_, line.data(), line.size())
      != static_cast<ssize_t>(line.size()))
    std::_Exit(EXIT_FAILURE);
  return now;
}

} // namespace pulse::chaos
