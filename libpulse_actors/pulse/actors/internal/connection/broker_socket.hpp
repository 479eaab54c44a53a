#pragma once

#include <caf/io/abstract_broker.hpp>
#include <caf/io/connection_handle.hpp>
#include <caf/io/receive_policy.hpp>

#include <sys/socket.h>

#include <string>
#include <utility>

namespace pulse::internal {

/// The one socket of a broker that counts, or none, and those given up whose
/// end is still to come.
///
/// CAF 0.17.6 leaks a socket that is closed, or whose broker ends, in the turn
/// of the multiplexer in which it was added; and one message cannot know what
/// else happened in its turn. So nothing is ever closed here: a socket given up
/// is shut down, the multiplexer sees its end and takes it apart, in a later
/// turn, and its broker must not end before (has_any()).
class broker_socket {
public:
  explicit broker_socket(caf::io::abstract_broker* owner) : owner_(owner) {
    // nop
  }

  broker_socket(const broker_socket&) = delete;
  broker_socket& operator=(const broker_socket&) = delete;

  /// A broker that ends closes its sockets, but leaves one open until the peer
  /// took all bytes, which may be never.
  ~broker_socket() {
    give_up();
  }

  /// @returns whether `x` names the socket that counts. CAF derives names from
  /// file descriptors: one given up keeps its own until its end was reported,
  /// so no two sockets have the same.
  [[nodiscard]] bool is(caf::io::connection_handle x) const {
    return fd_ >= 0 && x == handle_;
  }

  /// @returns whether there are sockets, those given up included.
  [[nodiscard]] bool has_any() const {
    return owner_->num_connections() > 0;
  }

  /// Takes over `fd`, a non-blocking socket, and reads from it.
  /// @pre there is none that counts
  void open(int fd) {
    constexpr size_t read_size = 64u << 10;
    fd_ = fd;
    needs_flush_ = false;
    handle_ = owner_->add_scribe(fd);
    owner_->configure_read(handle_,
                           caf::io::receive_policy::at_most(read_size));
    owner_->ack_writes(handle_, true);
  }

  /// Keeps `bytes` until flush(). Does nothing if there is no socket.
  void write(const std::string& bytes) {
    if (fd_ < 0)
      return;
    owner_->write(handle_, bytes.size(), bytes.data());
    needs_flush_ = true;
  }

  void flush() {
    if (std::exchange(needs_flush_, false) && fd_ >= 0)
      owner_->flush(handle_);
  }

  /// Ends the connection at once. A `connection_closed_msg` for it follows,
  /// perhaps after data that came before. What the peer has not got yet it will
  /// not get: otherwise the system would go on sending it, and commands would
  /// be executed long after they were given up, and repeated.
  void give_up() noexcept {
    if (fd_ < 0)
      return;
    const linger discard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard));
    ::shutdown(fd_, SHUT_RDWR);
    fd_ = -1;
  }

  /// To be called when the socket was closed by the peer.
  void forget() noexcept {
    fd_ = -1;
  }

private:
  caf::io::abstract_broker* owner_;
  int fd_ = -1;
  caf::io::connection_handle handle_;
  bool needs_flush_ = false;
};

} // namespace pulse::internal
