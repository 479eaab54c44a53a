#define CAF_SUITE actors.answer_inbox

#include "pulse/actors/internal/caf/answer_inbox.hpp"

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/request_table.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>

#include "support/recorder.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <caf/test/dsl.hpp>

using namespace pulse;
using namespace pulse::test;
using internal::answer;
using internal::answer_inbox;
using internal::request_table;

namespace {

struct result {
  uint64_t number;
  std::string why;
};

event an_event() {
  return event::make({"s", {1, 0}}, "n", "p");
}

struct fixture : test_coordinator_fixture<pulse::config> {
  std::vector<result> answers;
  int looks = 0;

  caf::actor ask(const caf::actor& worker, uint64_t requests) {
    return sys.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      auto inbox
        = std::make_shared<answer_inbox<caf::event_based_actor*>>(self);
      self->attach_functor([inbox] {});
      for (uint64_t i = 1; i <= requests; ++i)
        inbox->send(i, worker, an_event());
      return {
        [=](caf::update_atom) {
          ++looks;
          std::vector<answer> fresh;
          inbox->take(fresh);
          for (const auto& x : fresh)
            answers.push_back({x.number, x.why ? describe(x.why) : "done"});
        },
      };
    });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(answer_inbox_tests, fixture)

CAF_TEST(one message tells of several answers) {
  recorder seen;
  const auto worker = spawn_worker(sys, seen);
  const auto uut = ask(worker, 3);
  run();
  CAF_REQUIRE_EQUAL(answers.size(), 3u);
  for (uint64_t i = 0; i < 3; ++i) {
    CAF_CHECK_EQUAL(answers[i].number, i + 1);
    CAF_CHECK_EQUAL(answers[i].why, "done");
  }
  CAF_CHECK_EQUAL(looks, 1);
  CAF_CHECK_EQUAL(seen.size(), 3u);
  stop(uut);
  stop(worker);
  run();
}

CAF_TEST(errors and other results) {
  int n = 0;
  recorder seen;
  const auto refusing
    = spawn_worker(sys, seen, "", [](auto*, const event&) { return refuse(); });
  const auto returning = sys.spawn([&n](caf::event_based_actor*) {
    return caf::behavior{[&n](const event&) { return ++n; }};
  });
  const auto a = ask(refusing, 1);
  const auto b = ask(returning, 1);
  run();
  CAF_REQUIRE_EQUAL(answers.size(), 2u);
  CAF_CHECK(answers[0].why.find("unavailable") != std::string::npos);
  CAF_CHECK_EQUAL(answers[1].why, "done");
  for (const auto& x : {a, b, refusing, returning})
    stop(x);
  run();
}

CAF_TEST(a receiver that dies answers) {
  recorder seen;
  const auto worker = spawn_worker(sys, seen, "", keep_unanswered);
  const auto uut = ask(worker, 2);
  stop(worker);
  run();
  // What the worker had begun gets no answer in CAF 0.17.6.
  for (const auto& x : answers)
    CAF_CHECK(x.why != "done");
  const auto late = ask(worker, 1);
  run();
  CAF_CHECK(!answers.empty() && answers.back().why != "done");
  stop(uut);
  stop(late);
  run();
}

CAF_TEST(nobody waits for answers of an actor that is gone) {
  std::vector<caf::response_promise> open;
  const auto worker = sys.spawn([&open](caf::event_based_actor* self) {
    return caf::behavior{[&open, self](const event&) -> caf::result<void> {
      open.push_back(self->make_response_promise());
      return open.back();
    }};
  });
  const auto uut = ask(worker, 2);
  run();
  stop(uut);
  run();
  for (auto& x : open)
    x.deliver(caf::unit);
  open.clear();
  run();
  CAF_CHECK(answers.empty());
  stop(worker);
  run();
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a request is taken once) {
  request_table<std::string> uut;
  const auto a = uut.add("a");
  const auto b = uut.add("b");
  CAF_CHECK(a != b && a != 0);
  CAF_CHECK_EQUAL(uut.size(), 2u);
  CAF_CHECK(uut.take(a) == "a");
  CAF_CHECK(!uut.take(a));
  const auto c = uut.add("c"); // in the place of a
  CAF_CHECK(!uut.take(a));
  CAF_CHECK(!uut.take(0));
  CAF_CHECK(!uut.take(UINT64_MAX));
  CAF_CHECK(uut.take(c) == "c");
  uut.remove_if([](const std::string& x) { return x == "b"; });
  CAF_CHECK(!uut.take(b));
  CAF_CHECK_EQUAL(uut.size(), 0u);
}

CAF_TEST(numbers of requests fit into the ids of CAF) {
  request_table<int> uut;
  std::set<uint64_t> numbers;
  for (int i = 0; i < 1'000; ++i) {
    const auto n = uut.add(i);
    CAF_CHECK(n < uint64_t{1} << 60);
    CAF_CHECK(numbers.insert(n).second);
    if (i % 3 > 0)
      uut.take(n);
  }
  CAF_CHECK_EQUAL(uut.size(), 334u);
}
