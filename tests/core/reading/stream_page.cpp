#define CAF_SUITE core.reading.stream_page

#include "pulse/core/reading/stream_page.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

// A block with events of the streams a and b.
struct made_block {
  void add(uint32_t stream, uint64_t ms, const std::string& name,
           const std::string& topic, const std::string& payload) {
    event_extent x;
    x.id = {ms, 0};
    x.stream = stream;
    x.has_name = x.has_payload = true;
    append(name, x.name_pos, x.name_len);
    append(topic, x.topic_pos, x.topic_len);
    append(payload, x.payload_pos, x.payload_len);
    block->extents.push_back(x);
  }

  void append(const std::string& part, uint32_t& pos, uint32_t& len) {
    block->bytes += "*";
    pos = static_cast<uint32_t>(block->bytes.size());
    len = static_cast<uint32_t>(part.size());
    block->bytes += part;
  }

  [[nodiscard]] stream_page page(uint32_t begin, uint32_t end) const {
    stream_page result;
    result.stream = block->streams[block->extents[begin].stream];
    result.block = block;
    result.begin = begin;
    result.end = end;
    return result;
  }

  std::shared_ptr<event_block> block
    = std::make_shared<event_block>(event_block{{}, {"a", "b"}, {}, {}});
};

// @returns whether a page has the same events as before, and is detached.
bool is_same_elsewhere(const stream_page& before, const stream_page& now) {
  auto result = before.block != now.block && before.size() == now.size();
  for (uint32_t i = 0; result && i < now.size(); ++i)
    result = event{before.block, before.begin + i}
             == event{now.block, now.begin + i};
  return result;
}

} // namespace

CAF_TEST(a small part of a block gets a block of its own) {
  made_block made;
  made.add(0, 1, "large", "topic", std::string(10'000, 'x'));
  made.add(1, 1, "n1", "t1", "p1");
  made.add(1, 2, "", "", "");
  made.add(1, 3, "n3", "", "p3");
  const auto before = made.page(1, 4);
  auto page = before;
  detach(page);
  CAF_CHECK(is_same_elsewhere(before, page));
  CAF_CHECK_EQUAL(page.block->streams, std::vector<std::string>{"b"});
  CAF_CHECK_LESS(page.block->bytes.size(), 30u);
  auto empty = made.page(2, 3);
  detach(empty);
  CAF_CHECK(is_same_elsewhere(made.page(2, 3), empty));
  CAF_CHECK(empty.block->bytes.empty());
}

CAF_TEST(a page that is most of its block keeps it) {
  made_block made;
  made.add(0, 1, "large", "topic", std::string(10'000, 'x'));
  made.add(1, 1, "n1", "t1", "p1");
  auto page = made.page(0, 1);
  detach(page);
  CAF_CHECK(page.block == made.block);
}

CAF_TEST(a page of the only stream keeps its block) {
  made_block made;
  made.block->streams.pop_back();
  made.add(0, 1, "n", "", "p");
  made.block->bytes += std::string(10'000, 'x');
  auto page = made.page(0, 1);
  detach(page);
  CAF_CHECK(page.block == made.block);
}
