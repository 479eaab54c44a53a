#include "pulse/testing/local_redis.hpp"

#include "pulse/testing/server_watcher.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

namespace pulse {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

failure start_failure(const std::string& why) {
  return {errc::connect_failed, "cannot start a private redis-server: " + why};
}

std::string last_error() {
  return std::generic_category().message(errno);
}

// @returns the path of the program, empty if it is not installed.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::string folders = path != nullptr ? path : "/usr/bin:/bin";
  for (size_t pos = 0; pos < folders.size();) {
    const auto end = std::min(folders.find(':', pos), folders.size());
    auto candidate = folders.substr(pos, end - pos) + "/" + name;
    if (end > pos && access(candidate.c_str(), X_OK) == 0)
      return candidate;
    pos = end + 1;
  }
  return {};
}

// The path of a Unix socket has at most 107 bytes, so a long TMPDIR cannot be
// used.
outcome<std::string> make_directory() {
  constexpr size_t max_parent = 64;
  const char* parent = std::getenv("TMPDIR");
  if (parent == nullptr || *parent != '/' || std::strlen(parent) > max_parent)
    parent = "/tmp";
  auto result = std::string{parent} + "/pulse-redis-XXXXXX";
  if (mkdtemp(result.data()) == nullptr)
    return start_failure("mkdtemp " + result + ": " + last_error());
  return result;
}

// @returns the text, quoted for redis.conf and inline commands.
std::string quoted(const std::string& text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result = "\"";
  for (auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return result + '"';
}

std::string percent_encoded(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  static constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-._~";
  std::string result;
  for (auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain.find(c) != std::string_view::npos)
      result += c;
    else
      result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

// The kernel chooses a free port. Another process may take it before Redis
// does; the start is repeated then.
uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool ok = bind(fd, any, size) == 0 && getsockname(fd, any, &size) == 0;
  close(fd);
  return ok ? ntohs(address.sin_port) : uint16_t{0};
}

// Makes one attempt to talk to the server, which takes at most `timeout`.
class probe {
public:
  explicit probe(milliseconds timeout)
    : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      deadline_(clock::now() + timeout) {
    // nop
  }

  probe(const probe&) = delete;
  probe& operator=(const probe&) = delete;

  ~probe() {
    close(fd_);
  }

  // A server that still loads its data replies LOADING, but only to clients
  // that are authenticated.
  bool answers(const std::string& path, const std::string& password) {
    std::string commands = "PING\r\n";
    if (!password.empty())
      commands.insert(0, "AUTH " + quoted(password) + "\r\n");
    const auto lines = std::count(commands.begin(), commands.end(), '\n');
    if (!dial(path)
        || send(fd_, commands.data(), commands.size(), MSG_NOSIGNAL)
             != static_cast<ssize_t>(commands.size()))
      return false;
    std::string replies;
    while (std::count(replies.begin(), replies.end(), '\n') < lines)
      if (!receive(replies))
        return false;
    return replies.find("-LOADING") == std::string::npos;
  }

private:
  bool dial(const std::string& path) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address))
           == 0;
  }

  bool receive(std::string& out) const {
    using std::chrono::duration_cast;
    const auto left = duration_cast<milliseconds>(deadline_ - clock::now());
    pollfd entry{fd_, POLLIN, 0};
    if (left.count() <= 0
        || poll(&entry, 1, static_cast<int>(left.count())) != 1)
      return false;
    std::array<char, 512> buf{};
    const auto n = recv(fd_, buf.data(), buf.size(), 0);
    if (n > 0)
      out.append(buf.data(), static_cast<size_t>(n));
    return n > 0;
  }

  int fd_;
  clock::time_point deadline_;
};

} // namespace

struct local_redis::impl {
  local_redis_options options;
  std::string directory;
  std::string socket_path;
  std::string url;
  uint16_t port = 0;
  internal::server_watcher watcher;

  status open() {
    const auto program = find_program("redis-server");
    if (program.empty())
      return failure{errc::connect_failed, "redis-server is not installed: "
                                           "apt-get install redis-server"};
    auto made = make_directory();
    if (!made)
      return made.error();
    directory = *made;
    socket_path = directory + "/redis.sock";
    url = "unix://" + user_info() + socket_path;
    auto spawned = watcher.spawn(directory, program);
    if (!spawned)
      rmdir(directory.c_str());
    return spawned;
  }

  // Another process may take the free port before the server does.
  status first_start() {
    status result;
    for (int attempt = 0; attempt < 3; ++attempt) {
      port = options.tcp ? free_port() : uint16_t{0};
      result = write_config();
      if (result)
        result = start();
      if (result || !options.tcp || !watcher.server_died())
        break;
    }
    return result;
  }

  status start() {
    const auto deadline = clock::now() + options.start_timeout;
    auto pid = watcher.start_server();
    if (!pid)
      return pid.error();
    while (!probe{milliseconds{1'000}}.answers(socket_path, options.password)) {
      if (watcher.server_died())
        return start_failure("it ended at once:\n" + log_tail());
      if (clock::now() >= deadline)
        return start_failure("it did not answer within "
                             + std::to_string(options.start_timeout.count())
                             + " ms:\n" + log_tail());
      std::this_thread::sleep_for(milliseconds{5});
    }
    return {};
  }

  status write_config() const {
    const auto path = directory + "/redis.conf";
    std::ofstream out{path};
    out << "bind 127.0.0.1\nport " << port << "\ndaemonize no\nsave \"\""
        << "\nunixsocket " << quoted(socket_path) << "\nunixsocketperm 700"
        << "\ndir " << quoted(directory) << "\nlogfile " << quoted(log_path())
        << "\nappendonly " << (options.append_only ? "yes" : "no")
        << "\nappendfsync everysec\n";
    if (!options.password.empty())
      out << "requirepass " << quoted(options.password) << '\n';
    for (auto& line : options.config)
      out << line << '\n';
    out.close();
    if (!out)
      return start_failure("cannot write " + path + ": " + last_error());
    return {};
  }

  [[nodiscard]] std::string log_path() const {
    return directory + "/redis.log";
  }

  [[nodiscard]] std::string log_tail() const {
    constexpr size_t max_size = 1'000;
    std::ifstream in{log_path()};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    return text.size() > max_size ? text.substr(text.size() - max_size) : text;
  }

  [[nodiscard]] std::string user_info() const {
    return options.password.empty()
             ? std::string{}
             : ":" + percent_encoded(options.password) + "@";
  }
};

outcome<local_redis> local_redis::start(const local_redis_options& options) {
  auto x = std::make_unique<impl>();
  x->options = options;
  auto result = x->open();
  if (result)
    result = x->first_start();
  if (!result)
    return result.error();
  return local_redis{std::move(x)};
}

local_redis::local_redis(std::unique_ptr<impl> x) noexcept
  : impl_(std::move(x)) {
  // nop
}

local_redis::local_redis(local_redis&&) noexcept = default;

local_redis& local_redis::operator=(local_redis&&) noexcept = default;

local_redis::~local_redis() = default;

const std::string& local_redis::url() const noexcept {
  return impl_->url;
}

std::string local_redis::tcp_url() const {
  assert(impl_->options.tcp);
  return "redis://" + impl_->user_info()
         + "127.0.0.1:" + std::to_string(impl_->port);
}

const std::string& local_redis::socket_path() const noexcept {
  return impl_->socket_path;
}

int local_redis::pid() const noexcept {
  return impl_->watcher.server_pid();
}

void local_redis::crash() {
  impl_->watcher.kill_server();
}

void local_redis::stop() {
  impl_->watcher.stop_server();
}

status local_redis::restart() {
  return impl_->start();
}

} // namespace pulse
