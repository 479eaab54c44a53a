#include "pulse/core/notice.hpp"

namespace pulse {

std::string to_string(notice::kind x) {
  switch (x) {
    case notice::kind::gap:
      return "gap";
    case notice::kind::group_recovered:
      return "group_recovered";
    case notice::kind::stream_reset:
      return "stream_reset";
  }
  return "unknown"; // of a newer version
}

} // namespace pulse
