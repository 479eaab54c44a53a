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

/// What went through a link.
struct link_counts {
  /// Connections that clients opened, refused ones included.
  uint64_t accepted = 0;
  /// Those that are open, and the most that were at a time.
  uint64_t open = 0;
  uint64_t most_open = 0;
};

/// Stands between clients (TCP on 127.0.0.1, one port per link) and Redis (its
/// Unix socket), and does to each link what it is told. Thread-safe.
class proxy {
public:
  /// @param socket_path Of Redis; it need not be there.
  /// @param links How many.
  proxy(std::string socket_path, size_t links);
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;
  ~proxy();

  /// "redis://127.0.0.1:<port>"
  [[nodiscard]] std::string url(size_t link) const;

  void set(size_t link, link_behaviour how);

  /// Resets all connections of a link; new ones are welcome.
  void cut(size_t link);

  /// Freezes the connections that a link has now, not those it gets later; or
  /// thaws them.
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
  // Of the thread alone.
  std::list<proxy_connection> connections_;
  std::thread thread_;
};

} // namespace pulse::chaos
