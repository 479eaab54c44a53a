#include "pulse/resp/share_reply.hpp"

#include <utility>

namespace pulse::resp {

namespace {

constexpr uint32_t parts_of_reply = 14;

// Reads the parts of a reply. After the first failure it reads nothing more.
class part_reader {
public:
  explicit part_reader(cursor& at) : at_(at) {
    // nop
  }

  template <class F>
  auto read(F f) {
    using type = std::decay_t<decltype(*f())>;
    if (!ok)
      return type{};
    auto result = f();
    if (!result)
      ok = result.error();
    return result ? std::move(*result) : type{};
  }

  uint64_t number() {
    return static_cast<uint64_t>(
      read([this] { return read_number(at_, "share"); }));
  }

  std::string_view text() {
    return read([this]() -> outcome<std::string_view> {
      std::string_view result;
      if (!at_.read_text(result))
        return unexpected_reply("share", at_);
      return result;
    });
  }

  partition_set partitions() {
    return read([this]() -> outcome<partition_set> {
      partition_set result;
      uint32_t size = 0;
      if (!at_.read_array(size))
        return unexpected_reply("share", at_);
      for (int64_t x = 0; size > 0; --size) {
        if (!at_.read_integer(x) || x < 0
            || x >= static_cast<int64_t>(partition_count))
          return unexpected_reply("share", at_);
        result.set(static_cast<size_t>(x));
      }
      return result;
    });
  }

  status ok;

private:
  cursor& at_;
};

} // namespace

outcome<share_reply> read_share_reply(const reply& from, std::string stream) {
  cursor at{from};
  if (at.is(node_type::error))
    return error_of(at);
  uint32_t size = 0;
  if (!at.read_array(size) || size != parts_of_reply)
    return unexpected_reply("share", at);
  part_reader next{at};
  share_reply x;
  x.sole = next.number() == 1;
  x.others = next.text();
  x.again = next.number() == 1;
  x.waiting = next.number();
  x.waiting_for_all = next.number();
  x.blocked_by = next.text();
  x.after = next.text();
  x.wake = next.text();
  x.own = next.partitions();
  x.leaving = next.partitions();
  x.own |= x.leaving;
  x.trimmed = next.read([&] { return read_ids(at, "share"); });
  x.facts = next.read([&] { return pending_entries(at); });
  x.pauses = next.read([&] { return read_pauses(at, "share"); });
  if (!next.ok)
    return next.ok.error();
  x.page.block = std::make_shared<event_block>();
  x.page.block->streams.push_back(std::move(stream));
  if (auto ok = read_entries(at, 0, x.page); !ok)
    return ok.error();
  return x;
}

outcome<std::vector<stay_answer>> read_stay_reply(const reply& from,
                                                  size_t streams) {
  cursor at{from};
  if (at.is(node_type::error))
    return error_of(at);
  std::string_view text;
  if (!at.read_text(text) || text.size() != streams
      || text.find_first_not_of("012") != std::string_view::npos)
    return unexpected_reply("stay", at);
  std::vector<stay_answer> result;
  for (auto c : text)
    result.push_back(static_cast<stay_answer>(c));
  return result;
}

outcome<std::vector<wake_up>> read_wake_ups(const reply& from) {
  cursor at{from};
  std::vector<wake_up> result;
  uint32_t streams = 0;
  if (at.is(node_type::error))
    return error_of(at);
  if (at.read_nil())
    return result;
  if (!at.read_array(streams))
    return unexpected_reply("XREAD", at);
  for (; streams > 0; --streams) {
    wake_up x;
    uint32_t pair = 0;
    uint32_t entries = 0;
    if (!at.read_array(pair) || pair != 2 || !at.read_text(x.key)
        || !at.read_array(entries))
      return unexpected_reply("XREAD", at);
    for (; entries > 0; --entries) {
      uint32_t fields = 0;
      std::string_view name;
      if (!at.read_array(pair) || pair != 2 || !at.read_text(x.id)
          || !at.read_array(fields))
        return unexpected_reply("XREAD", at);
      for (; fields > 1; fields -= 2)
        if (!at.read_text(name) || !at.read_text(x.names))
          return unexpected_reply("XREAD", at);
    }
    result.push_back(x);
  }
  return result;
}

} // namespace pulse::resp
