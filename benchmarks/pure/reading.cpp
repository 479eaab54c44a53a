// What an event of one stream costs the hub if each reader has many streams,
// and what a read costs that brought nothing. Arguments: readers, streams.

#include "pulse/core/reading/page_hub.hpp"

#include "pure/allocations.hpp"
#include "support/made_pages.hpp"

#include <string>
#include <vector>

namespace pulse::bench {

namespace {

using test::empty_page;
using test::made_page;

// Readers that all have the same streams, and ask as reader_tail does.
class readers {
public:
  readers(int64_t count, int64_t streams) {
    for (int64_t i = 0; i < streams; ++i)
      names_.push_back("stream-number-" + std::to_string(i));
    page_request first;
    first.count = 64;
    for (auto& name : names_)
      first.streams.push_back({name, {1, 0}});
    for (int64_t i = 0; i < count; ++i)
      hub_.ask(static_cast<uint64_t>(i), first);
  }

  [[nodiscard]] const std::vector<std::string>& names() const noexcept {
    return names_;
  }

  void event_of(const std::string& stream) {
    const auto at = hub_.tail_of(stream)->after.ms;
    const auto read = hub_.tail_begins(stream, false);
    hub_.tail_came({{made_page(stream, at, at + 1, at + 1), read, false}});
    ask_again();
  }

  void nothing() {
    std::vector<page_hub::tail_result> results;
    for (auto& name : names_) {
      auto page = empty_page(name, hub_.tail_of(name)->after.ms);
      page.checked = true;
      page.found = stream_state{1, 1, {1, 0}, {1, 0}};
      results.push_back({page, hub_.tail_begins(name, true), false});
    }
    hub_.tail_drained(results);
    ask_again();
  }

private:
  void ask_again() {
    for (auto& [who, pages] : hub_.take_answers()) {
      page_request next;
      next.all = false;
      next.count = 64;
      for (auto& page : pages)
        next.streams.push_back(
          {page.stream, page.size() > 0 ? page.last() : page.after});
      hub_.ask(who, next);
    }
    hub_.take_changed();
  }

  page_hub hub_;
  std::vector<std::string> names_;
};

void hub_event(benchmark::State& state) {
  readers uut{state.range(0), state.range(1)};
  per_event result{state};
  for ([[maybe_unused]] auto step : state)
    uut.event_of(uut.names().back());
  result.report(1);
}
BENCHMARK(hub_event)
  ->Args({1, 1})
  ->Args({1, 10'000})
  ->Args({1'000, 1})
  ->Args({1'000, 256});

void hub_nothing(benchmark::State& state) {
  readers uut{state.range(0), state.range(1)};
  uut.nothing(); // so that there is no news any more
  per_event result{state};
  for ([[maybe_unused]] auto step : state)
    uut.nothing();
  result.report(1);
}
BENCHMARK(hub_nothing)->Args({100, 256})->Args({1'000, 256});

} // namespace

} // namespace pulse::bench
