#define CAF_SUITE memory.ledger

#include "pulse/core/delivery/ledger.hpp"

#include "support/allocations.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

constexpr worker_id alice = 1;

// Makes a page of events; each has a topic of its own if there are none given.
std::vector<event> page(uint64_t first, size_t count, size_t topics) {
  auto block = std::make_shared<event_block>();
  block->streams = {"s"};
  std::vector<event> result;
  for (uint64_t i = 0; i < count; ++i) {
    event_extent x;
    x.id = {first + i, 0};
    x.has_name = x.has_payload = true;
    const auto text = std::to_string(i % topics);
    x.topic_pos = static_cast<uint32_t>(block->bytes.size());
    x.topic_len = static_cast<uint32_t>(text.size());
    block->bytes += text;
    block->extents.push_back(x);
  }
  for (uint32_t i = 0; i < count; ++i)
    result.emplace_back(block, i, delivery_counts{1, 0, 0});
  return result;
}

struct fixture {
  explicit fixture(dispatch_mode how)
    : uut{settings_for(how), random_engine{1}} {
    uut.add_worker(alice, 64);
  }

  static delivery_ledger::settings settings_for(dispatch_mode how) {
    delivery_ledger::settings result;
    result.dispatch = how;
    result.backoff = {10min};
    return result;
  }

  // Hands over all events, and passes each to `answer`.
  template <class F>
  void work(F answer) {
    for (;;) {
      out.clear();
      uut.dispatch_to(out, now);
      if (out.empty())
        return;
      for (const auto& x : out)
        answer(x);
      uut.take_actions(actions);
      for (const auto& x : actions)
        if (x.kind == delivery_ledger::action_kind::ack)
          uut.forget(x.entry);
      actions.clear();
    }
  }

  delivery_ledger uut;
  delivery_time now{1h};
  std::vector<delivery_ledger::dispatch> out;
  std::vector<delivery_ledger::action> actions;
};

// Returns how many allocations the ledger needs for one event, after it has
// handled some.
double allocations_per_event(dispatch_mode how, size_t topics) {
  constexpr size_t events = 1'000;
  fixture x{how};
  uint64_t count = 0;
  constexpr uint64_t rounds = 20;
  for (uint64_t round = 0; round < 2 * rounds; ++round) {
    const auto all = page(1 + round * events, events, topics);
    const auto before = count_allocations().count;
    for (const auto& y : all)
      x.uut.fetched(0, y);
    x.work([&](const auto& y) { x.uut.done(y.what, y.to, x.now); });
    CAF_REQUIRE_EQUAL(x.uut.size(), 0u);
    if (round >= rounds)
      count += count_allocations().count - before;
  }
  return static_cast<double>(count) / static_cast<double>(rounds * events);
}

} // namespace

CAF_TEST(an event that waits for its next attempt takes at most 200 bytes) {
  constexpr size_t events = 10'000; // 10 times max_in_flight
  fixture x{dispatch_mode::keyed};
  x.work([](const auto&) {});
  const auto before = count_allocations().bytes;
  for (uint64_t i = 0; i < events; i += 1'000) {
    for (const auto& y : page(1 + i, 1'000, 1'000))
      x.uut.fetched(static_cast<uint32_t>(i), y);
    x.work([&](const auto& y) { x.uut.failed(y.what, y.to, "no", {}, x.now); });
  }
  CAF_REQUIRE_EQUAL(x.uut.waiting(), events);
  CAF_CHECK_EQUAL(x.uut.bytes(), 0u);
  const auto each = (count_allocations().bytes - before)
                    / static_cast<int64_t>(events);
  CAF_MESSAGE("bytes per event: " << each);
  CAF_CHECK(each <= 200);
}

CAF_TEST(an event costs no allocation) {
  const auto balanced = allocations_per_event(dispatch_mode::balanced, 100);
  const auto keyed = allocations_per_event(dispatch_mode::keyed, 100);
  const auto own_keys = allocations_per_event(dispatch_mode::keyed, 1'000);
  CAF_MESSAGE("allocations per event: " << balanced << ", keyed " << keyed
                                        << ", with keys of its own "
                                        << own_keys);
  CAF_CHECK(balanced < 0.05);
  CAF_CHECK(keyed < 0.05);
  CAF_CHECK(own_keys < 0.05);
}
