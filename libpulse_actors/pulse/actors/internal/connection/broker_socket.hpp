#pragma once

#include <caf/io/abstract_broker.hpp>
#include <caf/io/connection_handle.hpp>
#include <caf/io/receive_policy.hpp>

#include <sys/socket.h>

#include <string>
#include <utility>

namespace pulse::internal {

/// The current socket of a broker, if there is one, and the sockets that it
/// gave up and that have not ended yet.
///
/// CAF 0.17.6 leaks a socket if it is closed, or its broker terminates, in the
/// same turn of the multiplexer in which the socket was added. A message
/// handler cannot know what else happened in its turn. So this class never
/// closes a socket: it shuts the socket down, and the multiplexer sees its end
/// and removes it in a later turn. The broker must not terminate before that,
/// see has_any().
class broker_socket {
public:
  explicit broker_socket(caf::io::abstract_broker* owner) : owner_(owner) {
    // nop
  }

  broker_socket(const broker_socket&) = delete;
  broker_socket& operator=(const broker_socket&) = delete;

  /// A broker that terminates closes its sockets, but keeps a socket open until
  /// the peer has received all bytes, which may be never. So the socket is
  /// given up.
  ~broker_socket() {
    give_up();
  }

  /// @returns whether `x` is the current socket. CAF derives handles from file
  /// descriptors. A socket that was given up keeps its descriptor until its end
  /// was reported, so no two sockets have the same handle.
  [[nodiscard]] bool is(caf::io::connection_handle x) const {
    return fd_ >= 0 && x == handle_;
  }

  /// @returns whether any socket is open, including those that were given up.
  [[nodiscard]] bool has_any() const {
    return owner_->num_connections() > 0;
  }

  /// Takes ownership of `fd`, a connected non-blocking socket, and reads from
  /// it.
  /// @pre there is no current socket
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
  /// perhaps after data that arrived before. Bytes that the peer has not
  /// received yet are discarded. Otherwise the kernel would go on sending them,
  /// and Redis would execute commands long after they were given up and
  /// repeated.
  void give_up() noexcept {
    if (fd_ < 0)
      return;
    const linger discard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard));
    ::shutdown(fd_, SHUT_RDWR);
    fd_ = -1;
  }

  /// Call this when the peer has closed the socket.
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
