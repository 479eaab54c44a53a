#pragma once

#include "pulse/core/delivery/ledger.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulse::test {

/// A ledger whose Redis answers at once, and the events that it gets.
struct ledger_fixture {
  using ledger = delivery_ledger;
  using kind = ledger::action_kind;

  ledger::time_point now{std::chrono::hours{1}};
  ledger::settings how;

  ledger_fixture() {
    how.ack_wait = std::chrono::seconds{1};
    how.backoff = {milliseconds{100}};
    how.max_deliveries = 4;
    how.max_crashes = 2;
  }

  static std::vector<ledger::action> take_actions(ledger& uut) {
    std::vector<ledger::action> result;
    uut.take_actions(result);
    return result;
  }

  ledger make() {
    return ledger{how, random_engine{1}};
  }

  static event ev(uint64_t id, std::string_view topic = {}) {
    return event::make({"s", {id, 0}}, "n", "p", topic, "k", {1, 0, 0});
  }

  // Reads the contents that the ledger wants.
  static void fetch(ledger& uut) {
    for (const auto& x : uut.take_wanted(1'000))
      uut.found_content(x.entry, ev(x.id.ms));
  }

  std::vector<ledger::dispatch> dispatch(ledger& uut) {
    fetch(uut);
    std::vector<ledger::dispatch> out;
    uut.dispatch_to(out, now);
    return out;
  }

  // The IDs dispatched, as "id>worker" in order.
  std::string plan(ledger& uut) {
    return show(dispatch(uut));
  }

  static std::string show(const std::vector<ledger::dispatch>& xs) {
    std::string result;
    for (const auto& x : xs)
      result += (result.empty() ? "" : " ") + std::to_string(x.content.id().ms)
                + ">" + std::to_string(x.to);
    return result;
  }

  // The IDs whose contents the ledger wants, see found().
  std::string wanted(ledger& uut) {
    reads = uut.take_wanted(1'000);
    std::string result;
    for (const auto& x : reads)
      result += (result.empty() ? "" : " ") + std::to_string(x.id.ms);
    return result;
  }

  void found(ledger& uut, uint64_t id) {
    for (const auto& x : reads)
      if (x.id.ms == id)
        uut.found_content(x.entry, ev(id));
  }

  // The actions since the last call. Redis takes the events that must wait.
  std::string actions(ledger& uut) {
    std::string result;
    for (const auto& x : take_actions(uut)) {
      if (x.kind == kind::delay) {
        delayed.push_back({now + x.pause, x});
        uut.forget(x.entry);
      }
      const char* names[] = {"ack",     "dead",  "delay",
                             "release", "count", "mark"};
      result += (result.empty() ? "" : " ")
                + std::string{names[static_cast<size_t>(x.kind)]}
                + std::to_string(x.id.ms);
    }
    return result;
  }

  // Lets time pass. The events that are due then come back from Redis.
  void pass(ledger& uut, milliseconds time) {
    now += time;
    uut.tick(now);
    for (const auto& [due, x] : std::exchange(delayed, {})) {
      if (due > now) {
        delayed.push_back({due, x});
        continue;
      }
      auto counts = x.counts;
      ++counts.deliveries;
      uut.fetched(x.stream, ev(x.id.ms).with(counts));
    }
  }

  std::vector<std::pair<ledger::time_point, ledger::action>> delayed;
  std::vector<ledger::wanted_content> reads;
};

} // namespace pulse::test
