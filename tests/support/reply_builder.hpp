#pragma once

#include "pulse/resp/reply.hpp"

#include <string>
#include <string_view>

namespace pulse::test {

/// Writes replies as Redis would answer them, node by node:
///
///     reply_builder{}.array(2).text("1-0").nil().done()
class reply_builder {
public:
  reply_builder& array(uint32_t size) {
    return node(resp::node_type::array, size, 0);
  }

  reply_builder& integer(int64_t value) {
    return node(resp::node_type::integer, 0, value);
  }

  reply_builder& nil() {
    return node(resp::node_type::nil, 0, 0);
  }

  reply_builder& text(std::string_view x) {
    return text_node(resp::node_type::string, x);
  }

  reply_builder& status(std::string_view x) {
    return text_node(resp::node_type::status, x);
  }

  reply_builder& error(std::string_view x) {
    return text_node(resp::node_type::error, x);
  }

  /// An array of texts.
  template <class... Ts>
  reply_builder& texts(const Ts&... xs) {
    array(sizeof...(Ts));
    (text(xs), ...);
    return *this;
  }

  /// A stream's entry: [id, [field, value…]].
  template <class... Ts>
  reply_builder& entry(std::string_view id, const Ts&... fields) {
    return array(2).text(id).texts(fields...);
  }

  [[nodiscard]] resp::reply done(uint32_t count = 1) {
    reply_.count = count;
    return std::move(reply_);
  }

private:
  reply_builder& node(resp::node_type type, uint32_t size, int64_t value) {
    reply_.nodes.push_back({type, size, value});
    return *this;
  }

  reply_builder& text_node(resp::node_type type, std::string_view x) {
    const auto pos = static_cast<int64_t>(reply_.bytes.size());
    reply_.bytes.append(x);
    return node(type, static_cast<uint32_t>(x.size()), pos);
  }

  resp::reply reply_;
};

} // namespace pulse::test
