#include "common/output/line_writer.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

namespace pulse::apps {

line_writer::line_writer(std::string name, unique_fd file, int fd)
  : name_(std::move(name)), file_(std::move(file)), fd_(fd) {
  // nop
}

outcome<std::shared_ptr<line_writer>>
line_writer::open(const std::string& path) {
  if (path.empty())
    return std::shared_ptr<line_writer>{
      new line_writer{"standard output", {}, STDOUT_FILENO}};
  unique_fd file{
    ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)};
  if (!file)
    return failure{errc::handler_failed,
                   "cannot open \"" + path
                     + "\" to append lines: " + strerror(errno)};
  const int fd = file.get();
  return std::shared_ptr<line_writer>{
    new line_writer{"\"" + path + "\"", std::move(file), fd}};
}

status line_writer::write(std::string_view line) {
  std::lock_guard<std::mutex> guard{mutex_};
  while (!line.empty()) {
    const auto n = ::write(fd_, line.data(), line.size());
    if (n >= 0) {
      line.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      // Whoever shares our output may have made it non-blocking.
      pollfd fds[] = {{fd_, POLLOUT, 0}};
      ::poll(fds, 1, -1);
    } else if (errno != EINTR) {
      return failure{errc::handler_failed,
                     "cannot write to " + name_ + ": " + strerror(errno)};
    }
  }
  return {};
}

} // namespace pulse::apps
