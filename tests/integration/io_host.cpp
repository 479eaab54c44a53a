#define CAF_SUITE integration.io_host

#include "pulse/actors/internal/caf/io_host.hpp"

#include "pulse/actors/config.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/scheduler_watch.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "support/gate.hpp"
#include "support/raw_client.hpp"
#include "support/threads.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// The messages of these tests are written for CAF 0.17.6.
#if CAF_MAJOR_VERSION < 1

namespace {

using number_actor
  = caf::typed_actor<caf::replies_to<caf::get_atom>::with<uint64_t>,
                     caf::reacts_to<caf::put_atom, uint64_t>,
                     caf::reacts_to<caf::update_atom, bool>>;

// Where an actor has handled its messages.
struct places {
  std::mutex mutex;
  std::set<std::thread::id> threads;

  void note() {
    std::lock_guard guard{mutex};
    threads.insert(std::this_thread::get_id());
  }

  std::set<std::thread::id> take() {
    std::lock_guard guard{mutex};
    return std::exchange(threads, {});
  }
};

// Adds up numbers.
struct sum_state {
  using self_type = number_actor;

  static inline const char* name = "sum";

  sum_state(number_actor::pointer self, std::shared_ptr<places> at)
    : self_(self), at_(std::move(at)) {
    // nop
  }

  number_actor::behavior_type make_behavior() {
    return {
      [this](caf::get_atom) {
        at_->note();
        return sum_;
      },
      [this](caf::put_atom, uint64_t x) {
        at_->note();
        sum_ += x;
      },
      [this](caf::update_atom, bool x) { internal::use_host(self_, x); },
    };
  }

  number_actor::pointer self_;
  std::shared_ptr<places> at_;
  uint64_t sum_ = 0;
};

struct fixture {
  pulse::config cfg;
  caf::actor_system sys{(cfg.set("scheduler.max-threads", 2), cfg)};
  std::shared_ptr<places> at = std::make_shared<places>();

  internal::io_host_ptr start(std::chrono::microseconds busy_poll) {
    auto result = internal::io_host::start(sys, busy_poll);
    CAF_REQUIRE(result);
    return *result;
  }

  number_actor sum(const internal::io_host_ptr& host) {
    return internal::spawn_hosted_state<sum_state>(sys, host, at);
  }

  uint64_t total(const number_actor& x) {
    uint64_t result = 0;
    caf::scoped_actor self{sys};
    self->request(x, caf::infinite, caf::get_atom_v)
      .receive([&](uint64_t y) { result = y; },
               [](const caf::error&) { CAF_FAIL("no reply"); });
    return result;
  }

  // Occupies all threads of the scheduler while it lives.
  struct blockade {
    explicit blockade(caf::actor_system& sys) {
      for (int i = 0; i < 2; ++i)
        sys.spawn([x = held] { x->wait(); });
      CAF_REQUIRE(eventually([this] { return held->waiting() == 2; }));
    }

    ~blockade() {
      held->open();
    }

    std::shared_ptr<gate> held = std::make_shared<gate>();
  };
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(io_host_tests, fixture)

CAF_TEST(many threads send to many actors of one host) {
  constexpr uint64_t rounds = 2'000;
  for (const auto busy_poll : {0us, 100us}) {
    const auto host = start(busy_poll);
    std::vector<number_actor> actors;
    for (int i = 0; i < 20; ++i)
      actors.push_back(sum(host));
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; ++i)
      senders.emplace_back([&] {
        for (uint64_t j = 1; j <= rounds; ++j)
          for (const auto& x : actors)
            internal::tell(x, caf::put_atom_v, j);
      });
    for (auto& x : senders)
      x.join();
    for (const auto& x : actors)
      CAF_CHECK_EQUAL(total(x), 4 * rounds * (rounds + 1) / 2);
    CAF_CHECK_EQUAL(at->take().size(), 1u); // the thread of the host
  }
}

CAF_TEST(actors of a host need no thread of the scheduler) {
  const auto hosted = sum(start(0us));
  blockade held{sys};
  internal::tell(hosted, caf::put_atom_v, uint64_t{5});
  CAF_CHECK_EQUAL(total(hosted), 5u);
}

CAF_TEST(without a host an actor runs on the scheduler) {
  const auto plain = sum(nullptr);
  CAF_CHECK_EQUAL(total(plain), 0u);
  const auto used = at->take();
  const auto hosted = sum(start(0us));
  CAF_CHECK_EQUAL(total(hosted), 0u);
  CAF_CHECK(at->take() != used);
}

CAF_TEST(an actor of a host can run on the scheduler where the sender is) {
  const auto hosted = sum(start(0us));
  CAF_CHECK_EQUAL(total(hosted), 0u);
  const auto io_thread = at->take();
  const auto send_from_scheduler = [&] {
    sys.spawn([=](caf::event_based_actor* self) {
      internal::enqueue_beside(
        *caf::actor_cast<caf::abstract_actor*>(hosted),
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                  caf::put_atom_v, uint64_t{7}),
        self->context());
    });
  };
  // A turn of the host that has not ended takes the message, too.
  CAF_CHECK(eventually([&] {
    send_from_scheduler();
    std::set<std::thread::id> used;
    CAF_REQUIRE(eventually([&] {
      used = at->take();
      return !used.empty();
    }));
    return used != io_thread;
  }));
  CAF_CHECK_EQUAL(total(hosted) % 7, 0u);
}

CAF_TEST(an actor leaves its host and comes back) {
  const auto hosted = sum(start(0us));
  CAF_CHECK_EQUAL(total(hosted), 0u);
  const auto io_thread = at->take();
  // The turn in which the actor is told may include messages that follow.
  const auto runs_in_host = [&] {
    CAF_CHECK_EQUAL(total(hosted), 0u);
    return at->take() == io_thread;
  };
  internal::tell(hosted, caf::update_atom_v, false);
  CAF_CHECK(eventually([&] { return !runs_in_host(); }));
  internal::tell(hosted, caf::update_atom_v, true);
  CAF_CHECK(eventually(runs_in_host));
}

CAF_TEST(an actor with much to do does not keep others of its host waiting) {
  const auto host = start(0us);
  const auto busy = sum(host);
  const auto other = sum(host);
  for (uint64_t i = 0; i < 100'000; ++i)
    internal::tell(busy, caf::put_atom_v, i);
  CAF_CHECK_EQUAL(total(other), 0u);
  CAF_CHECK_EQUAL(total(busy), 100'000ull * 99'999 / 2);
}

CAF_TEST(a host ends with its actors) {
  auto host = start(100us);
  {
    const auto x = sum(host);
    CAF_CHECK_EQUAL(total(x), 0u);
  }
  CAF_CHECK(eventually([&] { return host.use_count() == 1; }));
  // Its thread ends with the last reference.
  const auto before = count_threads("pulse.io");
  CAF_CHECK_EQUAL(before, 1u);
  host = nullptr;
  CAF_CHECK(eventually([&] { return count_threads("pulse.io") == 0; }));
}

CAF_TEST(a host ends with its actor system) {
  auto inner = std::make_unique<fixture>();
  // References that outlive the system.
  const auto host = inner->start(0us);
  CAF_CHECK_EQUAL(inner->total(inner->sum(host)), 0u);
  inner.reset();
  CAF_CHECK_EQUAL(count_threads("pulse.io"), 0u);
}

CAF_TEST(actors that wait for a thread of the scheduler are noticed) {
  internal::scheduler_watch uut{sys};
  CAF_CHECK_EQUAL(uut.waited(), 0ns);
  auto before = uut.waited();
  {
    blockade held{sys};
    // The task that is under way may have begun before.
    CAF_CHECK(eventually([&] { return uut.waited() - before > 100ms; }));
  }
  // The wait ends, and stays in the sum.
  CAF_CHECK(eventually([&] {
    before = uut.waited();
    std::this_thread::sleep_for(1ms);
    return uut.waited() == before;
  }));
  CAF_CHECK(before > 100ms);
}

CAF_TEST_FIXTURE_SCOPE_END()

#endif
