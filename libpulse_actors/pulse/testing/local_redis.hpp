#pragma once

#include "pulse/core/outcome.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace pulse {

/// Options of a private redis-server.
struct local_redis_options {
  /// appendonly yes (appendfsync everysec), so that the data survives restart()
  /// and crash().
  bool append_only = false;
  /// Whether the server also listens on a free TCP port of 127.0.0.1. It always
  /// listens on a Unix socket.
  bool tcp = false;
  /// Password (requirepass); empty: none.
  std::string password;
  /// More lines for redis.conf, e.g. "maxmemory 2mb".
  std::vector<std::string> config;
  /// How long start() and restart() wait until the server answers.
  std::chrono::milliseconds start_timeout{10'000};
};

/// A private redis-server for tests, examples and demos, on a Unix socket in a
/// temporary directory of its own. The destructor ends the server and removes
/// the directory. If the process is killed, a small shell process does the
/// same. Not thread-safe.
class local_redis {
public:
  /// Starts the server and waits until it answers.
  /// Error: `errc::connect_failed`; the text says that redis-server is not
  /// installed, or has the end of its log.
  static outcome<local_redis> start(const local_redis_options& options = {});

  local_redis(local_redis&&) noexcept;
  local_redis& operator=(local_redis&&) noexcept;
  ~local_redis();

  /// unix:///tmp/…/redis.sock, with the password if there is one.
  [[nodiscard]] const std::string& url() const noexcept;

  /// redis://127.0.0.1:<port>, with the password. @pre `options.tcp`
  [[nodiscard]] std::string tcp_url() const;

  /// Path of the Unix socket, for redis-cli -s.
  [[nodiscard]] const std::string& socket_path() const noexcept;

  /// Process ID of the server, e.g. for SIGSTOP; 0 while it is down.
  [[nodiscard]] int pid() const noexcept;

  /// Kills the server by SIGKILL. The directory stays for restart().
  void crash();

  /// Stops the server by SIGTERM and waits for its end. The directory stays for
  /// restart().
  void stop();

  /// Starts the server again with the same directory and socket (and port), and
  /// waits until it answers.
  /// @pre the server is down
  status restart();

private:
  struct impl;
  explicit local_redis(std::unique_ptr<impl> x) noexcept;
  std::unique_ptr<impl> impl_;
};

} // namespace pulse
