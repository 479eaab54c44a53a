#pragma once

#include "pulse/testing/local_redis.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// A certificate authority for one test. The openssl program creates it in a
/// temporary directory.
class test_ca {
public:
  struct certificate {
    std::string cert_file;
    std::string key_file;
  };

  test_ca() {
    char path[] = "/tmp/pulse-ca-XXXXXX";
    CAF_REQUIRE(::mkdtemp(path) != nullptr);
    dir_ = path;
    openssl("req -x509 " + new_key
            + " -days 2 -subj '/CN=test authority' -keyout ca.key -out ca.crt");
  }

  test_ca(const test_ca&) = delete;
  test_ca& operator=(const test_ca&) = delete;

  ~test_ca() {
    std::filesystem::remove_all(dir_);
  }

  [[nodiscard]] std::string ca_file() const {
    return dir_ + "/ca.crt";
  }

  [[nodiscard]] const std::string& dir() const {
    return dir_;
  }

  /// @param names As in "DNS:localhost,IP:127.0.0.1"; empty: none.
  certificate issue(const std::string& file, const std::string& names = {}) {
    std::ofstream{dir_ + "/ext"} << (names.empty() ? "basicConstraints=CA:FALSE"
                                                   : "subjectAltName=" + names)
                                 << '\n';
    openssl("req " + new_key + " -subj /CN=" + file + " -keyout " + file
            + ".key -out " + file + ".csr");
    openssl("x509 -req -in " + file
            + ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
              "-extfile ext -out "
            + file + ".crt");
    return {dir_ + "/" + file + ".crt", dir_ + "/" + file + ".key"};
  }

  void openssl(const std::string& command) {
    const auto line = "cd " + dir_ + " && openssl " + command
                      + " >log 2>&1 || { cat log >&2; false; }";
    CAF_REQUIRE_EQUAL(std::system(line.c_str()), 0);
  }

private:
  static inline const std::string new_key
    = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

  std::string dir_;
};

/// @returns a TCP port of 127.0.0.1 that is free at this moment.
inline uint16_t free_port() {
  const auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  CAF_REQUIRE(::bind(fd, generic, size) == 0
              && ::getsockname(fd, generic, &size) == 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// A Redis that also has a TLS port.
struct tls_redis {
  uint16_t port = free_port();
  local_redis server;

  tls_redis(const test_ca& ca, const test_ca::certificate& own,
            std::vector<std::string> config = {"tls-auth-clients no"})
    : server(start(ca, own, std::move(config))) {
    // nop
  }

  [[nodiscard]] std::string url(const std::string& host = "localhost") const {
    return "rediss://" + host + ":" + std::to_string(port);
  }

private:
  local_redis start(const test_ca& ca, const test_ca::certificate& own,
                    std::vector<std::string> config) const {
    local_redis_options options;
    options.config = std::move(config);
    options.config.push_back("tls-port " + std::to_string(port));
    options.config.push_back("tls-cert-file " + own.cert_file);
    options.config.push_back("tls-key-file " + own.key_file);
    options.config.push_back("tls-ca-cert-file " + ca.ca_file());
    auto result = local_redis::start(options);
    if (!result)
      CAF_FAIL(result.error().what);
    return std::move(*result);
  }
};

} // namespace pulse::test
