#include "pulse/actors/internal/connection/secured_socket.hpp"

namespace pulse::internal {

secured_socket::secured_socket(caf::io::abstract_broker* owner,
                               const endpoint& to, const redis_options& options)
  : broker_socket(owner),
    secure_(to.transport == endpoint::kind::tls),
    server_name_(options.tls_server_name.empty() ? to.host
                                                 : options.tls_server_name),
    settings_{options.tls_ca_file, options.tls_cert_file,
              options.tls_key_file} {
  // nop
}

status secured_socket::prepare() {
  if (!secure_ || certificates_ != nullptr)
    return {};
  auto read = redis::tls_context::read(settings_);
  if (!read)
    return read.error();
  certificates_ = std::move(*read);
  return {};
}

void secured_socket::open(int fd) {
  broker_socket::open(fd);
  if (!secure_)
    return;
  tls_.emplace(certificates_, server_name_);
  send_output();
}

status secured_socket::write(const std::string& plain) {
  if (!tls_) {
    broker_socket::write(plain);
    return {};
  }
  auto result = judge(tls_->send(plain));
  send_output();
  return result;
}

status secured_socket::receive(std::string_view bytes,
                               std::string_view& plain) {
  if (!tls_) {
    plain = bytes;
    return {};
  }
  plain_.clear();
  auto result = judge(tls_->receive(bytes, plain_));
  plain = plain_;
  send_output();
  return result;
}

// After a failure the next attempt reads the certificates again, since they may
// have been renewed.
status secured_socket::judge(status x) {
  if (!x)
    certificates_ = nullptr;
  return x;
}

void secured_socket::send_output() {
  if (const auto bytes = tls_->take_output(); !bytes.empty())
    broker_socket::write(bytes);
}

void secured_socket::give_up() noexcept {
  tls_.reset();
  broker_socket::give_up();
}

failure secured_socket::why_closed() const {
  return tls_ ? tls_->why_closed() : failure{};
}

} // namespace pulse::internal
