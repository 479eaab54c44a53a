#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse::resp {

/// Appends commands in RESP2 (arrays of bulk strings, binary safe) to one
/// buffer: a batch is one buffer, ready for the socket.
///
///     command_writer w{buffer};
///     w.begin(3).arg("XADD").arg(key).arg("*");
class command_writer {
public:
  explicit command_writer(std::string& out) noexcept : out_(&out) {
    // nop
  }

  /// Starts a command of `args` arguments, its name included. The caller must
  /// then add exactly that many.
  command_writer& begin(size_t args);
  command_writer& arg(std::string_view text);
  command_writer& arg(int64_t number);
  command_writer& arg(uint64_t number);
  command_writer& arg(event_id id);

private:
  std::string* out_;
};

/// Appends one whole command of texts and numbers to `out`.
template <class... Ts>
void write_command(std::string& out, const Ts&... xs) {
  command_writer w{out};
  w.begin(sizeof...(Ts));
  (w.arg(xs), ...);
}

} // namespace pulse::resp
