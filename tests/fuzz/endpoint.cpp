// Endpoint URLs: any text is an endpoint or a failure; what is printed reads
// back, and secrets stay secret.

#include "pulse/redis/endpoint.hpp"

#include "check.hpp"

#include <algorithm>
#include <cstdint>

using namespace pulse;

namespace {

// Texts that stand in no message by themselves.
bool is_secret(std::string_view x) {
  return x.size() >= 4 && std::all_of(x.begin(), x.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x80;
         });
}

// The password as it stands in the URL: from the first colon after the scheme
// to the last @.
std::string_view written_password(std::string_view url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string_view::npos || at == std::string_view::npos
      || at < scheme + 3)
    return {};
  const auto credentials = url.substr(scheme + 3, at - scheme - 3);
  const auto colon = credentials.find(':');
  return colon == std::string_view::npos ? std::string_view{}
                                         : credentials.substr(colon + 1);
}

void check_round_trip(const endpoint& x) {
  if (x.transport == endpoint::kind::unix_socket)
    return; // printed for people: a path may contain anything
  const auto again = parse_endpoint(to_string(x));
  fuzz::check(again.ok(), "what was printed can be read");
  fuzz::check(again->transport == x.transport && again->host == x.host
                && again->port == x.port && again->database == x.database,
              "what was printed means the same");
  fuzz::check(again->user.empty() && again->password.empty(),
              "no credentials are printed");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view url{reinterpret_cast<const char*>(data), size};
  const auto x = parse_endpoint(url);
  if (x) {
    fuzz::check(x->port > 0, "there is a port");
    check_round_trip(*x);
    return 0;
  }
  fuzz::check(x.error().code == errc::invalid_endpoint, "the code says so");
  const auto secret = written_password(url);
  const bool is_elsewhere = url.substr(url.rfind('@') + 1).find(secret)
                            != std::string_view::npos;
  if (url.substr(0, 5) == "redis" && is_secret(secret) && !is_elsewhere)
    fuzz::check(x.error().what.find(secret) == std::string::npos,
                "no error shows the password");
  return 0;
}
