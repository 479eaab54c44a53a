#include "pulse/actors/internal/runtime/advice.hpp"

#include <string>

namespace pulse::internal {

namespace {

bool is_text_of_redis(errc x) {
  switch (x) {
    case errc::wrong_type:
    case errc::out_of_memory:
    case errc::read_only:
    case errc::loading:
    case errc::permission_denied:
    case errc::no_such_stream:
    case errc::stream_full:
    case errc::dedup_conflict:
    case errc::retention_conflict:
      return true;
    default:
      return false;
  }
}

} // namespace

failure with_advice(std::string_view where, const failure& x) {
  auto text = std::string{where} + ": " + x.what;
  if (is_text_of_redis(x.code))
    text.append(" (").append(advice(x.code)).append(")");
  return {x.code, std::move(text)};
}

} // namespace pulse::internal
