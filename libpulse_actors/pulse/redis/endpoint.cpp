#include "pulse/redis/endpoint.hpp"

#include <sys/un.h>

#include <charconv>

namespace pulse {

namespace {

// The URL may contain a password, so texts quote only parts without one.
failure invalid(const std::string& text) {
  return {errc::invalid_endpoint,
          "url: " + text
            + "; use redis://user:password@host:port/db or "
              "unix:///path?db=n"};
}

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto* last = text.data() + text.size();
  const auto [end, code] = std::from_chars(text.data(), last, out);
  return !text.empty() && code == std::errc{} && end == last;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return false;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0)
      return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

// Removes "user:password@" from the front of `text`. It ends at the last @, so
// that a password may contain an unescaped @.
status read_credentials(std::string_view& text, endpoint& x) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos)
    return {};
  const auto credentials = text.substr(0, at);
  text.remove_prefix(at + 1);
  const auto colon = credentials.find(':');
  if (colon == std::string_view::npos)
    return invalid("the part before @ has no colon: write user:password@, or "
                   ":password@ for the default user");
  if (!percent_decode(credentials.substr(0, colon), x.user)
      || !percent_decode(credentials.substr(colon + 1), x.password))
    return invalid("user or password has a % that is not followed by two hex "
                   "digits: write %25 for it");
  return {};
}

status read_database(std::string_view text, endpoint& x) {
  if (!parse_number(text, x.database))
    return invalid("the database " + quoted(text) + " is no number");
  return {};
}

status read_port(std::string_view text, endpoint& x) {
  // The text does not quote the port: if the @ is missing, it is the password.
  if (text.find_first_not_of("0123456789") != std::string_view::npos)
    return invalid("the port is no number, or the @ after the password is "
                   "missing");
  if (!parse_number(text, x.port) || x.port == 0)
    return invalid("the port " + quoted(text) + " is not within 1 to 65535");
  return {};
}

bool valid_host(std::string_view text) {
  for (auto c : text)
    if (c <= ' ' || c == 0x7f || c == '/' || c == '?' || c == '#')
      return false;
  return !text.empty();
}

// Reads host[:port] or [ipv6][:port]. An empty text does not change the
// defaults.
status read_host_and_port(std::string_view text, endpoint& x) {
  if (text.empty())
    return {};
  std::string_view host;
  std::string_view rest;
  if (text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return invalid("the host lacks a closing bracket");
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (host.find(':') == std::string_view::npos)
      return invalid("brackets are for IPv6 addresses, not for "
                     + quoted(host));
  } else {
    const auto colon = text.find(':');
    host = text.substr(0, colon);
    rest = text.substr(host.size());
    if (rest.find(':', 1) != std::string_view::npos)
      return invalid("an IPv6 host stands in brackets, as in [::1]:6379");
  }
  if (!rest.empty() && rest.front() != ':')
    return invalid("after the host " + quoted(host) + " comes :port or /db");
  if (!valid_host(host))
    return invalid("the host " + quoted(host)
                   + " is empty or has a character "
                     "that no host name has");
  x.host = host;
  return rest.empty() ? status{} : read_port(rest.substr(1), x);
}

status read_network_part(std::string_view text, endpoint& x) {
  if (auto ok = read_credentials(text, x); !ok)
    return ok;
  const auto slash = text.find('/');
  if (auto ok = read_host_and_port(text.substr(0, slash), x); !ok)
    return ok;
  if (slash == std::string_view::npos || slash + 1 == text.size())
    return {};
  return read_database(text.substr(slash + 1), x);
}

status read_unix_part(std::string_view text, endpoint& x) {
  if (const auto query = text.rfind("?db="); query != std::string_view::npos) {
    if (auto ok = read_database(text.substr(query + 4), x); !ok)
      return ok;
    text = text.substr(0, query);
  }
  // Any other @ is part of the path.
  const auto at = text.find("@/");
  if (at != std::string_view::npos && text.front() != '/') {
    auto credentials = text.substr(0, at + 1);
    if (auto ok = read_credentials(credentials, x); !ok)
      return ok;
    text.remove_prefix(at + 1);
  }
  if (text.empty() || text.front() != '/')
    return invalid("the path of a Unix socket is absolute: unix:///path");
  if (!percent_decode(text, x.path))
    return invalid("the path has a % that is not followed by two hex digits");
  if (x.path.size() >= sizeof(sockaddr_un::sun_path)
      || x.path.find('\0') != std::string::npos)
    return invalid("the path " + quoted(x.path.c_str())
                   + " cannot be that of a Unix socket: at most "
                   + std::to_string(sizeof(sockaddr_un::sun_path) - 1)
                   + " bytes, none of them zero");
  return {};
}

bool skip(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

} // namespace

outcome<endpoint> parse_endpoint(std::string_view url) {
  endpoint result;
  status ok;
  if (skip(url, "redis://")) {
    ok = read_network_part(url, result);
  } else if (skip(url, "rediss://")) {
    result.transport = endpoint::kind::tls;
    ok = read_network_part(url, result);
  } else if (skip(url, "unix://")) {
    result.transport = endpoint::kind::unix_socket;
    ok = read_unix_part(url, result);
  } else {
    ok = invalid("it starts with none of redis://, rediss:// and unix://");
  }
  if (!ok)
    return ok.error();
  return result;
}

std::string to_string(const endpoint& x) {
  const auto database = std::to_string(x.database);
  if (x.transport == endpoint::kind::unix_socket)
    return "unix://" + x.path + (x.database > 0 ? "?db=" + database : "");
  std::string result = x.transport == endpoint::kind::tls ? "rediss://"
                                                          : "redis://";
  const bool ipv6 = x.host.find(':') != std::string::npos;
  result += ipv6 ? "[" + x.host + "]" : x.host;
  return result + ":" + std::to_string(x.port) + "/" + database;
}

} // namespace pulse
