#include "pulse/resp/sink_scripts.hpp"

#include "pulse/core/names.hpp"

namespace pulse::resp {

std::string delayed_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "delayed:" + std::string{sink});
}

std::string paused_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "paused:" + std::string{sink});
}

std::string late_acks_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "late-acks:" + std::string{sink});
}

std::string position_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "position:" + std::string{sink});
}

std::string members_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "members:" + std::string{sink});
}

std::string wake_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "wake:" + std::string{sink});
}

} // namespace pulse::resp
