#include "pulse/resp/retention.hpp"

#include "pulse/resp/stream_replies.hpp"

#include <charconv>

namespace pulse::resp {

namespace {

constexpr size_t num_options = retention_fields.size() - 1;

std::string text_of(uint64_t x) {
  return std::to_string(x);
}

std::string text_of(bool x) {
  return x ? "1" : "0";
}

std::string text_of(milliseconds x) {
  return std::to_string(x.count());
}

template <class Enum>
std::string text_of(Enum x) {
  return to_string(x);
}

bool parse(std::string_view text, uint64_t& x) {
  const auto* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, x);
  return code == std::errc{} && at == end;
}

bool parse(std::string_view text, bool& x) {
  x = text == "1";
  return x || text == "0";
}

bool parse(std::string_view text, milliseconds& x) {
  uint64_t number = 0;
  constexpr uint64_t longest = 1ull << 53;
  if (!parse(text, number) || number > longest)
    return false;
  x = milliseconds{static_cast<int64_t>(number)};
  return true;
}

template <class Enum>
bool parse(std::string_view text, Enum& x) {
  return from_string(text, x).ok();
}

// Calls `f(index, option)` for each option, in the order of retention_fields.
template <class T, class F>
void visit(T& x, F f) {
  f(0, x.max_len);
  f(1, x.protect_unacked);
  f(2, x.max_age);
  f(3, x.hard_max_len);
  f(4, x.on_full);
  f(5, x.ttl);
  f(6, x.ttl_kind);
}

failure bad_value(size_t index, std::string_view value) {
  return {errc::protocol_error,
          "the stored retention has " + std::string{retention_fields[index]}
            + " = \"" + std::string{value.substr(0, 40)} + "\""};
}

// Reads the values of the options. Those that are nil stay as they are.
status read_values(cursor& at, stream_retention& into) {
  status result;
  visit(into, [&](size_t index, auto& option) {
    std::string_view text;
    if (!result || at.read_nil())
      return;
    if (!at.read_text(text))
      result = unexpected_reply("the retention", at);
    else if (!parse(text, option))
      result = bad_value(index, text);
  });
  return result;
}

} // namespace

std::vector<std::string> retention_arguments(const stream_options& x,
                                             retention_query how) {
  static constexpr std::array modes{"check", "change", "follow"};
  std::array<std::string, num_options> defaults;
  std::array<std::string, num_options> chosen;
  const stream_retention unset;
  visit(unset,
        [&](size_t i, const auto& option) { defaults[i] = text_of(option); });
  visit(x, [&](size_t i, const auto& option) {
    if (option)
      chosen[i] = text_of(*option);
  });
  std::vector<std::string> result{modes[static_cast<size_t>(how)]};
  for (size_t i = 0; i < num_options; ++i) {
    result.emplace_back(retention_fields[i]);
    result.push_back(std::move(defaults[i]));
    result.push_back(std::move(chosen[i]));
  }
  return result;
}

outcome<stored_retention> read_retention(cursor& at) {
  if (at.is(node_type::error))
    return error_of(at);
  const auto begin = at;
  uint32_t size = 0;
  std::string_view stored;
  stored_retention result;
  if (!at.read_array(size) || size != 1 + num_options + 2
      || !at.read_text(stored))
    return unexpected_reply("the retention", begin);
  result.is_stored = stored == "1";
  if (auto ok = read_values(at, result.keeps); !ok)
    return ok.error();
  for (auto* to : {&result.length, &result.lost}) {
    const auto n = read_number(at, "the retention");
    if (!n)
      return n.error();
    *to = static_cast<uint64_t>(*n);
  }
  return result;
}

outcome<stored_retention> read_retention_fields(cursor& at) {
  if (at.is(node_type::error))
    return error_of(at);
  const auto begin = at;
  uint32_t size = 0;
  stored_retention result;
  if (!at.read_array(size) || size != retention_fields.size())
    return unexpected_reply("the retention", begin);
  result.is_stored = !at.is(node_type::nil);
  if (auto ok = read_values(at, result.keeps); !ok)
    return ok.error();
  std::string_view lost;
  if (!at.read_nil() && (!at.read_text(lost) || !parse(lost, result.lost)))
    return unexpected_reply("the retention", at);
  return result;
}

} // namespace pulse::resp
