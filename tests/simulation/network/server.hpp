#pragma once

#include "simulation/model/redis_model.hpp"
#include "simulation/network/command_reader.hpp"
#include "simulation/network/network.hpp"

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>

namespace pulse::simulation {

/// The model of Redis behind links: clients, their handshakes, and reads that
/// block.
class server {
public:
  server(network& net, const time_point& now, trace& log);

  /// Called after each command with what it did.
  std::function<void(const arguments&, const value& reply)> on_command;

  redis_model model;

  /// @returns when the first blocked read gives up.
  [[nodiscard]] std::optional<time_point> next_timeout() const;

  /// Answers the blocked reads whose time is over.
  void end_blocked_reads();

  /// Runs a command of somebody who is no node.
  void run_for_operator(const arguments& command);

  /// The process ends; what it stored is kept. Clients and scripts are not.
  void stop();
  void start();

private:
  struct client {
    link_id link = 0;
    std::string name;
    command_reader input;
    // The read that it is blocked in, and until when.
    std::optional<arguments> blocked;
    time_point blocked_until;
  };

  // The value of each ID is never given twice while the server runs.
  using client_id = int64_t;

  link_end accept(link_id link);
  void on_bytes(client_id who, const std::string& bytes);
  void forget(client_id who);
  void run_commands(client_id who);
  // Runs one command; nothing: the client is blocked.
  std::optional<value> run(client_id who, const arguments& command);
  value run_in_model(const arguments& command);
  value run_client_command(client_id who, const arguments& command);
  bool block(client& who, const arguments& command);
  // Answers reads that are blocked no more.
  void retry_blocked_reads();
  void answer(const client& to, const value& what);

  network& net_;
  const time_point& now_;
  trace& log_;
  time_point start_;
  int64_t start_ms_;
  std::map<client_id, client> clients_;
  // In the order in which they were blocked.
  std::list<client_id> blocked_;
  client_id last_id_ = 0;
};

} // namespace pulse::simulation
