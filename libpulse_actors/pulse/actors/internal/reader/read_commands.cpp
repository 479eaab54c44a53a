#include "pulse/actors/internal/reader/read_commands.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/stream_replies.hpp"

namespace pulse::internal {

command_ptr range_command(const subscriber_feed::missing_range& range) {
  auto result = std::make_shared<command_batch>();
  resp::write_command(result->bytes, "XRANGE", stream_key(range.stream),
                      "(" + to_string(range.after), range.until, "COUNT",
                      uint64_t{range.count});
  result->count = 1;
  result->repeatable = true;
  return result;
}

} // namespace pulse::internal
