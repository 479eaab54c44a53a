#define CAF_SUITE integration.batches

#include "support/sink_fixture.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Actors that get the events of sinks and readers in batches.

namespace {

using batch_reaction = std::function<batch_outcome(const event_batch&)>;

struct fixture : sink_fixture {
  // A subscriber that records the events of each batch.
  caf::actor spawn_subscriber(batch_reaction react = {}) {
    return sys.spawn([out = seen, react](caf::event_based_actor*) {
      return caf::behavior{
        [out, react](const event_batch& xs) -> caf::result<batch_outcome> {
          for (const auto& x : xs)
            out.add(x, std::to_string(xs.size()));
          return react ? react(xs) : batch_outcome{};
        },
      };
    });
  }

  static int number(const event& x) {
    return std::stoi(std::string{x.payload()});
  }

  // Whether a batch had more than one event.
  bool saw_batches() {
    const auto all = seen.all();
    return std::any_of(all.begin(), all.end(),
                       [](auto& x) { return x.by != "1"; });
  }
};

constexpr subscription in_batches{0, 50};

} // namespace

CAF_TEST_FIXTURE_SCOPE(batches_tests, fixture)

CAF_TEST(the events of a sink come in batches and in order) {
  constexpr int total = 5'000;
  add_numbers("orders", total);
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_subscriber();
  must(uut.subscribe(w, in_batches));
  CAF_REQUIRE(seen.wait_for_distinct(total));
  CAF_REQUIRE(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), static_cast<size_t>(total));
  CAF_CHECK(saw_batches());
  int last = -1;
  for (const auto& x : seen.all()) {
    CAF_REQUIRE_GREATER(number(x.what), last);
    last = number(x.what);
    CAF_REQUIRE(std::stoi(x.by) <= 50);
  }
  CAF_CHECK_EQUAL(must(uut.info()).acked, static_cast<uint64_t>(total));
  must(uut.close());
  stop(w);
}

CAF_TEST(an event that kills its workers takes no others with it) {
  constexpr int total = 300;
  auto opts = options("billing", {"orders"});
  opts.max_crashes = 3;
  add_numbers("orders", total);
  auto uut = open(opts);
  std::atomic<int> deaths{0};
  std::vector<caf::actor> workers;
  for (int i = 0; i < 4; ++i)
    workers.push_back(
      spawn_subscriber([&](const event_batch& xs) -> batch_outcome {
        for (const auto& x : xs)
          if (number(x) == 150) {
            ++deaths;
            throw std::runtime_error{"poison"};
          }
        return {};
      }));
  for (const auto& w : workers)
    must(uut.subscribe(w, in_batches));
  CAF_REQUIRE(eventually([&] {
    const auto x = must(uut.info());
    return x.acked + x.dead_letters == total && x.held == 0;
  }));
  CAF_CHECK_EQUAL(deaths.load(), 3);
  CAF_CHECK_EQUAL(must(uut.info()).dead_letters, 1u);
  dead_query query;
  query.sink = "billing";
  const auto letters = must(must(ps.stream("orders")).dead_letters(query));
  CAF_REQUIRE_EQUAL(letters.size(), 1u);
  CAF_CHECK_EQUAL(letters[0].payload, "150");
  CAF_CHECK_EQUAL(letters[0].counts.crashes, 3u);
  must(uut.close());
  for (const auto& w : workers)
    stop(w);
}

CAF_TEST(parts of batches fail and topics keep their order) {
  constexpr int total = 2'000;
  constexpr int topics = 100;
  auto opts = options("billing", {"orders"});
  opts.dispatch = dispatch_mode::keyed;
  opts.backoff = {10ms};
  std::vector<new_event> all;
  for (int n = 0; n < total; ++n)
    all.push_back({"n", std::to_string(n), std::to_string(n % topics)});
  for (auto& x : must(must(ps.stream("orders")).add(std::move(all))))
    CAF_REQUIRE(x.code == errc::none);
  auto uut = open(opts);
  std::vector<caf::actor> workers;
  for (int i = 0; i < 2; ++i)
    workers.push_back(spawn_subscriber([](const event_batch& xs) {
      batch_outcome result;
      for (size_t j = 0; j < xs.size(); ++j)
        if (number(xs[j]) % 50 == 0 && xs[j].counts().deliveries == 1)
          result.fail(j, make_error({errc::unavailable, "once"}));
      return result;
    }));
  for (const auto& w : workers)
    must(uut.subscribe(w, in_batches));
  CAF_REQUIRE(eventually([&] { return must(uut.info()).acked == total; }));
  CAF_CHECK_EQUAL(must(uut.info()).nacks, 40u);
  CAF_CHECK_EQUAL(seen.size(), size_t{total + 40});
  CAF_CHECK(saw_batches());
  std::map<std::string, int> last;
  for (const auto& x : seen.all()) {
    auto& before = last.emplace(x.what.topic(), -1).first->second;
    CAF_REQUIRE(number(x.what) >= before);
    before = number(x.what);
  }
  must(uut.close());
  for (const auto& w : workers)
    stop(w);
}

CAF_TEST(manual workers acknowledge batches with one message) {
  auto opts = options("billing", {"orders"});
  opts.ack = ack_mode::manual;
  add_numbers("orders", 500);
  auto uut = open(opts);
  auto w = spawn_subscriber(
    [self = uut.handle()](const event_batch& xs) -> batch_outcome {
      caf::anon_send(self, atom::ack_v, xs.deliveries());
      return {};
    });
  must(uut.subscribe(w, in_batches));
  CAF_REQUIRE(seen.wait_for_distinct(500));
  CAF_REQUIRE(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 500u);
  must(uut.close());
  stop(w);
}

CAF_TEST(the events of a reader come in batches and in order) {
  constexpr int total = 5'000;
  add_numbers("orders", total);
  reader_options opts;
  opts.streams = {"orders"};
  opts.start = start_position::oldest();
  auto uut = must(ps.reader(opts));
  auto w = spawn_subscriber();
  must(uut.subscribe(w, in_batches));
  CAF_REQUIRE(seen.wait_for_count(total));
  CAF_CHECK(saw_batches());
  int last = -1;
  for (const auto& x : seen.all()) {
    CAF_REQUIRE_EQUAL(number(x.what), last + 1);
    last = number(x.what);
  }
  CAF_CHECK_EQUAL(must(uut.info()).delivered, static_cast<uint64_t>(total));
  must(uut.close());
  stop(w);
}

CAF_TEST_FIXTURE_SCOPE_END()
