#include "pulse/actors/errors.hpp"

#include "pulse/actors/type_ids.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

namespace pulse {

namespace {

// @returns what CAF's error of a request means for its sender.
errc fitting_errc(caf::sec x) {
  switch (x) {
    case caf::sec::request_timeout:
      return errc::timed_out;
    case caf::sec::cannot_forward_to_invalid_actor:
      return errc::closed;
    case caf::sec::cannot_connect_to_node:
    case caf::sec::no_route_to_receiving_node:
    case caf::sec::disconnect_during_handshake:
    case caf::sec::connection_timeout:
      return errc::connect_failed;
    default:
      return errc::internal;
  }
}

failure from_foreign(const caf::error& x) {
  auto text = caf::to_string(x);
  if (is_error_of<caf::sec>(x)) {
    const auto code = static_cast<caf::sec>(x.code());
    if (code == caf::sec::request_receiver_down)
      return {errc::closed, "the actor that was asked has ended"};
    return {fitting_errc(code), "CAF: " + caf::to_string(code) + ", " + text};
  }
  if (is_error_of<caf::exit_reason>(x)) {
    const auto code = static_cast<caf::exit_reason>(x.code());
    return {errc::closed, "the actor ended: " + caf::to_string(code)};
  }
  return {errc::internal, "unknown kind of error: " + text};
}

} // namespace

caf::error make_error(const failure& x) {
  if (x.code == errc::none)
    return caf::none;
  return caf::make_error(x.code, x.what);
}

failure to_failure(const caf::error& x) {
  if (!x)
    return {};
  if (!is_error_of<errc>(x))
    return from_foreign(x);
  failure result{static_cast<errc>(x.code()), {}};
  const auto& context = x.context();
  if (context.match_elements<std::string>())
    result.what = context.get_as<std::string>(0);
  else if (!context.empty())
    result.what = caf::deep_to_string(context);
  else
    result.what = advice(result.code);
  return result;
}

std::string describe(const caf::error& x) {
  return to_string(to_failure(x));
}

} // namespace pulse
