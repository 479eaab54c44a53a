#pragma once

#include "pulse/core/backoff.hpp"
#include "pulse/core/options.hpp"
#include "pulse/redis/command_queue.hpp"
#include "pulse/redis/connection_actions.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/redis/session.hpp"

#include <optional>
#include <string>

namespace pulse::redis {

/// The configuration of a connection.
struct connection_config {
  /// Includes the password to use.
  endpoint to;
  redis_options options;
  /// The name for CLIENT SETNAME. It must be unique, see handshake.
  std::string client_name;
};

/// The logic of one connection, without a socket and without a clock: its owner
/// reports events, and performs the actions that it returns.
///
/// It connects when there is a command, and repeats failed attempts while
/// commands wait. The pauses between attempts grow. They become short again
/// only after a connection has lasted for `reconnect_last`; otherwise a server
/// that crashes at each command would be asked faster and faster. If another
/// attempt would not help (a wrong password, a peer that is no Redis server),
/// all commands fail at once until the next attempt. If a server says that it
/// is a replica, or that it requires a new login, the connection is closed
/// after all commands that were sent are answered, because the next connection
/// may lead to the master.
///
/// A command without a reply at its deadline fails alone, and its late reply is
/// dropped, so that a short deadline does not harm the other commands. The
/// connection is given up if a reply is missing for `command_timeout` (or for
/// the deadline, if that is longer), or if nobody else waits for a reply. While
/// the bytes of a reply arrive, none of that happens because of this reply; and
/// while the socket takes the bytes of a command, not because of this command.
class connection_fsm {
public:
  connection_fsm(connection_config config, random_engine random);

  /// Queues `commands`. Exactly one answer_action or fail_action with `token`
  /// follows.
  void submit(time_point now, uint64_t token, command_ptr commands,
              actions& out);

  /// Sets the password for the next logins.
  void set_password(std::string x) {
    config_.to.password = std::move(x);
  }

  /// The socket exists; its connect may still be under way.
  void on_connecting(time_point now, actions& out);
  void on_connect_failed(time_point now, const failure& why, actions& out);

  /// Bytes arrived on the socket.
  void on_data(time_point now, std::string_view bytes, actions& out);

  /// The socket took `bytes`; `unsent` bytes are still in the buffer of its
  /// owner.
  void on_written(time_point now, size_t bytes, size_t unsent, actions& out);

  /// The peer closed the connection, or the socket failed.
  void on_peer_closed(time_point now, actions& out);

  /// The socket cannot be used any more, for the reason `why`.
  void on_broken(time_point now, const failure& why, actions& out);

  /// Call this at next_tick(); a call at another time does no harm.
  void on_tick(time_point now, actions& out);

  /// Fails all commands with `closed`, also those that are submitted later.
  void close(actions& out);

  /// @returns when on_tick() has something to do; `time_point::max()`: never.
  [[nodiscard]] time_point next_tick() const noexcept;

  /// @returns whether the connection waits for replies to commands.
  [[nodiscard]] bool under_way() const noexcept {
    return queue_.num_sent() > 0;
  }

  [[nodiscard]] connection_info info() const;

private:
  enum class state : uint8_t {
    /// There is no socket, and no command waits.
    idle,
    /// The peer has not answered yet.
    connecting,
    handshaking,
    ready,
    /// The connection waits for the time of the next attempt.
    waiting,
    closed,
  };

  void connect(time_point now, actions& out);
  void get_ready(time_point now, actions& out);
  void send_waiting(time_point now, actions& out);
  void expire_waiting(time_point now, actions& out);
  void close_socket(actions& out);
  void drop(time_point now, const failure& why, actions& out);
  void fail_sent(time_point now, const failure& why, actions& out);
  static void fail(const queued_batch& x, failure why, actions& out);
  void schedule_next(time_point now, bool at_once, actions& out);
  bool take_reply(time_point now, std::string_view& bytes, actions& out);
  void leave_if_wrong(time_point now, actions& out);
  [[nodiscard]] milliseconds timeout_of(const command_batch& x) const;
  [[nodiscard]] failure too_late(const queued_batch& x) const;
  [[nodiscard]] failure no_reply(const queued_batch& x) const;
  [[nodiscard]] std::string why_none() const;
  [[nodiscard]] std::string no_answer() const;
  [[nodiscard]] std::string tls_hint() const;
  [[nodiscard]] bool is_accepted() const noexcept;
  [[nodiscard]] failure refusal() const;
  [[nodiscard]] bool has_socket() const noexcept;

  connection_config config_;
  std::string peer_;
  random_engine random_;
  reconnect_backoff backoff_;
  command_queue queue_;
  state state_ = state::idle;

  // Empty while there is no open socket.
  std::optional<session> session_;
  time_point attempt_deadline_;
  time_point ready_since_;
  time_point last_used_;

  // CLIENT ID of the last connection that became ready; 0: there was none.
  int64_t last_client_id_ = 0;

  // The time of the next attempt.
  time_point retry_at_;
  // The reason why there is no connection.
  failure last_failure_;
  connection_info counters_;
};

} // namespace pulse::redis
