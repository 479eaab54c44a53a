#pragma once

#include "pulse/core/options.hpp"
#include "pulse/redis/command_queue.hpp"
#include "pulse/redis/connection_actions.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/redis/handshake.hpp"
#include "pulse/resp/decoder.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse::redis {

/// The dialogue on one open socket: first the handshake, then the commands of a
/// queue and their replies. It knows no time. After a failure the socket is of
/// no use any more, because replies could not be assigned to commands.
class session {
public:
  /// What one reply of the server meant.
  enum class progress : uint8_t {
    /// The rest of the reply has not arrived yet.
    incomplete,
    /// The reply belongs to the handshake or to SCRIPT LOAD.
    preparation,
    /// The handshake is complete, so commands may be sent.
    ready,
    /// The reply belongs to a command. If it is the last one of its batch, then
    /// the batch left the queue.
    reply,
    /// The server does not know the script of a batch, which waits again.
    send_again,
  };

  /// @param predecessor CLIENT ID of the last session; 0: there was none.
  session(const endpoint& to, const redis_options& options,
          const std::string& client_name, int64_t predecessor);

  /// Sends the handshake.
  void greet(actions& out);

  /// Sends waiting commands as long as the buffer of the socket has room.
  /// @returns their number.
  uint64_t send_waiting(command_queue& queue, actions& out);

  /// The socket took bytes; `unsent` bytes are still in the buffer of its
  /// owner.
  void on_written(size_t unsent) noexcept {
    unsent_ = unsent;
    has_written_ = true;
  }

  /// Reads the next reply, or a part of it, from bytes that arrived, and
  /// removes what it has read. Errors: those of handshake::on_reply();
  /// `protocol_error` if the bytes are no RESP, or nobody waits for the reply;
  /// `payload_too_large`.
  outcome<progress> read(std::string_view& bytes, command_queue& queue,
                         actions& out);

  /// @returns whether a part of the next reply has arrived.
  [[nodiscard]] bool is_receiving() const noexcept {
    return decoder_.has_part();
  }

  /// @returns whether the socket took any bytes.
  [[nodiscard]] bool has_written() const noexcept {
    return has_written_;
  }

  /// @returns whether the server said that it is a replica, or that it requires
  /// a new login. Then no more commands are sent.
  [[nodiscard]] bool is_wrong() const noexcept {
    return is_wrong_;
  }

  /// @returns the reply to CLIENT ID; 0 before the handshake is complete, or if
  /// the server did not permit it.
  [[nodiscard]] int64_t client_id() const noexcept {
    return handshake_.client_id();
  }

private:
  /// What the server replies to.
  enum class subject : uint8_t { nothing, greeting, script, commands };

  [[nodiscard]] subject next_subject(command_queue& queue) const;
  void begin_reply(command_queue& queue);
  outcome<progress> finish_reply(command_queue& queue, actions& out);
  void send_text(std::string bytes, actions& out);
  outcome<progress> take_greeting(const resp::reply& x, actions& out);
  static progress take_script_reply(queued_batch& front, const resp::reply& x,
                                    actions& out);
  progress finish_front(command_queue& queue, actions& out);

  resp::decoder decoder_;
  /// The reply under way. Commands may be sent while a part of it is missing,
  /// so what it belongs to is decided when it begins.
  reply_ptr reply_;
  subject subject_ = subject::nothing;
  handshake handshake_;
  bool is_ready_ = false;
  size_t unsent_ = 0;
  bool has_written_ = false;
  bool is_wrong_ = false;
};

} // namespace pulse::redis
