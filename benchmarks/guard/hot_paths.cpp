// Runs one hot path for some rounds of 1 000 events each, so that
// scripts/count_instructions can count what an event costs. Without arguments
// it names the paths.

#include "pulse/core/delivery/ledger.hpp"
#include "pulse/core/event_filter.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/add_batch.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/decoder.hpp"

#include "guard/hot_path.hpp"
#include "pure/replies.hpp"
#include "support/allocations.hpp"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>
#include <utility>

namespace pulse::bench {

namespace {

using namespace std::chrono_literals;

// From the bytes of the socket to events.
std::function<void()> decode() {
  auto decoder = std::make_shared<resp::decoder>();
  return [decoder, bytes = reply_with(events, payload)] {
    resp::reply reply;
    std::string_view rest{bytes};
    auto complete = decoder->next(rest, reply);
    auto page = resp::read_page(reply, stream_key({}));
    require(complete && page && page->block->extents.size() == events);
  };
}

std::function<void()> encode_adds() {
  stream_options options;
  options.name = "s";
  return [format = resp::add_format{options},
          x = new_event{"added", std::string(payload, 'x'), "t1"}] {
    resp::add_batch batch{format};
    for (uint32_t i = 0; i < events; ++i)
      batch.append(x, false, "0123456789abcdef");
    require(batch.finish() != nullptr);
  };
}

std::function<void()> encode_acks() {
  return [key = stream_key("s")] {
    std::string bytes;
    resp::command_writer writer{bytes};
    writer.begin(3 + events);
    writer.arg("XACK").arg(key).arg("sink");
    for (uint64_t i = 0; i < events; ++i)
      writer.arg(event_id{1'700'000'000'000, i});
    require(bytes.size() > events);
  };
}

// Events go to two workers and are acknowledged.
std::function<void()> deliver(dispatch_mode how) {
  delivery_ledger::settings settings;
  settings.dispatch = how;
  settings.backoff = {1s};
  auto ledger = std::make_shared<delivery_ledger>(settings, random_engine{1});
  for (const auto worker : {worker_id{1}, worker_id{2}})
    ledger->add_worker(worker, 64);
  return [ledger, block = page_with(events, payload).block,
          out = std::vector<delivery_ledger::dispatch>{},
          actions = std::vector<delivery_ledger::action>{}]() mutable {
    const delivery_ledger::time_point now{1h};
    for (uint32_t i = 0; i < events; ++i)
      ledger->fetched(0, event{block, i, {1, 0, 0}});
    while (ledger->size() > 0) {
      out.clear();
      ledger->dispatch_to(out, now);
      for (const auto& x : out)
        ledger->done(x.what, x.to, now);
      ledger->take_actions(actions);
      for (const auto& x : actions)
        ledger->forget(x.entry);
      actions.clear();
    }
  };
}

std::function<void()> filter(filter_options options) {
  return [block = page_with(events, payload).block,
          wanted = event_filter::compile(options).value()] {
    uint32_t n = 0;
    for (uint32_t i = 0; i < events; ++i)
      n += wanted.wants(event{block, i}) ? 1 : 0;
    require(n == events / 10);
  };
}

std::vector<hot_path> pure_paths() {
  return {
    {"decode", decode},
    {"encode-adds", encode_adds},
    {"encode-acks", encode_acks},
    {"deliver-balanced", [] { return deliver(dispatch_mode::balanced); }},
    {"deliver-keyed", [] { return deliver(dispatch_mode::keyed); }},
    {"deliver-broadcast", [] { return deliver(dispatch_mode::broadcast); }},
    {"filter-topic",
     [] {
       return filter({"t7", {}, {}});
     }},
    {"filter-pattern",
     [] {
       return filter({{}, "t[7x]", {}});
     }},
  };
}

std::vector<hot_path> paths() {
  auto result = pure_paths();
  for (auto& x : actor_paths())
    result.push_back(std::move(x));
  return result;
}

// Prints how often a round allocates, in allocations per 1 000 events.
void run(const hot_path& which, int rounds) {
  const auto round = which.prepare();
  round(); // from now on nothing has to grow
  const auto before = test::count_allocations().count;
  for (int i = 0; i < rounds; ++i)
    round();
  const auto allocations = test::count_allocations().count - before;
  if (rounds > 0)
    std::cout << allocations / static_cast<uint64_t>(rounds) << '\n';
}

} // namespace

} // namespace pulse::bench

int main(int argc, char** argv) {
  using namespace pulse::bench;
  for (const auto& x : paths()) {
    if (argc < 3)
      std::cout << x.name << '\n';
    else if (x.name == argv[1])
      return run(x, std::atoi(argv[2])), 0;
  }
  return argc < 3 ? 0 : 1;
}
