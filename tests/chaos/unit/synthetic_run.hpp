#pragma once

#include "chaos/checker/checker.hpp"
#include "chaos/checker/loader.hpp"

#include <string>

#include <caf/test/unit_test.hpp>

namespace pulse::chaos {

/// The journals of a small run that a test writes line by line. Times are in
/// milliseconds. Event n of producer p ("p.1:n") has the ID "<n + 1>-0".
class synthetic_run {
public:
  synthetic_run() {
    line(producer, 0, "role producer");
    sink("audit-0", "audit balanced");
    sink("audit-1", "audit balanced");
  }

  static std::string id(int n) {
    return std::to_string(n + 1) + "-0";
  }

  static std::string label(int n) {
    return "p.1:" + std::to_string(n);
  }

  /// Lets the producer add the next event, which is confirmed and stored.
  void add(int64_t at) {
    const auto n = invoke(at);
    confirm(at + 1, n);
    store(n);
  }

  int invoke(int64_t at) {
    line(producer, at, "i " + std::to_string(events_));
    return events_++;
  }

  void confirm(int64_t at, int n) {
    line(producer, at, "o " + std::to_string(n) + " " + id(n));
  }

  void answer(int64_t at, const std::string& what) {
    line(producer, at, what);
  }

  void store(int n) {
    final += "entry " + id(n) + " " + label(n) + "\n";
  }

  void sink(const std::string& slot, const std::string& how) {
    line(nodes[slot], 0, "role sink " + how);
    line(nodes[slot], 1, "g");
  }

  /// Lets a worker begin with an event.
  /// @param failures, crashes Counts of the event; -1: how often its workers
  /// have ended so up to now.
  void start(const std::string& slot, int64_t at, int worker, int n,
             int deliveries = 1, int failures = -1, int crashes = -1) {
    works_at_[{slot, worker}] = n;
    auto count = [&](int given, const char* how) {
      return " " + std::to_string(given >= 0 ? given : ends_[{n, how}]);
    };
    line(nodes[slot], at,
         "s " + std::to_string(worker) + " " + label(n) + " " + id(n) + " "
           + std::to_string(deliveries) + count(failures, "e")
           + count(crashes, "c"));
  }

  /// Lets a worker end with an event: "d", "e", "c" or "l".
  void end(const std::string& slot, int64_t at, int worker,
           const std::string& how = "d") {
    ++ends_[{works_at_[{slot, worker}], how}];
    line(nodes[slot], at, how + " " + std::to_string(worker));
  }

  void handle(const std::string& slot, int64_t at, int worker, int n,
              int deliveries = 1, int failures = -1, int crashes = -1) {
    start(slot, at, worker, n, deliveries, failures, crashes);
    end(slot, at + 2, worker);
  }

  void fault(int64_t begin, int64_t end, const std::string& kind,
             const std::string& slot, const std::string& more = "1") {
    faults += std::to_string(begin * 1'000) + " " + std::to_string(end * 1'000)
              + " " + kind + " " + slot + " " + more + "\n";
  }

  verdict judged() const {
    loader all;
    must(all.add_settings(settings));
    must(all.add_journal("p.1", producer));
    for (const auto& [slot, text] : nodes)
      must(all.add_journal(slot + ".1", text));
    must(all.add_faults(faults));
    must(all.add_samples(samples));
    must(all.add_final(final + groups));
    return judge(all.finish());
  }

  /// @returns how often a rule is violated.
  static uint64_t count(const verdict& x, const std::string& rule) {
    const auto i = x.violations.find(rule);
    return i != x.violations.end() ? i->second.count : 0;
  }

  /// @returns whether a rule is violated this often, and no other rule is.
  static bool only(const verdict& x, const std::string& rule,
                   uint64_t times = 1) {
    const bool result = x.violations.size() == 1 && count(x, rule) == times;
    if (!result)
      CAF_MESSAGE(to_string(x));
    return result;
  }

  static void line(std::string& journal, int64_t at, const std::string& fact) {
    journal += std::to_string(at * 1'000) + " " + fact + "\n";
  }

  std::string settings = "lease_us 1000000\nack_wait_us 2000000\n"
                         "sweep_us 250000\nkeys 4\nfsync always\n";
  std::string producer;
  std::map<std::string, std::string> nodes;
  std::string faults;
  std::string samples;
  std::string final;
  std::string groups = "group audit 0 through\n";

private:
  static void must(const status& x) {
    if (!x)
      CAF_FAIL(x.error().what);
  }

  int events_ = 0;
  std::map<std::pair<std::string, int>, int> works_at_;
  // How often workers ended so with an event.
  std::map<std::pair<int, std::string>, int> ends_;
};

} // namespace pulse::chaos
