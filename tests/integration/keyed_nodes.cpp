#define CAF_SUITE integration.keyed_nodes

#include "pulse/core/log.hpp"

#include "support/sink_fixture.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

// Several nodes share a keyed sink: each works on its own keys, and the events
// of a key keep their order also when keys move to another node.

namespace {

constexpr int topics = 40;

struct member {
  std::string name;
  std::unique_ptr<node> at;
  sink_actor handle;
  std::vector<caf::actor> workers;
};

struct fixture : sink_fixture {
  sink_options keyed() {
    auto result = options("billing", {"orders"});
    result.dispatch = dispatch_mode::keyed;
    return result;
  }

  std::unique_ptr<member> join(const std::string& name) {
    auto result = std::make_unique<member>();
    result->name = name;
    result->at = std::make_unique<node>(server.url());
    auto opened = must(result->at->pulse->sink(keyed()));
    result->handle = opened.handle();
    for (int i = 0; i < 2; ++i) {
      result->workers.push_back(
        spawn_worker(*result->at->sys, seen, name,
                     [](auto*, const event&) { return ok(); }));
      must(opened.subscribe(result->workers.back()));
    }
    sinks.push_back(std::move(opened));
    return result;
  }

  void leave(member& x, pulse::sink& its) {
    must(its.close());
    for (auto& w : x.workers)
      stop(w);
  }

  // Event n has topic n % topics.
  void add(int from, int to) {
    std::vector<new_event> events;
    for (int i = from; i < to; ++i)
      events.push_back(
        {"n", std::to_string(i), "t" + std::to_string(i % topics)});
    for (auto& x : must(must(ps.stream("orders")).add(std::move(events))))
      CAF_REQUIRE(x.code == errc::none);
  }

  // Checks that each event came, once, and in the order of its topic.
  void check_order(int total) {
    std::map<std::string, int> last;
    std::set<int> all;
    for (const auto& x : seen.all()) {
      const auto n = std::stoi(std::string{x.what.payload()});
      const std::string topic{x.what.topic()};
      if (const auto i = last.find(topic); i != last.end() && i->second >= n)
        CAF_FAIL(n << " of " << topic << " came to " << x.by << " after "
                   << i->second);
      last[topic] = n;
      all.insert(n);
    }
    CAF_CHECK_EQUAL(all.size(), static_cast<size_t>(total));
  }

  size_t seen_by(const std::string& name, size_t from = 0) {
    const auto all = seen.all();
    size_t result = 0;
    for (size_t i = from; i < all.size(); ++i)
      result += all[i].by == name ? 1 : 0;
    return result;
  }

  // Who owns how many partitions, for a test that fails.
  std::string owners() {
    std::map<std::string, int> counts;
    std::istringstream in{
      raw({"HGETALL", "{pulse:stream:orders}:members:billing"})};
    for (std::string field, value; in >> field >> value;)
      ++counts[field.find(':') == std::string::npos ? value : field];
    std::string result;
    for (const auto& [who, n] : counts)
      result += who + " " + std::to_string(n) + ", ";
    return result + raw({"XPENDING", "pulse:stream:orders", "billing"});
  }

  std::vector<pulse::sink> sinks;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(keyed_nodes_tests, fixture)

CAF_TEST(nodes that join and leave keep the order of each key) {
  constexpr int part = 3'000;
  auto a = join("a");
  add(0, part);
  auto b = join("b");
  add(part, 2 * part);
  auto c = join("c");
  add(2 * part, 3 * part);
  CAF_REQUIRE(seen.wait_for_count(3 * part));
  // All three have keys now, so each gets events.
  const bool shared = eventually([&] {
    const auto from = seen.all().size();
    add(static_cast<int>(from), static_cast<int>(from) + topics);
    CAF_REQUIRE(seen.wait_for_count(from + topics));
    return seen_by("a", from) > 0 && seen_by("b", from) > 0
           && seen_by("c", from) > 0;
  });
  if (!shared)
    CAF_FAIL("not all nodes have keys: " << owners());
  const auto n = static_cast<int>(seen.all().size());
  add(n, n + part);
  leave(*b, sinks[1]);
  add(n + part, n + 2 * part);
  CAF_REQUIRE(seen.wait_for_count(static_cast<size_t>(n + 2 * part)));
  leave(*a, sinks[0]);
  add(n + 2 * part, n + 3 * part);
  CAF_REQUIRE(seen.wait_for_count(static_cast<size_t>(n + 3 * part)));
  check_order(n + 3 * part);
  CAF_CHECK(drained("orders", "billing"));
  leave(*c, sinks[2]);
}

CAF_TEST(the keys of a node without workers go to the others) {
  auto a = join("a");
  auto b = join("b");
  add(0, 1'000);
  CAF_REQUIRE(seen.wait_for_count(1'000));
  for (auto& w : b->workers) {
    must(sinks[1].unsubscribe(w));
    stop(w);
  }
  add(1'000, 3'000);
  CAF_REQUIRE(seen.wait_for_count(3'000));
  check_order(3'000);
  CAF_CHECK_EQUAL(must(sinks[1].info()).held, 0u);
  for (auto& w : a->workers)
    stop(w);
}

CAF_TEST(a balanced node among keyed ones says so) {
  auto a = join("a");
  std::atomic<bool> said{false};
  set_log_function([&](log_level, std::string_view line) {
    if (line.find("1 other members of this sink have dispatch = keyed")
        != std::string_view::npos)
      said = true;
  });
  node other{server.url()};
  auto balanced = must(other.pulse->sink(options("billing", {"orders"})));
  CAF_CHECK(eventually([&] { return said.load(); }));
  must(balanced.close());
  set_log_function(nullptr);
  leave(*a, sinks[0]);
}

CAF_TEST_FIXTURE_SCOPE_END()
