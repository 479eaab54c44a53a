#include "pulse/actors/internal/connection/secured_socket.hpp"

namespace pulse::internal {

secured_socket::secured_socket(const endpoint& to, const redis_options& options)
  : secure_(to.transport == endpoint::kind::tls),
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
  stream_socket::open(fd);
  if (!secure_)
    return;
  tls_.emplace(certificates_, server_name_);
  send_output();
}

status secured_socket::write(command_ptr x) {
  if (tls_)
    return encrypt(x->bytes);
  if (is_open())
    stream_socket::write(std::move(x));
  return {};
}

status secured_socket::write(std::string plain) {
  if (tls_)
    return encrypt(plain);
  if (is_open())
    stream_socket::write(std::move(plain));
  return {};
}

status secured_socket::encrypt(std::string_view plain) {
  auto result = judge(tls_->send(plain));
  send_output();
  return result;
}

secured_socket::received secured_socket::receive(std::vector<char>& buffer) {
  const auto x = read(buffer.data(), buffer.size());
  received result{x.bytes, x.bytes.size(), x.ended, {}};
  if (!tls_ || x.bytes.empty())
    return result;
  plain_.clear();
  result.ok = judge(tls_->receive(x.bytes, plain_));
  result.plain = plain_;
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
  if (auto bytes = tls_->take_output(); !bytes.empty())
    stream_socket::write(std::move(bytes));
}

void secured_socket::abandon() noexcept {
  tls_.reset();
  stream_socket::abandon();
}

failure secured_socket::why_closed() const {
  return tls_ ? tls_->why_closed() : failure{};
}

} // namespace pulse::internal
