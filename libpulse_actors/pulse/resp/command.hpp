#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse::resp {

/// Appends commands to a buffer in the format RESP2: as arrays of bulk strings,
/// which may contain any bytes. The buffer can be written to a socket as it is.
///
///     command_writer w{buffer};
///     w.begin(3).arg("XADD").arg(key).arg("*");
class command_writer {
public:
  explicit command_writer(std::string& out) noexcept : out_(&out) {
    // nop
  }

  /// Begins a command with `args` arguments, including its name. The caller
  /// must then add exactly that many arguments.
  command_writer& begin(size_t args);
  command_writer& arg(std::string_view text);
  command_writer& arg(int64_t number);
  command_writer& arg(uint64_t number);
  command_writer& arg(event_id id);

private:
  std::string* out_;
};

/// Appends one complete command with texts and numbers as arguments to `out`.
template <class... Ts>
void write_command(std::string& out, const Ts&... xs) {
  command_writer w{out};
  w.begin(sizeof...(Ts));
  (w.arg(xs), ...);
}

} // namespace pulse::resp
