#include "pulse/core/notice.hpp"

namespace pulse {

std::string to_string(notice_kind x) {
  switch (x) {
    case notice_kind::gap:
      return "gap";
    case notice_kind::group_recovered:
      return "group_recovered";
    case notice_kind::stream_reset:
      return "stream_reset";
    case notice_kind::many_failures:
      return "many_failures";
    case notice_kind::consumer_deleted:
      return "consumer_deleted";
  }
  return "unknown"; // of a newer version
}

} // namespace pulse
