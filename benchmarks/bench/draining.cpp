#include "bench/draining.hpp"

#include "pulse/core/names.hpp"

namespace pulse::bench {

size_t events_of_stream(const stage& at) {
  return at.how().events(200'000);
}

void fill_stream(stage& at) {
  at.raw().fill(full_stream, events_of_stream(at), at.how().payload);
}

void drain_with_hiredis(raw_client& at, const std::string& stream,
                        const std::string& group, size_t events) {
  const auto key = stream_key(stream);
  for (size_t seen = 0; seen < events;) {
    const auto reply = at.run({"XREADGROUP", "GROUP", group, "me", "COUNT",
                               "1000", "BLOCK", "1000", "STREAMS", key, ">"});
    if (reply->type != REDIS_REPLY_ARRAY)
      continue;
    const auto& entries = *reply->element[0]->element[1];
    at.append_formatted(ack_command(stream, group, entries));
    at.read();
    seen += entries.elements;
  }
}

std::string ack_command(const std::string& stream, const std::string& group,
                        const redisReply& entries) {
  std::string result = "*" + std::to_string(entries.elements + 3);
  auto add = [&](const std::string& x) {
    result += "\r\n$" + std::to_string(x.size()) + "\r\n" + x;
  };
  add("XACK");
  add(stream_key(stream));
  add(group);
  for (size_t i = 0; i < entries.elements; ++i)
    add(entries.element[i]->element[0]->str);
  return result + "\r\n";
}

} // namespace pulse::bench
