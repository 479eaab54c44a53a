#pragma once

#include <caf/io/abstract_broker.hpp>
#include <caf/io/connection_handle.hpp>
#include <caf/io/receive_policy.hpp>

#include <sys/socket.h>

#include <string>
#include <utility>

namespace pulse::internal {

/// The one socket of a broker, or none.
class broker_socket {
public:
  explicit broker_socket(caf::io::abstract_broker* owner) : owner_(owner) {
    // nop
  }

  broker_socket(const broker_socket&) = delete;
  broker_socket& operator=(const broker_socket&) = delete;

  /// The broker closes its sockets when it ends, but leaves one open until the
  /// peer took all bytes, which may be never.
  ~broker_socket() {
    shut_down();
  }

  [[nodiscard]] bool is(caf::io::connection_handle x) const {
    return fd_ >= 0 && x == handle_;
  }

  /// Takes over `fd`, a non-blocking socket, and reads from it.
  /// @pre there is none
  void open(int fd) {
    constexpr size_t read_size = 64u << 10;
    fd_ = fd;
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

  /// Ends the connection at once; the broker closes the socket when it ends.
  void shut_down() {
    if (fd_ >= 0)
      ::shutdown(fd_, SHUT_RDWR);
    fd_ = -1;
  }

  /// Closes the socket at once. Not to be called in the same turn as open():
  /// CAF 0.17.6 would leak it.
  void close() {
    if (fd_ < 0)
      return;
    shut_down();
    owner_->close(handle_);
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
