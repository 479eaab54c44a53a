#define CAF_SUITE integration.inbox

#include "support/sink_fixture.hpp"
#include <poll.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// sink::inbox() and reader::inbox(): events for plain threads.

namespace {

constexpr auto soon = 10s;

int number(const event& x) {
  return std::stoi(std::string{x.payload()});
}

bool is_readable(int fd, std::chrono::milliseconds limit) {
  pollfd what{fd, POLLIN, 0};
  return ::poll(&what, 1, static_cast<int>(limit.count())) == 1;
}

struct fixture : sink_fixture {
  static subscription credit(uint32_t n) {
    subscription result;
    result.credit = n;
    return result;
  }

  static sink_options billing() {
    return options("billing", {"orders"});
  }

  // Takes `n` events of an inbox.
  template <class Inbox>
  static auto take(Inbox& from, size_t n) {
    auto result = must(from.get(n, soon));
    while (result.size() < n) {
      auto more = must(from.get(n - result.size(), soon));
      if (more.empty())
        CAF_FAIL("only " << result.size() << " of " << n << " events came");
      result.insert(result.end(), more.begin(), more.end());
    }
    return result;
  }

  static std::vector<int> numbers(const std::vector<event>& xs) {
    std::vector<int> result;
    for (const auto& x : xs)
      result.push_back(number(x));
    return result;
  }

  // 0, 1, …
  static std::vector<int> first(int n) {
    std::vector<int> result(static_cast<size_t>(n));
    std::iota(result.begin(), result.end(), 0);
    return result;
  }

  template <class T>
  static errc error_of(const caf::expected<T>& x) {
    return x ? errc::none : to_failure(x.error()).code;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(inbox_tests, fixture)

// -- sinks --------------------------------------------------------------------

CAF_TEST(a thread takes the events of a sink and acknowledges them) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox());
  CAF_CHECK(must(inbox.poll(10)).empty());
  add_numbers("orders", 5);
  for (int i = 0; i < 5; ++i) {
    const auto x = take(inbox, 1).front();
    CAF_CHECK_EQUAL(number(*x), i);
    CAF_CHECK_EQUAL(x->stream(), "orders");
    x.ack();
  }
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).acked, 5u);
  CAF_CHECK(must(inbox.get(1, 10ms)).empty());
}

CAF_TEST(an inbox holds as many events as its credit) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox(credit(3)));
  add_numbers("orders", 10);
  CAF_CHECK(eventually([&] { return inbox.available() == 3; }));
  auto held = take(inbox, 3);
  CAF_CHECK(must(inbox.get(1, 200ms)).empty());
  held[1].ack();
  CAF_CHECK_EQUAL(number(*take(inbox, 1).front()), 3);
}

CAF_TEST(what fails is delivered again and what is dropped as well) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox());
  add_numbers("orders", 3);
  {
    auto xs = take(inbox, 3);
    xs[0].fail(make_error({errc::handler_failed, "the bank is closed"}));
    xs[1].fail(term("no such account"));
  } // the third has no outcome
  std::set<int> again;
  for (const auto& x : take(inbox, 2)) {
    CAF_CHECK_EQUAL(x->counts().failures, 1u);
    again.insert(number(*x));
    x.ack();
  }
  CAF_CHECK(again == std::set<int>({0, 2}));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).dead_letters, 1u);
}

CAF_TEST(several threads share an inbox) {
  constexpr int n = 400;
  auto uut = open(billing());
  auto inbox = must(uut.inbox());
  std::mutex mutex;
  std::vector<int> got;
  auto work = [&] {
    for (;;) {
      const auto xs = inbox.get(7, 5s);
      if (!xs || xs->empty())
        return;
      std::unique_lock guard{mutex};
      for (const auto& x : *xs) {
        got.push_back(number(*x));
        x.ack();
      }
      if (got.size() == n)
        inbox.close();
    }
  };
  std::thread one{work};
  std::thread two{work};
  add_numbers("orders", n);
  one.join();
  two.join();
  std::sort(got.begin(), got.end());
  CAF_CHECK(got == first(n));
  CAF_CHECK(drained("orders", "billing"));
}

CAF_TEST(a descriptor shows whether events wait) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox());
  CAF_CHECK(!is_readable(inbox.fd(), 0ms));
  add_numbers("orders", 2);
  CAF_CHECK(is_readable(inbox.fd(), soon));
  take(inbox, 2);
  CAF_CHECK(!is_readable(inbox.fd(), 0ms));
  must(uut.close());
  CAF_CHECK(is_readable(inbox.fd(), soon));
  CAF_CHECK(error_of(inbox.poll(1)) == errc::closed);
}

CAF_TEST(events that wait in an inbox are not late) {
  auto opts = billing();
  opts.ack_wait = 600ms;
  auto uut = open(opts);
  auto inbox = must(uut.inbox());
  add_numbers("orders", 4);
  // Somebody asks, but takes one event at a time.
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(400ms);
    const auto x = take(inbox, 1).front();
    CAF_CHECK_EQUAL(number(*x), i);
    CAF_CHECK_EQUAL(x->counts().deliveries, 1u);
    x.ack();
  }
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).timeouts, 0u);
}

CAF_TEST(an inbox that nobody asks gives its events to others) {
  auto opts = billing();
  opts.ack_wait = 500ms;
  opts.max_deliveries = 2;
  auto uut = open(opts);
  auto idle = must(uut.inbox(credit(8)));
  add_numbers("orders", 8);
  CAF_REQUIRE(eventually([&] { return idle.available() == 8; }));
  auto other = must(uut.inbox(credit(8)));
  std::set<int> got;
  while (got.size() < 8) {
    const auto x = take(other, 1).front();
    CAF_CHECK_EQUAL(x->counts().failures, 0u);
    got.insert(number(*x));
    x.ack();
  }
  CAF_CHECK_EQUAL(idle.available(), 0u);
  CAF_CHECK_EQUAL(must(uut.info()).subscribers, 1u);
  CAF_CHECK(is_readable(idle.fd(), 0ms)); // its thread shall ask
  other.close();
  add_numbers("orders", 1, 8);
  const auto x = take(idle, 1).front(); // it has subscribed again
  CAF_CHECK_EQUAL(number(*x), 8);
  x.ack();
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).dead_letters, 0u);
}

CAF_TEST(closing an inbox gives back what nobody took) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox(credit(4)));
  add_numbers("orders", 4);
  CAF_REQUIRE(eventually([&] { return inbox.available() == 4; }));
  const auto taken = take(inbox, 1).front();
  inbox.close();
  CAF_CHECK(error_of(inbox.get(1, soon)) == errc::closed);
  taken.ack(); // still counts
  auto other = must(uut.inbox());
  for (const auto& x : take(other, 3)) {
    CAF_CHECK_EQUAL(x->counts().failures, 0u);
    CAF_CHECK_NOT_EQUAL(number(*x), 0);
    x.ack();
  }
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).acked, 4u);
}

CAF_TEST(a sink in manual mode gets the outcomes as messages) {
  auto opts = billing();
  opts.ack = ack_mode::manual;
  auto uut = open(opts);
  auto inbox = must(uut.inbox());
  add_numbers("orders", 2);
  auto xs = take(inbox, 2);
  xs[0].ack();
  xs[1].fail(make_error({errc::handler_failed, "later"}));
  const auto again = take(inbox, 1).front();
  CAF_CHECK_EQUAL(number(*again), 1);
  again.ack();
  CAF_CHECK(drained("orders", "billing"));
}

CAF_TEST(a sink without acks has an inbox as well) {
  auto opts = billing();
  opts.ack = ack_mode::none;
  auto uut = open(opts);
  auto inbox = must(uut.inbox());
  add_numbers("orders", 3);
  for (const auto& x : take(inbox, 3))
    x.ack();
  CAF_CHECK(must(inbox.get(1, 100ms)).empty());
}

CAF_TEST(an inbox goes on with a sink that is started again) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox());
  add_numbers("orders", 2);
  CAF_REQUIRE(eventually([&] { return inbox.available() == 2; }));
  caf::anon_send_exit(uut.handle().address(), caf::exit_reason::kill);
  std::set<int> got;
  for (bool added = false; got.size() < 4;) {
    for (const auto& x : take(inbox, 1)) {
      got.insert(number(*x));
      x.ack();
    }
    if (got.size() >= 2 && !std::exchange(added, true))
      add_numbers("orders", 2, 2);
  }
  // Acks to the sink that died do not count.
  CAF_CHECK(eventually([&] {
    for (const auto& x : must(inbox.get(10, 10ms)))
      x.ack();
    return raw.pending("orders", "billing") == 0;
  }));
}

CAF_TEST(the end of a sink ends its inbox) {
  auto uut = open(billing());
  auto inbox = must(uut.inbox());
  CAF_CHECK(error_of(inbox.get(0, soon)) == errc::invalid_option);
  CAF_CHECK(error_of(uut.inbox({0, 10})) == errc::invalid_option); // batches
  std::thread closer{[&] {
    std::this_thread::sleep_for(100ms);
    must(uut.close());
  }};
  CAF_CHECK(error_of(inbox.get(1, 60s)) == errc::closed);
  closer.join();
  CAF_CHECK(error_of(uut.inbox()) == errc::closed);
}

// -- readers ------------------------------------------------------------------

CAF_TEST(a thread takes the events of a reader) {
  constexpr int n = 1'000;
  reader_options opts;
  opts.name = "audit";
  opts.streams = {"orders"};
  opts.start = start_position::oldest();
  auto uut = must(ps.reader(opts));
  auto inbox = must(uut.inbox(credit(64)));
  add_numbers("orders", n);
  CAF_CHECK(is_readable(inbox.fd(), soon));
  CAF_CHECK(numbers(take(inbox, n)) == first(n));
  CAF_CHECK(must(inbox.poll(1)).empty());
  CAF_CHECK(!is_readable(inbox.fd(), 0ms));
}

CAF_TEST(what came before a reader was closed can be taken) {
  reader_options opts;
  opts.streams = {"orders"};
  opts.start = start_position::oldest();
  auto uut = must(ps.reader(opts));
  auto inbox = must(uut.inbox());
  add_numbers("orders", 3);
  CAF_REQUIRE(eventually([&] { return inbox.available() == 3; }));
  must(uut.close());
  CAF_CHECK(numbers(take(inbox, 3)) == first(3));
  CAF_CHECK(error_of(inbox.get(1, soon)) == errc::closed);
}

CAF_TEST(a reader that is started again goes on in its inbox) {
  reader_options opts;
  opts.name = "audit";
  opts.streams = {"orders"};
  opts.start = start_position::oldest();
  auto uut = must(ps.reader(opts));
  auto inbox = must(uut.inbox());
  add_numbers("orders", 2);
  CAF_CHECK(numbers(take(inbox, 2)) == first(2));
  caf::anon_send_exit(uut.handle().address(), caf::exit_reason::kill);
  add_numbers("orders", 1, 2);
  // What was not acknowledged to the reader that died may come again.
  while (number(take(inbox, 1).front()) != 2) {
    // nop
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
