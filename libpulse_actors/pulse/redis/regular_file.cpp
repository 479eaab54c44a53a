#include "pulse/redis/regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace pulse::redis {

namespace {

// Longer lines are no passwords.
constexpr size_t max_line = 64u << 10;

failure reason(int error_number) {
  return {errc::invalid_option, std::generic_category().message(error_number)};
}

failure not_regular() {
  return {errc::invalid_option,
          "it is no regular file, and to read from a pipe or a device could "
          "block all connections of this process"};
}

class open_file {
public:
  // Without O_NONBLOCK, open() waits until a pipe has a writer.
  explicit open_file(const std::string& path)
    : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) {
    // nop
  }

  ~open_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  [[nodiscard]] int get() const noexcept {
    return fd_;
  }

private:
  int fd_;
};

status check(const struct stat& x) {
  return S_ISREG(x.st_mode) ? status{} : status{not_regular()};
}

} // namespace

status require_regular_file(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0)
    return reason(errno);
  return check(facts);
}

outcome<std::string> first_line_of(const std::string& path) {
  const open_file file{path};
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0)
    return reason(errno);
  if (auto ok = check(facts); !ok)
    return ok.error();
  std::string result;
  std::array<char, 4096> buffer;
  while (result.size() < max_line) {
    const auto n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return reason(errno);
    if (n == 0)
      return result;
    result.append(buffer.data(), static_cast<size_t>(n));
    if (const auto end = result.find('\n'); end != std::string::npos)
      return result.substr(0, end);
  }
  return failure{errc::invalid_option, "its first line is too long"};
}

} // namespace pulse::redis
