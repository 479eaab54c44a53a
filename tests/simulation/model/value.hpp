#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::simulation {

/// What a command of the model answers: one reply of RESP2 as a tree.
struct value {
  enum class kind : uint8_t {
    nil,
    nil_array,
    integer,
    text,
    status,
    error,
    array,
  };

  kind what = kind::nil;
  int64_t number = 0;
  std::string text;
  std::vector<value> items;

  [[nodiscard]] bool is_nil() const noexcept {
    return what == kind::nil || what == kind::nil_array;
  }

  [[nodiscard]] bool is_error() const noexcept {
    return what == kind::error;
  }
};

value nil();
value nil_array();
value integer(int64_t x);
value text(std::string x);
value status(std::string x);
value error(std::string x);
value array(std::vector<value> xs);

/// Appends `x` as Redis writes it to the wire.
void encode(const value& x, std::string& out);

} // namespace pulse::simulation
