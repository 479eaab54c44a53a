#pragma once

#include "pulse/core/outcome.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace pulse::internal {

/// The small shell process behind a local_redis. It starts and stops the server
/// on request. When this object is destroyed, or its process ends for any
/// reason, the shell kills the server and removes the directory.
class server_watcher {
public:
  server_watcher() = default;
  server_watcher(const server_watcher&) = delete;
  server_watcher& operator=(const server_watcher&) = delete;
  ~server_watcher();

  /// Starts the shell process, which then owns `directory`.
  /// @param server Path of the redis-server program.
  status spawn(const std::string& directory, const std::string& server);

  /// Starts the server with the `redis.conf` in the directory; kills the
  /// running server, if there is one. @returns the process ID of the new
  /// server.
  outcome<pid_t> start_server();

  /// Sends SIGTERM to the server, and SIGKILL if it takes too long to end.
  /// Waits for its end.
  void stop_server();

  /// Sends SIGKILL to the server and waits for its end.
  void kill_server();

  /// Process ID of the server; 0 if it was never started or was stopped.
  [[nodiscard]] pid_t server_pid() const noexcept {
    return server_;
  }

  /// @returns whether the server ended by itself.
  [[nodiscard]] bool server_died() const noexcept;

private:
  bool send_line(std::string_view line) const;
  /// @returns the server's process ID, 0 if none runs, -1 on time out.
  pid_t read_pid(int timeout_ms) const;

  pid_t shell_ = 0;
  pid_t server_ = 0;
  /// A pidfd: it refers to the server process even if its process ID is reused.
  int server_fd_ = -1;
  int channel_ = -1;
};

} // namespace pulse::internal
