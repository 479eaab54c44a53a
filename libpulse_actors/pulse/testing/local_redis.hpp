#pragma once

#include "pulse/core/outcome.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace pulse {

/// How a private redis-server is started.
struct local_redis_options {
  /// appendonly yes (appendfsync everysec): survives restart() and crash().
  bool append_only = false;
  /// Listen on a free TCP port of 127.0.0.1, too. The Unix socket is always
  /// there.
  bool tcp = false;
  /// requirepass; empty: none.
  std::string password;
  /// More lines for redis.conf, e.g. "maxmemory 2mb".
  std::vector<std::string> config;
  /// How long to wait until it answers.
  std::chrono::milliseconds start_timeout{10'000};
};

/// A private redis-server on a Unix socket in a temporary directory of its
/// own, for tests, examples and demos. The server and the directory go with
/// this object, and also if its process is killed: a small shell process
/// waits for that. Not thread-safe.
class local_redis {
public:
  /// Starts the server and waits until it answers.
  /// Error: `errc::connect_failed` with the reason: redis-server is not
  /// installed, or the end of its log.
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

  /// SIGKILLs the server; the directory stays for restart().
  void crash();

  /// SIGTERMs the server and waits; the directory stays for restart().
  void stop();

  /// Starts the server again on the same directory and socket (and port),
  /// and waits until it answers. @pre it is down
  status restart();

private:
  struct impl;
  explicit local_redis(std::unique_ptr<impl> x) noexcept;
  std::unique_ptr<impl> impl_;
};

} // namespace pulse
