#pragma once

#include "pulse/core/outcome.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace pulse::internal {

/// The small shell process behind a local_redis: it starts and stops the
/// server on request, and when this object goes, or its process is killed in
/// whatever way, it kills the server and removes the directory.
class server_watcher {
public:
  server_watcher() = default;
  server_watcher(const server_watcher&) = delete;
  server_watcher& operator=(const server_watcher&) = delete;
  ~server_watcher();

  /// Starts the process; from now on it owns `directory`.
  /// @param server Path of the redis-server program.
  status spawn(const std::string& directory, const std::string& server);

  /// Starts the server on `redis.conf` of the directory; kills the one that
  /// runs, if any. @returns its process ID.
  outcome<pid_t> start_server();

  /// SIGTERMs the server; SIGKILLs it if it takes too long. Waits.
  void stop_server();

  /// SIGKILLs the server and waits.
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
  /// Refers to the server process whatever becomes of its number.
  int server_fd_ = -1;
  int channel_ = -1;
};

} // namespace pulse::internal
