#define CAF_SUITE core.delivery.worker_table

#include "pulse/core/delivery/worker_table.hpp"

#include <map>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::literals;

namespace {

struct fixture {
  delivery_time now{1h};
  worker_table uut{1s};

  static delivery_ticket ticket(uint64_t serial) {
    return {0, 1, serial};
  }

  void give(worker_id to, uint64_t serial) {
    uut.assign(*uut.find(to), ticket(serial), 0, {serial, 0}, false, now);
  }

  // Assigns events in one turn. @returns the numbers of their batches.
  std::string give_all(worker_id to, std::initializer_list<uint64_t> serials,
                       bool alone = false) {
    uut.begin_messages();
    std::string result;
    for (auto x : serials)
      result += (result.empty() ? "" : " ")
                + std::to_string(
                  uut.assign(*uut.find(to), ticket(x), 0, {x, 0}, alone, now));
    return result;
  }

  // Whether a worker takes an event if so many wait.
  bool takes(worker_id x, size_t waiting, bool alone = false) {
    return uut.takes(*uut.find(x), {0, alone, waiting});
  }

  bool answer(worker_id by, uint64_t serial) {
    return uut.answered(by, ticket(serial), now).was_stuck;
  }

  // The probes to send, as "worker:number".
  std::string probes() {
    std::vector<worker_table::probe> all;
    uut.take_probes(all);
    std::string result;
    for (const auto& x : all)
      result += (result.empty() ? "" : " ") + std::to_string(x.to) + ":"
                + std::to_string(x.number);
    return result;
  }

  size_t load(worker_id x) {
    return uut.find(x)->load();
  }

  // What is given up: what is late, as "1+2" if it is a batch, then what was
  // behind it.
  std::string take_back(worker_id x) {
    worker_table::taken_back out;
    if (!uut.take_back(*uut.find(x), now, out))
      return "";
    std::string result;
    for (auto& h : out.late)
      result += (result.empty() ? "" : "+") + std::to_string(h.what.serial);
    for (auto& h : out.behind)
      result += " " + std::to_string(h.what.serial);
    return result + (out.stuck ? " stuck" : "");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(worker_table_tests, fixture)

CAF_TEST(whoever holds the least is chosen and equals take turns) {
  uut.add(1, 2);
  uut.add(2, 2);
  for (worker_id expected : {1u, 2u, 1u, 2u}) {
    auto* w = uut.least_loaded({});
    CAF_REQUIRE(w != nullptr);
    CAF_CHECK_EQUAL(w->id, expected);
    uut.assign(*w, ticket(expected), 0, {expected, 0}, false, now);
  }
  CAF_CHECK(uut.least_loaded({}) == nullptr);
}

CAF_TEST(whom to avoid is chosen if there is nobody else) {
  uut.add(1, 5);
  CAF_CHECK_EQUAL(uut.least_loaded({1})->id, 1u);
  uut.add(2, 5);
  give(2, 1);
  CAF_CHECK_EQUAL(uut.least_loaded({1})->id, 2u);
}

CAF_TEST(a key has one owner and moves only if that one goes) {
  for (worker_id id = 1; id <= 4; ++id)
    uut.add(id, 1);
  std::map<uint64_t, worker_id> owners;
  for (uint64_t key = 0; key < 200; ++key)
    owners[key] = uut.owner_of(key)->id;
  uut.find(2)->leaving = true;
  size_t moved = 0;
  for (auto& [key, owner] : owners) {
    const auto now_at = uut.owner_of(key)->id;
    if (owner == 2)
      ++moved;
    else
      CAF_CHECK_EQUAL(now_at, owner);
    CAF_CHECK_NOT_EQUAL(now_at, 2u);
  }
  CAF_CHECK(moved > 20u);
}

CAF_TEST(credit is counted of those who stay and slots of those who are ready) {
  uut.add(1, 3);
  uut.add(2, 4);
  give(1, 1);
  CAF_CHECK_EQUAL(uut.capacity(), 7u);
  CAF_CHECK_EQUAL(uut.free_slots(), 6u);
  uut.find(2)->leaving = true;
  CAF_CHECK_EQUAL(uut.capacity(), 3u);
  CAF_CHECK_EQUAL(uut.free_slots(), 2u);
  uut.add(2, 1);
  CAF_CHECK_EQUAL(uut.capacity(), 4u);
}

CAF_TEST(the clock of an event starts when it is the oldest) {
  uut.add(1, 5);
  give(1, 1);
  give(1, 2);
  now += 900ms;
  answer(1, 1);
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  now += 100ms;
  CAF_CHECK_EQUAL(take_back(1), "2 stuck");
}

CAF_TEST(a silent worker is stuck and loses all until it answers) {
  uut.add(1, 5);
  for (uint64_t i = 1; i <= 3; ++i)
    give(1, i);
  now += 1s;
  CAF_CHECK_EQUAL(take_back(1), "1 2 3 stuck");
  CAF_CHECK_EQUAL(take_back(1), "");
  CAF_CHECK_EQUAL(load(1), 3u);
  CAF_CHECK(uut.find(1)->stuck);
  CAF_CHECK(uut.owner_of(7) == nullptr);
  CAF_CHECK(answer(1, 2)); // nothing will be heard of the first one
  CAF_CHECK_EQUAL(load(1), 1u);
  CAF_CHECK(!answer(1, 3));
  CAF_CHECK_EQUAL(load(1), 0u);
}

CAF_TEST(a worker that answered others meanwhile loses only the oldest) {
  uut.add(1, 5);
  for (uint64_t i = 1; i <= 3; ++i)
    give(1, i);
  now += 500ms;
  answer(1, 2);
  now += 500ms;
  CAF_CHECK_EQUAL(take_back(1), "1");
  CAF_CHECK(!uut.find(1)->stuck);
}

CAF_TEST(what was taken back costs credit until the worker answers a probe) {
  uut.add(1, 2);
  give(1, 1);
  give(1, 2);
  CAF_CHECK_EQUAL(probes(), "");
  now += 1s;
  CAF_CHECK_EQUAL(take_back(1), "1 2 stuck");
  CAF_CHECK_EQUAL(probes(), "1:1");
  CAF_CHECK_EQUAL(probes(), "");
  now += 1h;
  CAF_CHECK_EQUAL(uut.free_slots(), 0u);
  CAF_CHECK_EQUAL(uut.capacity(), 0u);
  CAF_CHECK(!uut.answered_probe({2, 1})); // nobody
  CAF_CHECK(uut.answered_probe({1, 1}));
  CAF_CHECK_EQUAL(uut.free_slots(), 2u);
  CAF_CHECK_EQUAL(uut.capacity(), 2u);
  CAF_CHECK(!uut.answered_probe({1, 1}));
}

CAF_TEST(a probe says nothing about events that were taken back after it) {
  uut.add(1, 3);
  give(1, 1);
  give(1, 2);
  now += 500ms;
  answer(1, 1);
  now += 1s;
  CAF_CHECK_EQUAL(take_back(1), "2 stuck");
  CAF_CHECK_EQUAL(probes(), "1:1");
  uut.find(1)->stuck = false; // it answered another event
  give(1, 3);
  now += 1s;
  CAF_CHECK_EQUAL(take_back(1), "3 stuck");
  CAF_CHECK_EQUAL(probes(), "1:2");
  CAF_CHECK(!uut.answered_probe({1, 1}));
  CAF_CHECK_EQUAL(load(1), 1u);
  CAF_CHECK(uut.answered_probe({1, 2}));
  CAF_CHECK_EQUAL(load(1), 0u);
}

CAF_TEST(a late answer names the event that was taken back) {
  uut.add(1, 2);
  give(1, 1);
  now += 1s;
  take_back(1);
  const auto found = uut.find_overdue(0, {1, 0});
  CAF_REQUIRE(found.has_value());
  CAF_CHECK_EQUAL(found->by, 1u);
  CAF_CHECK(!uut.find_overdue(1, {1, 0}));
  const auto late = uut.answered(1, ticket(1), now).late;
  CAF_REQUIRE(late.has_value());
  CAF_CHECK_EQUAL(late->id.ms, 1u);
  CAF_CHECK(!uut.answered(1, ticket(1), now).late);
}

CAF_TEST(a late answer does not count if the outcome is decided) {
  uut.add(1, 1);
  give(1, 1);
  now += 1s;
  take_back(1);
  uut.forget_overdue(1, {1, 0}); // another stream
  CAF_CHECK(uut.find_overdue(0, {1, 0}));
  uut.forget_overdue(0, {1, 0});
  CAF_CHECK(!uut.find_overdue(0, {1, 0}));
  CAF_CHECK_EQUAL(load(1), 1u); // she may still be at it
  CAF_CHECK(!uut.answered(1, ticket(1), now).late);
  CAF_CHECK_EQUAL(load(1), 0u);
}

CAF_TEST(a late answer counts after a probe and after other answers) {
  uut.add(1, 3);
  for (uint64_t i = 1; i <= 3; ++i)
    give(1, i);
  now += 1s;
  CAF_CHECK_EQUAL(take_back(1), "1 2 3 stuck");
  CAF_CHECK_EQUAL(probes(), "1:1");
  CAF_CHECK(uut.answered_probe({1, 1}));
  CAF_CHECK_EQUAL(load(1), 0u);
  CAF_CHECK(uut.answered(1, ticket(2), now).late);
  CAF_CHECK(uut.answered(1, ticket(1), now).late);
  CAF_CHECK(!uut.answered(1, ticket(1), now).late);
}

CAF_TEST(extending begins the time anew) {
  uut.add(1, 1);
  give(1, 1);
  now += 900ms;
  CAF_CHECK(uut.extend(1, ticket(1), now));
  CAF_CHECK(!uut.extend(1, ticket(2), now));
  CAF_CHECK(!uut.extend(2, ticket(1), now));
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
}

CAF_TEST(who leaves is removed when it has nothing to answer) {
  uut.add(1, 1);
  uut.add(2, 1);
  give(1, 1);
  uut.find(1)->leaving = true;
  uut.remove_idle();
  CAF_CHECK(uut.find(1) != nullptr);
  answer(1, 1);
  uut.remove_idle();
  CAF_CHECK(uut.find(1) == nullptr);
  CAF_CHECK(uut.find(2) != nullptr);
}

CAF_TEST(what is removed comes with what it held) {
  uut.add(1, 2);
  give(1, 7);
  auto gone = uut.remove(1);
  CAF_REQUIRE_EQUAL(gone.holds.size(), 1u);
  CAF_CHECK(gone.holds.first()->what == ticket(7));
  CAF_CHECK(uut.find(1) == nullptr);
}

CAF_TEST(an answer of a worker that left means nothing) {
  uut.add(1, 2);
  give(1, 1);
  now += 1s;
  take_back(1);
  CAF_CHECK(uut.find_overdue(0, {1, 0}));
  uut.remove(1);
  CAF_CHECK(!uut.find_overdue(0, {1, 0}));
}

// -- batches ------------------------------------------------------------------

CAF_TEST(the events of a turn form batches for workers that take them) {
  uut.add(1, 9, 2);
  uut.add(2, 9);
  CAF_CHECK_EQUAL(give_all(1, {1, 2, 3}), "1 1 2");
  CAF_CHECK_EQUAL(give_all(1, {4}), "1"); // the last batch was sent
  CAF_CHECK_EQUAL(give_all(2, {5, 6}), "0 0");
  CAF_CHECK_EQUAL(give_all(1, {7, 8}, true), "1 2");
  uut.add(1, 9);
  CAF_CHECK_EQUAL(give_all(1, {9}), "0");
}

CAF_TEST(an event that comes alone ends the batch before it) {
  uut.add(1, 9, 5);
  uut.begin_messages();
  auto give_one = [&](uint64_t serial, bool alone) {
    return uut.assign(*uut.find(1), ticket(serial), 0, {serial, 0}, alone, now);
  };
  CAF_CHECK_EQUAL(give_one(1, false), 1u);
  CAF_CHECK_EQUAL(give_one(2, true), 2u);
  CAF_CHECK_EQUAL(give_one(3, false), 3u);
  CAF_CHECK_EQUAL(give_one(4, false), 3u);
}

CAF_TEST(a worker with events gets a batch if as many wait or it is full) {
  uut.add(1, 10, 4);
  CAF_CHECK(takes(1, 1));
  give_all(1, {1, 2, 3});
  uut.begin_messages();
  CAF_CHECK(!takes(1, 2));
  CAF_CHECK(takes(1, 3));
  CAF_CHECK(takes(1, 1, true)); // nothing can be gathered with it
  give_all(1, {4, 5, 6});
  CAF_CHECK(takes(1, 1)); // it joins the batch
  uut.begin_messages();
  CAF_CHECK(!takes(1, 3));
  CAF_CHECK(takes(1, 4));
  give_all(1, {7, 8});
  uut.begin_messages();
  CAF_CHECK(!takes(1, 100)); // credit for two, which is no full batch
  CAF_CHECK(takes(1, 1, true));
  answer(1, 1);
  answer(1, 2);
  CAF_CHECK(takes(1, 4));
  uut.add(1, 6, 4);
  CAF_CHECK(!takes(1, 1, true));
}

CAF_TEST(a worker gets as many events as it has credit for) {
  uut.add(1, 3, 100);
  give_all(1, {1, 2});
  CAF_CHECK(takes(1, 1));
  give_all(1, {3});
  CAF_CHECK(!takes(1, 100));
}

CAF_TEST(the events of a batch are late together) {
  uut.add(1, 9, 3);
  give_all(1, {1, 2, 3});
  give_all(1, {4, 5});
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  now += 100ms;
  CAF_CHECK_EQUAL(take_back(1), "1+2+3 4 5 stuck");
  CAF_CHECK_EQUAL(load(1), 5u);
  CAF_CHECK_EQUAL(probes(), "1:1");
  CAF_CHECK(uut.answered_probe({1, 1}));
  CAF_CHECK_EQUAL(load(1), 0u);
}

CAF_TEST(the time of a batch begins when the batch before it was answered) {
  uut.add(1, 9, 3);
  give_all(1, {1, 2});
  give_all(1, {3, 4});
  now += 900ms;
  answer(1, 1);
  answer(1, 2);
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  CAF_CHECK(!uut.find(1)->parallel);
  now += 100ms;
  CAF_CHECK_EQUAL(take_back(1), "3+4 stuck");
}

CAF_TEST(answers within a batch do not show that a worker is parallel) {
  uut.add(1, 9, 3);
  give_all(1, {1, 2, 3});
  give_all(1, {4});
  answer(1, 3);
  answer(1, 2);
  CAF_CHECK(!uut.find(1)->parallel);
  now += 900ms;
  answer(1, 1);
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  give_all(1, {5});
  answer(1, 5);
  CAF_CHECK(uut.find(1)->parallel);
}

CAF_TEST(an answer to a part of a batch gives the rest its time anew) {
  uut.add(1, 9, 3);
  give_all(1, {1, 2, 3});
  now += 900ms;
  answer(1, 1);
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  now += 100ms;
  CAF_CHECK_EQUAL(take_back(1), "2+3 stuck");
}

CAF_TEST(extending one event extends its batch) {
  uut.add(1, 9, 3);
  give_all(1, {1, 2, 3});
  now += 900ms;
  CAF_CHECK(uut.extend(1, ticket(3), now));
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  now += 100ms;
  CAF_CHECK_EQUAL(take_back(1), "1+2+3 stuck");
}

CAF_TEST(the rest of a batch keeps the time that was extended) {
  uut.add(1, 9, 2);
  give_all(1, {1, 2});
  give_all(1, {3, 4});
  answer(1, 3); // parallel
  now += 900ms;
  CAF_CHECK(uut.extend(1, ticket(2), now));
  answer(1, 1);
  now += 900ms;
  CAF_CHECK_EQUAL(take_back(1), "");
  answer(1, 2);
  CAF_CHECK_EQUAL(take_back(1), "4");
}

CAF_TEST(late answers of a batch count event by event) {
  uut.add(1, 9, 3);
  give_all(1, {1, 2});
  now += 1s;
  CAF_CHECK_EQUAL(take_back(1), "1+2 stuck");
  for (uint64_t i : {1u, 2u})
    CAF_CHECK(uut.answered(1, ticket(i), now).late);
  CAF_CHECK_EQUAL(load(1), 0u);
}

// Each step looks at one event, not at all of them: otherwise these would be
// 10^11 steps.
CAF_TEST(many events at one worker do not slow down its answers) {
  constexpr uint64_t many = 400'000;
  const auto begin = std::chrono::steady_clock::now();
  uut.add(1, 2 * many);
  for (uint64_t i = 1; i <= many; ++i)
    give(1, i);
  // From the newest to the oldest, as a worker that keeps promises may answer.
  for (uint64_t i = many; i > many / 2; --i)
    answer(1, i);
  CAF_CHECK_EQUAL(load(1), many / 2);
  now += 1h;
  worker_table::taken_back out;
  uut.find(1)->last_answer = {};
  CAF_CHECK(uut.take_back(*uut.find(1), now, out));
  CAF_CHECK_EQUAL(out.behind.size(), many / 2 - 1);
  CAF_CHECK_EQUAL(probes(), "1:1");
  for (uint64_t i = 1; i <= many / 2; ++i) {
    CAF_REQUIRE(uut.answered(1, ticket(i), now).late);
    uut.forget_overdue(0, {i, 0});
    CAF_REQUIRE_EQUAL(load(1), many / 2 - i);
  }
  CAF_CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

CAF_TEST_FIXTURE_SCOPE_END()
