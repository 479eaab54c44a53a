#include "pulse/redis/stream_socket.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace pulse::redis {

namespace {

// How many chunks one system call writes.
constexpr size_t max_parts = 64;

bool takes_no_more(int error_number) {
  return error_number == EAGAIN || error_number == EWOULDBLOCK;
}

} // namespace

void stream_socket::write(command_ptr x) {
  if (x->bytes.empty())
    return;
  unsent_ += x->bytes.size();
  chunks_.push_back({std::move(x), {}});
}

void stream_socket::write(std::string bytes) {
  if (bytes.empty())
    return;
  unsent_ += bytes.size();
  chunks_.push_back({nullptr, std::move(bytes)});
}

outcome<stream_socket::progress> stream_socket::flush() {
  progress result;
  while (unsent_ > 0) {
    std::array<iovec, max_parts> parts;
    size_t count = 0;
    size_t skipped = first_written_;
    for (auto i = chunks_.begin(); i != chunks_.end() && count < max_parts;
         ++i) {
      const auto bytes = i->bytes().substr(std::exchange(skipped, 0));
      // The type of iovec has no const, and sendmsg() only reads.
      parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
    }
    msghdr what{};
    what.msg_iov = parts.data();
    what.msg_iovlen = count;
    const auto n = ::sendmsg(fd_, &what, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && takes_no_more(errno))
      break;
    if (n < 0)
      return failure{errc::connection_lost,
                     std::generic_category().message(errno)};
    drop_written(static_cast<size_t>(n));
    result.written += static_cast<size_t>(n);
  }
  result.unsent = unsent_;
  return result;
}

void stream_socket::drop_written(size_t n) {
  unsent_ -= n;
  first_written_ += n;
  while (!chunks_.empty() && first_written_ >= chunks_.front().bytes().size()) {
    first_written_ -= chunks_.front().bytes().size();
    chunks_.pop_front();
  }
}

stream_socket::received stream_socket::read(char* buffer,
                                            size_t size) noexcept {
  for (;;) {
    const auto n = ::recv(fd_, buffer, size, 0);
    if (n > 0)
      return {{buffer, static_cast<size_t>(n)}, false};
    if (n == 0)
      return {{}, true};
    if (errno != EINTR)
      return {{}, !takes_no_more(errno)};
  }
}

void stream_socket::abandon() noexcept {
  if (fd_ < 0)
    return;
  const linger discard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard));
  ::close(std::exchange(fd_, -1));
  chunks_.clear();
  first_written_ = 0;
  unsent_ = 0;
}

} // namespace pulse::redis
