#pragma once

#include "chaos/runner/proxy_connection.hpp"

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace pulse::chaos {

/// The connections of a link.
struct link_counts {
  /// Number of connections that clients opened, including refused ones.
  uint64_t accepted = 0;
  /// Number of open connections now, and the highest number so far.
  uint64_t open = 0;
  uint64_t most_open = 0;
};

/// Forwards bytes between clients (TCP on 127.0.0.1, one port for each link)
/// and Redis (its Unix socket), and causes the faults of each link.
/// Thread-safe.
class proxy {
public:
  /// @param socket_path The socket of Redis, which need not exist yet.
  /// @param links The number of links.
  proxy(std::string socket_path, size_t links);
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;
  ~proxy();

  /// @returns the URL of a link: "redis://127.0.0.1:<port>".
  [[nodiscard]] std::string url(size_t link) const;

  void set(size_t link, link_behaviour how);

  /// Resets all connections of a link. New connections work.
  void cut(size_t link);

  /// Freezes the current connections of a link, or lets them go on. Connections
  /// that are opened later are not frozen.
  void freeze(size_t link, bool on);

  [[nodiscard]] link_counts counts(size_t link) const;

private:
  struct link_state {
    int listener = -1;
    uint16_t port = 0;
    link_behaviour how;
    bool cut = false;
    std::optional<bool> freeze;
    link_counts counts;
  };

  void run();
  int poll_all();
  void accept_all();
  void welcome(size_t link, int client);
  void serve();

  std::string socket_path_;
  mutable std::mutex mutex_;
  std::vector<link_state> links_;
  bool stopped_ = false;
  int wake_ = -1;
  // Only the thread uses this list.
  std::list<proxy_connection> connections_;
  std::thread thread_;
};

} // namespace pulse::chaos
