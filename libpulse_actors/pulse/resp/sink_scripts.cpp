#include "pulse/resp/sink_scripts.hpp"

#include "pulse/core/names.hpp"

namespace pulse::resp {

std::string delayed_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "delayed:" + std::string{sink});
}

} // namespace pulse::resp
