#define CAF_SUITE core.event

#include "pulse/core/event.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

const delivery_id from{"orders", {17, 3}};

} // namespace

CAF_TEST(an event has the parts that it was made of) {
  const auto x = event::make(from, "placed", std::string_view{"a\0b", 3}, "eu",
                             "billing", {3, 2, 1});
  CAF_CHECK(x.id() == from.id);
  CAF_CHECK_EQUAL(x.stream(), "orders");
  CAF_CHECK_EQUAL(x.sink(), "billing");
  CAF_CHECK_EQUAL(x.name(), "placed");
  CAF_CHECK_EQUAL(x.topic(), "eu");
  CAF_CHECK_EQUAL(x.payload(), std::string_view("a\0b", 3));
  CAF_CHECK(x.well_formed());
  CAF_CHECK_EQUAL(x.counts().deliveries, 3u);
  CAF_CHECK_EQUAL(x.counts().failures, 2u);
  CAF_CHECK_EQUAL(x.counts().crashes, 1u);
  CAF_CHECK_EQUAL(x.delivery().stream, "orders");
  CAF_CHECK(x.delivery().id == from.id);
}

CAF_TEST(topic and sink and payload may be empty) {
  const auto x = event::make(from, "placed", "");
  CAF_CHECK(x.topic().empty());
  CAF_CHECK(x.sink().empty());
  CAF_CHECK(x.payload().empty());
  CAF_CHECK(x.well_formed());
}

CAF_TEST(a default event is of no stream) {
  const event x;
  CAF_CHECK(x.id() == event_id::min());
  CAF_CHECK(x.stream().empty());
  CAF_CHECK(x.sink().empty());
  CAF_CHECK(x.name().empty());
  CAF_CHECK(x.topic().empty());
  CAF_CHECK(x.payload().empty());
  CAF_CHECK(!x.well_formed());
}

CAF_TEST(copies share the bytes and keep them alive) {
  event copy;
  const char* bytes = nullptr;
  {
    const auto original = event::make(from, "placed", "payload");
    copy = original;
    bytes = original.payload().data();
  }
  CAF_CHECK(copy.payload().data() == bytes);
  CAF_CHECK_EQUAL(copy.payload(), "payload");
}

CAF_TEST(other counts leave the rest and the original as they are) {
  const auto original = event::make(from, "placed", "payload");
  const auto x = original.with({5, 4, 0});
  CAF_CHECK_EQUAL(x.counts().deliveries, 5u);
  CAF_CHECK_EQUAL(original.counts().deliveries, 0u);
  CAF_CHECK(x.payload().data() == original.payload().data());
  CAF_CHECK(x == original);
}

CAF_TEST(equality compares what was stored) {
  const auto x = event::make(from, "placed", "payload", "eu");
  CAF_CHECK(x == event::make(from, "placed", "payload", "eu", "billing"));
  CAF_CHECK(x != event::make({"other", from.id}, "placed", "payload", "eu"));
  CAF_CHECK(x != event::make({"orders", {17, 4}}, "placed", "payload", "eu"));
  CAF_CHECK(x != event::make(from, "shipped", "payload", "eu"));
  CAF_CHECK(x != event::make(from, "placed", "other", "eu"));
  CAF_CHECK(x != event::make(from, "placed", "payload", "us"));
}

CAF_TEST(an entry without name or payload is not well formed) {
  auto block = std::make_shared<event_block>();
  block->streams.emplace_back("orders");
  block->extents.resize(2);
  block->extents[0].has_name = true;
  block->extents[1].has_payload = true;
  CAF_CHECK(!event(block, 0).well_formed());
  CAF_CHECK(!event(block, 1).well_formed());
}

CAF_TEST(the text for logs does not show the payload) {
  CAF_CHECK_EQUAL(to_string(event::make(from, "placed", "secret", "eu")),
                  "orders 17-3 placed topic=eu (6 bytes)");
  CAF_CHECK_EQUAL(to_string(event::make(from, "placed", "")),
                  "orders 17-3 placed (0 bytes)");
}
