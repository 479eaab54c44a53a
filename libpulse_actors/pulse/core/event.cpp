#include "pulse/core/event.hpp"

namespace pulse {

event event::make(const delivery_id& from, std::string_view name,
                  std::string_view payload, std::string_view topic,
                  std::string_view sink, delivery_counts counts) {
  auto block = std::make_shared<event_block>();
  auto append = [&](std::string_view part) {
    const auto pos = static_cast<uint32_t>(block->bytes.size());
    block->bytes.append(part);
    return pos;
  };
  event_extent x;
  x.id = from.id;
  x.has_name = x.has_payload = true;
  x.name_pos = append(name);
  x.name_len = static_cast<uint32_t>(name.size());
  x.topic_pos = append(topic);
  x.topic_len = static_cast<uint32_t>(topic.size());
  x.payload_pos = append(payload);
  x.payload_len = static_cast<uint32_t>(payload.size());
  block->streams.push_back(from.stream);
  block->extents.push_back(x);
  block->sink = sink;
  return {std::move(block), 0, counts};
}

bool operator==(const event& a, const event& b) noexcept {
  return a.id() == b.id() && a.stream() == b.stream() && a.name() == b.name()
         && a.topic() == b.topic() && a.payload() == b.payload();
}

std::string to_string(const event& x) {
  std::string result{x.stream()};
  result += ' ';
  append_to(result, x.id());
  result.append(" ").append(x.name());
  if (!x.topic().empty())
    result.append(" topic=").append(x.topic());
  return result + " (" + std::to_string(x.payload().size()) + " bytes)";
}

} // namespace pulse
