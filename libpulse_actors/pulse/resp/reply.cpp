#include "pulse/resp/reply.hpp"

#include "pulse/resp/find_script.hpp"

#include <array>

namespace pulse::resp {

// -- cursor -------------------------------------------------------------------

bool cursor::read_array(uint32_t& size) noexcept {
  if (!is(node_type::array))
    return false;
  size = peek().size;
  ++pos_;
  return true;
}

bool cursor::read_integer(int64_t& value) noexcept {
  if (!is(node_type::integer))
    return false;
  value = peek().value;
  ++pos_;
  return true;
}

bool cursor::read_text(std::string_view& text) noexcept {
  if (!is(node_type::string) && !is(node_type::status))
    return false;
  text = this->text();
  ++pos_;
  return true;
}

bool cursor::read_nil() noexcept {
  if (!is(node_type::nil))
    return false;
  ++pos_;
  return true;
}

void cursor::skip() noexcept {
  for (uint64_t left = 1; left > 0 && !at_end(); ++pos_, --left)
    if (peek().type == node_type::array)
      left += peek().size;
}

// -- error texts --------------------------------------------------------------

namespace {

struct error_rule {
  /// The beginning of the text. If it ends with a blank, it may also be the
  /// whole text without the blank.
  std::string_view start;
  errc code;
  /// What to do, in addition to the advice of the error code.
  std::string_view hint = {};
};

constexpr std::string_view grant_keys
  = "the user needs the keys ~pulse:stream:* and ~{pulse:stream:*}:*, see "
    "docs/access-control.md; ACL LOG shows the key";

constexpr std::string_view grant_command
  = "a script needs a command that the user lacks, see "
    "docs/access-control.md; ACL LOG shows it";

constexpr std::string_view no_cluster
  = "this is a Redis Cluster, which is not supported: use a single server";

// The first rule that fits decides.
constexpr std::array rules = {
  error_rule{"NOGROUP ", errc::no_group},
  error_rule{"WRONGTYPE ", errc::wrong_type},
  error_rule{"OOM ", errc::out_of_memory},
  error_rule{"READONLY ", errc::read_only},
  error_rule{"LOADING ", errc::loading},
  error_rule{"NOSCRIPT ", errc::no_script},
  error_rule{"NOAUTH ", errc::auth_failed,
             "set the option password or password_file, or put the password "
             "into the URL; the programs also take PULSE_REDIS_PASSWORD"},
  error_rule{"WRONGPASS ", errc::auth_failed},
  error_rule{"NOPERM this user has no permissions to access one of the keys",
             errc::permission_denied, grant_keys},
  error_rule{"NOPERM ", errc::permission_denied},
  error_rule{"BUSY ", errc::unavailable,
             "a script has kept Redis busy for too long: wait, or end it with "
             "SCRIPT KILL"},
  error_rule{"TRYAGAIN ", errc::unavailable},
  error_rule{"CLUSTERDOWN ", errc::unavailable},
  error_rule{"MASTERDOWN ", errc::unavailable},
  error_rule{"MISCONF ", errc::unavailable,
             "Redis cannot save its data: check its disk"},
  error_rule{"NOREPLICAS ", errc::unavailable,
             "Redis has too few replicas: check them"},
  error_rule{"MOVED ", errc::unsupported, no_cluster},
  error_rule{"ASK ", errc::unsupported, no_cluster},
  error_rule{"CROSSSLOT ", errc::unsupported, no_cluster},
  error_rule{"UNBLOCKED the stream key no longer exists", errc::no_group},
  error_rule{"UNBLOCKED force unblock", errc::read_only},
  error_rule{"UNBLOCKED ", errc::unavailable,
             "Redis ended the blocking read: repeat it"},
  // Errors of the library's own scripts.
  error_rule{"STREAMFULL ", errc::stream_full},
  error_rule{"DEDUPCONFLICT ", errc::dedup_conflict},
  error_rule{"RETENTION ", errc::retention_conflict},
  error_rule{"ERR no such key", errc::no_such_stream},
  error_rule{"ERR The XGROUP subcommand requires the key to exist",
             errc::no_such_stream},
  error_rule{"ERR max number of clients", errc::unavailable,
             "raise maxclients, or close connections"},
  error_rule{"ERR The user executing the script can't access",
             errc::permission_denied, grant_keys},
  error_rule{"ERR The user executing the script can't", errc::permission_denied,
             grant_command},
  error_rule{"ERR AUTH ", errc::auth_failed},
  error_rule{"ERR Client sent AUTH", errc::auth_failed},
  error_rule{"ERR Protocol error", errc::protocol_error},
};

bool starts_with(std::string_view text, std::string_view start) {
  if (text.substr(0, start.size()) == start)
    return true;
  // Some errors have no text after the first word, for instance "LOADING".
  return start.back() == ' ' && text == start.substr(0, start.size() - 1);
}

// Returns the beginning of a text of Redis for an error text, without control
// characters, because replies are untrusted.
std::string excerpt(std::string_view text) {
  constexpr size_t longest = 64;
  std::string result{text.substr(0, longest)};
  for (auto& c : result)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      c = '.';
  return text.size() > longest ? result + "..." : result;
}

// Errors that a script does not catch end with "script: <SHA-1>, on
// @user_script:<line>.". Returns the text with the name of the script instead.
std::string with_script_name(std::string_view text) {
  constexpr std::string_view mark = " script: ";
  constexpr std::string_view line_mark = ", on @user_script:";
  constexpr size_t digest_size = 40;
  std::string result{text};
  const auto begin = text.rfind(mark);
  if (begin == std::string_view::npos)
    return result;
  const auto rest = text.substr(begin + mark.size());
  const auto* which = find_script(rest.substr(0, digest_size));
  if (which == nullptr)
    return result;
  result.resize(begin);
  result.append(", in the script ").append(which->name);
  if (rest.substr(digest_size, line_mark.size()) == line_mark) {
    const auto line = rest.substr(digest_size + line_mark.size());
    result.append(", line ").append(line.substr(0, line.find('.')));
  }
  return result;
}

std::string shape_of(const cursor& at) {
  if (at.at_end())
    return "nothing more";
  switch (at.peek().type) {
    case node_type::nil:
      return "nil";
    case node_type::integer:
      return "the number " + std::to_string(at.peek().value);
    case node_type::array:
      return "an array of " + std::to_string(at.peek().size);
    case node_type::error:
      return "the error \"" + excerpt(at.text()) + '"';
    case node_type::string:
      // It may be a payload, and this text gets into logs.
      return "a string of " + std::to_string(at.peek().size) + " bytes";
    default:
      return "the status \"" + excerpt(at.text()) + '"';
  }
}

} // namespace

failure error_of(const cursor& at) {
  return classify(at.text());
}

failure classify(std::string_view error_text) {
  // EXEC puts the reason why it refuses a transaction into a longer text.
  constexpr std::string_view wrapped
    = "EXECABORT Transaction discarded because of: ";
  if (error_text.substr(0, wrapped.size()) == wrapped) {
    auto inner = classify(error_text.substr(wrapped.size()));
    inner.what.insert(0, "EXECABORT: ");
    return inner;
  }
  for (auto& rule : rules)
    if (starts_with(error_text, rule.start)) {
      auto what = with_script_name(error_text);
      if (!rule.hint.empty())
        what.append(" (").append(rule.hint).append(")");
      return {rule.code, std::move(what)};
    }
  return {errc::redis_error, error_text.empty() ? "an error without a text"
                                                : with_script_name(error_text)};
}

failure unexpected_reply(std::string_view command, const cursor& at) {
  return {errc::protocol_error,
          "unexpected reply to " + std::string{command} + ": " + shape_of(at)};
}

} // namespace pulse::resp
