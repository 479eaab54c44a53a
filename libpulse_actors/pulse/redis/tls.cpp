#include "pulse/redis/tls.hpp"

#include "pulse/redis/regular_file.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace pulse::redis {

namespace {

template <auto F>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    F(x);
  }
};

using context_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using session_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;

// Returns the text of the oldest error in OpenSSL's list of this thread. Such
// an error may be one of the operating system.
std::string openssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "no reason given";
  if (ERR_SYSTEM_ERROR(code))
    return std::generic_category().message(ERR_GET_REASON(code));
  const auto* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

failure bad_file(const char* option, const std::string& file,
                 const std::string& why = openssl_error()) {
  return {errc::tls_failed,
          std::string{option} + ": cannot use \"" + file + "\": " + why
            + "; it must be a file in PEM format that this process can read"};
}

// OpenSSL would wait for whoever writes into a pipe.
status check_files(const tls_settings& x) {
  const std::pair<const char*, const std::string&> files[]
    = {{"tls_ca_file", x.ca_file},
       {"tls_cert_file", x.cert_file},
       {"tls_key_file", x.key_file}};
  for (const auto& [option, file] : files)
    if (!file.empty())
      if (const auto ok = require_regular_file(file); !ok)
        return bad_file(option, file, ok.error().what);
  return {};
}

// Without this callback OpenSSL would ask for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

bool is_ip_address(const std::string& x) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, x.c_str(), address.data()) == 1
         || ::inet_pton(AF_INET6, x.c_str(), address.data()) == 1;
}

[[noreturn]] void out_of_memory() {
  ERR_clear_error();
  throw std::bad_alloc{};
}

} // namespace

// -- context ------------------------------------------------------------------

struct tls_context::impl {
  context_ptr ssl;
};

tls_context::tls_context(std::unique_ptr<impl> x) noexcept
  : impl_(std::move(x)) {
  // nop
}

tls_context::~tls_context() = default;

namespace {

status trust(SSL_CTX* ssl, const tls_settings& x) {
  if (x.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(ssl) != 1)
      return failure{errc::tls_failed,
                     "cannot use the system's certificate authorities: "
                       + openssl_error() + "; set tls_ca_file"};
  } else if (SSL_CTX_load_verify_locations(ssl, x.ca_file.c_str(), nullptr)
             != 1) {
    return bad_file("tls_ca_file", x.ca_file);
  }
  return {};
}

status identify(SSL_CTX* ssl, const tls_settings& x) {
  if (x.cert_file.empty() && x.key_file.empty())
    return {};
  if (SSL_CTX_use_certificate_chain_file(ssl, x.cert_file.c_str()) != 1)
    return bad_file("tls_cert_file", x.cert_file);
  if (SSL_CTX_use_PrivateKey_file(ssl, x.key_file.c_str(), SSL_FILETYPE_PEM)
      != 1)
    return bad_file("tls_key_file", x.key_file);
  return {};
}

} // namespace

outcome<std::shared_ptr<const tls_context>>
tls_context::read(const tls_settings& settings) {
  if (auto ok = check_files(settings); !ok)
    return ok.error();
  ERR_clear_error();
  context_ptr ssl{SSL_CTX_new(TLS_client_method())};
  if (!ssl || SSL_CTX_set_min_proto_version(ssl.get(), TLS1_2_VERSION) != 1)
    out_of_memory();
  SSL_CTX_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(ssl.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(ssl.get(), no_passphrase);
  if (auto ok = trust(ssl.get(), settings); !ok)
    return ok.error();
  if (auto ok = identify(ssl.get(), settings); !ok)
    return ok.error();
  auto state = std::make_unique<impl>();
  state->ssl = std::move(ssl);
  return std::shared_ptr<const tls_context>{new tls_context(std::move(state))};
}

// -- filter -------------------------------------------------------------------

struct tls_filter::impl {
  impl(std::shared_ptr<const tls_context> x, const std::string& name)
    : context(std::move(x)), server_name(name) {
    session.reset(SSL_new(context->impl_->ssl.get()));
    // The session owns both BIOs after SSL_set_bio().
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    if (!session || in == nullptr || out == nullptr) {
      BIO_free(in);
      BIO_free(out);
      out_of_memory();
    }
    SSL_set_bio(session.get(), in, out);
    if (!expect_name())
      out_of_memory();
    SSL_set_connect_state(session.get());
    // This writes the first message. All other steps need an answer of the
    // peer.
    SSL_do_handshake(session.get());
    ERR_clear_error();
  }

  bool expect_name() {
    if (is_ip_address(server_name))
      return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()),
                                           server_name.c_str())
             == 1;
    return SSL_set1_host(session.get(), server_name.c_str()) == 1
           && SSL_set_tlsext_host_name(session.get(), server_name.c_str()) == 1;
  }

  bool established() const {
    return SSL_is_init_finished(session.get()) == 1;
  }

  status shake_hands() {
    ERR_clear_error();
    const auto result = SSL_do_handshake(session.get());
    if (result != 1)
      return judge(result);
    return encrypt(std::exchange(waiting, {}));
  }

  status decrypt(std::string& plain) {
    std::array<char, 16u << 10> buffer;
    for (;;) {
      ERR_clear_error();
      size_t n = 0;
      const auto result = SSL_read_ex(session.get(), buffer.data(),
                                      buffer.size(), &n);
      if (result != 1)
        return judge(result);
      heard = true;
      plain.append(buffer.data(), n);
    }
  }

  status encrypt(std::string_view plain) {
    if (plain.empty())
      return {};
    ERR_clear_error();
    size_t n = 0;
    const auto result = SSL_write_ex(session.get(), plain.data(), plain.size(),
                                     &n);
    // A memory BIO accepts all bytes at once.
    return result == 1 ? status{} : judge(result);
  }

  // Returns success if OpenSSL only needs more bytes.
  status judge(int result) {
    switch (SSL_get_error(session.get(), result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
      case SSL_ERROR_ZERO_RETURN: // the peer will close the socket, too
        return {};
      default:
        return failure{errc::tls_failed, explain()};
    }
  }

  std::string explain() const {
    const auto code = ERR_peek_error();
    const auto reason = ERR_GET_REASON(code);
    const auto verified = SSL_get_verify_result(session.get());
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
      return explain_verification(verified);
    auto text = "TLS: " + openssl_error();
    switch (reason) {
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
        return text
               + ": the peer does not speak TLS; if this is the port without "
                 "TLS, use redis:// in the URL";
      case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return text + client_certificate_hint();
      case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        return text
               + ": the server does not accept the certificate of "
                 "tls_cert_file";
      default:
        return text;
    }
  }

  std::string explain_verification(long verified) const {
    ERR_clear_error();
    std::string text{X509_verify_cert_error_string(verified)};
    switch (verified) {
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "TLS: the server's certificate is not for \"" + server_name
               + "\"; correct the host of the URL, or set tls_server_name";
      case X509_V_ERR_CERT_HAS_EXPIRED:
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return "TLS: the server's certificate: " + text
               + "; renew it, or correct the clock";
      default:
        return "TLS: the server's certificate is not trusted: " + text
               + "; set tls_ca_file to the authority that signed it";
    }
  }

  std::string client_certificate_hint() const {
    return SSL_get_certificate(session.get()) == nullptr
             ? "; if the server asks for a client certificate, set "
               "tls_cert_file and tls_key_file"
             : "; check whether the server accepts the certificate of "
               "tls_cert_file";
  }

  std::shared_ptr<const tls_context> context;
  std::string server_name;
  session_ptr session;
  BIO* in = nullptr;
  BIO* out = nullptr;
  // The plaintext to send when the handshake is done.
  std::string waiting;
  // Whether plaintext of the peer has arrived.
  bool heard = false;
};

tls_filter::tls_filter(std::shared_ptr<const tls_context> context,
                       const std::string& server_name)
  : impl_(std::make_unique<impl>(std::move(context), server_name)) {
  // nop
}

tls_filter::~tls_filter() = default;

tls_filter::tls_filter(tls_filter&&) noexcept = default;

tls_filter& tls_filter::operator=(tls_filter&&) noexcept = default;

status tls_filter::receive(std::string_view bytes, std::string& plain) {
  auto& x = *impl_;
  size_t n = 0;
  if (!bytes.empty() && BIO_write_ex(x.in, bytes.data(), bytes.size(), &n) != 1)
    out_of_memory();
  if (!x.established())
    if (auto ok = x.shake_hands(); !ok)
      return ok;
  return x.established() ? x.decrypt(plain) : status{};
}

status tls_filter::send(std::string_view plain) {
  auto& x = *impl_;
  if (x.established())
    return x.encrypt(plain);
  x.waiting += plain;
  return {};
}

std::string tls_filter::take_output() {
  auto* out = impl_->out;
  std::string result(BIO_ctrl_pending(out), '\0');
  size_t n = 0;
  if (!result.empty())
    BIO_read_ex(out, result.data(), result.size(), &n);
  result.resize(n);
  return result;
}

failure tls_filter::why_closed() const {
  const auto& x = *impl_;
  if (x.heard)
    return {};
  return {errc::connect_failed,
          x.established()
            ? "the peer closed the connection after the TLS handshake"
                + x.client_certificate_hint()
            : "the peer refused the connection, or closed it during the TLS "
              "handshake: check whether this port speaks TLS"};
}

} // namespace pulse::redis
