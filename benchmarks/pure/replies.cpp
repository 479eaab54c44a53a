#include "pure/replies.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/decoder.hpp"

#include <stdexcept>

namespace pulse::bench {

namespace {

std::string bulk(const std::string& x) {
  return "$" + std::to_string(x.size()) + "\r\n" + x + "\r\n";
}

std::string array_of(size_t n) {
  return "*" + std::to_string(n) + "\r\n";
}

} // namespace

std::string reply_with(size_t events, size_t payload) {
  auto result = array_of(1) + array_of(2) + bulk(stream_key("s"))
                + array_of(events);
  const auto content = bulk(std::string(payload, 'x'));
  for (size_t i = 0; i < events; ++i)
    result += array_of(2) + bulk("1700000000000-" + std::to_string(i))
              + array_of(6) + bulk("n") + bulk("added") + bulk("p") + content
              + bulk("t") + bulk("t" + std::to_string(i % 10));
  return result;
}

resp::event_page page_with(size_t events, size_t payload) {
  const auto bytes = reply_with(events, payload);
  resp::decoder decoder;
  resp::reply reply;
  std::string_view rest{bytes};
  if (auto complete = decoder.next(rest, reply); !complete || !*complete)
    throw std::logic_error("the reply is not complete");
  auto result = resp::read_page(reply, stream_key({}));
  if (!result)
    throw std::logic_error(to_string(result.error()));
  return std::move(*result);
}

} // namespace pulse::bench
