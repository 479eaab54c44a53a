#pragma once

#include "pulse/core/backoff.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/options.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/redis/command_queue.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/redis/handshake.hpp"
#include "pulse/resp/decoder.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulse::redis {

// -- what the owner of the socket has to do, in order -------------------------

/// Open a socket, then tell by on_dialled() or on_dial_failed().
struct dial_action {};

/// Write the commands to the socket.
struct send_action {
  command_ptr commands;
};

/// Write these bytes: a handshake (holds the password) or a script.
struct send_text_action {
  std::string bytes;
};

/// Close the socket, or give up to open one; forget what it may still say.
struct hang_up_action {
  /// Look up the address anew: it led to a server that is not the right one.
  bool elsewhere = false;
};

/// The replies to a batch are complete.
struct answer_action {
  uint64_t token = 0;
  reply_ptr answer;
};

/// A batch failed.
struct fail_action {
  uint64_t token = 0;
  failure why;
};

/// A line for the log.
struct log_action {
  log_level level = log_level::info;
  std::string line;
};

using action
  = std::variant<dial_action, send_action, send_text_action, hang_up_action,
                 answer_action, fail_action, log_action>;
using actions = std::vector<action>;

/// What a connection needs to know.
struct connection_config {
  /// With the password to use.
  endpoint to;
  redis_options options;
  /// For CLIENT SETNAME. Unique, see handshake.
  std::string client_name;
};

/// What happens on one connection, without the connection: events go in,
/// actions come out. Neither reads a clock nor touches a socket.
///
/// It dials when a command comes, and again (backoff) while commands wait. The
/// backoff starts over only after a connection held for `reconnect_last`, so a
/// server that dies of each command is not asked faster and faster. What no
/// retry will cure (a wrong password, a peer that is no Redis) fails all that
/// waits at once, and all that comes until the next attempt. A server that says
/// it is a replica, or that it does not know us any more, is left when all that
/// was sent is answered: the next connection may lead to the master.
class connection_fsm {
public:
  connection_fsm(connection_config config, random_engine random);

  /// Queues `commands` and answers or fails `token` later, exactly once.
  void submit(time_point now, uint64_t token, command_ptr commands,
              actions& out);

  /// The password to log in with from now on.
  void set_password(std::string x) {
    config_.to.password = std::move(x);
  }

  /// There is a socket; its connect may still be under way.
  void on_dialled(time_point now, actions& out);
  void on_dial_failed(time_point now, const failure& why, actions& out);

  void on_data(time_point now, const char* data, size_t size, actions& out);

  /// The socket took bytes; `unsent` are still in its owner's buffer.
  void on_written(time_point now, size_t unsent, actions& out);

  /// The peer closed, or the socket broke.
  void on_hung_up(time_point now, actions& out);

  /// The socket is of no use any more, as `why` says.
  void on_broken(time_point now, const failure& why, actions& out);

  /// To be called at next_tick(); harmless at any time.
  void on_tick(time_point now, actions& out);

  /// Fails all with `closed`, for good.
  void close(actions& out);

  /// @returns when on_tick() has something to do; `time_point::max()`: never.
  [[nodiscard]] time_point next_tick() const noexcept;

  /// @returns whether replies to commands are expected now.
  [[nodiscard]] bool under_way() const noexcept {
    return queue_.num_sent() > 0;
  }

  [[nodiscard]] connection_info info() const;

private:
  enum class state : uint8_t {
    /// Nothing to do and no socket.
    idle,
    /// No answer yet.
    dialling,
    handshaking,
    ready,
    /// For the next attempt.
    waiting,
    closed,
  };

  void dial(time_point now, actions& out);
  void get_ready(time_point now, actions& out);
  void send_waiting(time_point now, actions& out);
  void expire_waiting(time_point now, actions& out);
  void hang_up(actions& out);
  void drop(time_point now, const failure& why, actions& out);
  void fail_sent(time_point now, const failure& why, actions& out);
  void schedule_next(time_point now, bool at_once, actions& out);
  bool read_one(time_point now, actions& out);
  bool decode(time_point now, resp::reply& into, actions& out);
  bool read_handshake(time_point now, actions& out);
  bool read_script_reply(time_point now, actions& out);
  bool read_answer(time_point now, actions& out);
  bool read_unexpected(time_point now, actions& out);
  void finish_front(time_point now, actions& out);
  void leave_if_wrong(time_point now, actions& out);
  [[nodiscard]] milliseconds timeout_of(const command_batch& x) const;
  [[nodiscard]] failure too_late(const queued_batch& x) const;
  [[nodiscard]] failure refusal() const;
  [[nodiscard]] bool has_socket() const noexcept;

  connection_config config_;
  std::string peer_;
  random_engine random_;
  reconnect_backoff backoff_;
  command_queue queue_;
  state state_ = state::idle;

  // The current connection.
  std::optional<resp::decoder> decoder_;
  std::optional<handshake> handshake_;
  size_t unsent_ = 0;
  bool has_written_ = false;
  // The server said that it is not, or no longer, the one for us.
  bool is_wrong_ = false;
  time_point attempt_deadline_;
  time_point ready_since_;
  time_point last_used_;

  // Of the last connection that got ready; 0: there was none.
  int64_t last_client_id_ = 0;

  // The attempts.
  time_point retry_at_;
  // Why there is no connection.
  failure last_failure_;
  connection_info counters_;
};

} // namespace pulse::redis
