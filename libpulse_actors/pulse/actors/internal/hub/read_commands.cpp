#include "pulse/actors/internal/hub/read_commands.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/stream_replies.hpp"

namespace pulse::internal {

command_ptr read_command(const std::map<std::string, event_id>& streams,
                         uint32_t count, bool blocking) {
  auto result = std::make_shared<command_batch>();
  resp::command_writer w{result->bytes};
  w.begin((blocking ? 6 : 4) + 2 * streams.size());
  w.arg("XREAD").arg("COUNT").arg(uint64_t{count});
  if (blocking) {
    w.arg("BLOCK").arg(int64_t{block_time.count()});
    result->timeout = block_time + block_margin;
  }
  w.arg("STREAMS");
  for (auto& [name, after] : streams)
    w.arg(stream_key(name));
  for (auto& [name, after] : streams)
    w.arg(after);
  result->count = 1;
  return result;
}

command_ptr probe_command(const std::vector<std::string>& streams) {
  auto result = std::make_shared<command_batch>();
  for (auto& name : streams)
    resp::write_command(result->bytes, "XREAD", "COUNT", "1", "STREAMS",
                        stream_key(name), event_id::max());
  result->count = static_cast<uint32_t>(streams.size());
  result->repeatable = true;
  return result;
}

command_ptr position_command(const std::vector<std::string>& streams,
                             bool repeatable) {
  auto result = std::make_shared<command_batch>();
  for (auto& name : streams)
    resp::write_command(result->bytes, "XINFO", "STREAM", stream_key(name));
  result->count = static_cast<uint32_t>(streams.size());
  result->repeatable = repeatable;
  return result;
}

outcome<std::optional<stream_state>> read_position(resp::cursor at) {
  auto facts = resp::read_stream_facts(at);
  if (facts.ok())
    return std::optional{stream_state{facts->length, facts->entries_added,
                                      facts->first, facts->last_generated,
                                      facts->max_deleted}};
  if (facts.error().code == errc::no_such_stream)
    return std::optional<stream_state>{};
  return facts.error();
}

} // namespace pulse::internal
