#define CAF_SUITE actors.lease_actor

#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/core/log.hpp"

#include "support/actor_fixture.hpp"
#include "support/scripted_redis.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

struct fixture : actor_fixture {
  fixture() {
    set_log_function([this](log_level, std::string_view line) {
      log_text.append(line).append("\n");
    });
    internal::environment env;
    env.boot_time = [this] { return boot_time(); };
    uut = spawn_leases(sys, connections(), env);
    consume_messages();
  }

  ~fixture() override {
    caf::anon_send(uut, caf::close_atom_v);
    uut = nullptr;
    consume_messages();
    CAF_CHECK_EQUAL(redis.commands.closes(), 1u);
    CAF_CHECK_EQUAL(lists.commands.closes(), 0u);
    set_log_function(nullptr);
  }

  std::chrono::nanoseconds boot_time() {
    return sched.clock().now().time_since_epoch() + slept;
  }

  void pass(milliseconds time) {
    constexpr milliseconds step{10};
    for (; time > milliseconds{0}; time -= step) {
      advance_time(std::min(step, time));
      consume_messages();
    }
  }

  static lease_ptr make(const std::string& stream, milliseconds length = 15s) {
    auto result = std::make_shared<lease>();
    result->stream = stream;
    result->sink = "s";
    result->consumer = "c";
    result->length = length;
    result->clock = std::make_shared<lease_clock>();
    return result;
  }

  lease_ptr add(const std::string& stream, milliseconds length = 15s) {
    auto result = make(stream, length);
    caf::anon_send(uut, caf::add_atom_v, result);
    consume_messages();
    return result;
  }

  auto update(const lease_ptr& x) {
    auto result = ask<std::vector<event_id>>(uut, caf::update_atom_v, x);
    consume_messages();
    return result;
  }

  connection_source connections() {
    return {lists.commands.handle(),
            [this](const std::string&) { return redis.commands.handle(); }};
  }

  std::string renewals() {
    return redis.calls("renew", "c");
  }

  // The renewals that list what is pending.
  std::string listings() {
    return lists.calls("renew", "c");
  }

  bool answers_deletion(const lease_ptr& x) {
    const auto answer = ask_void(uut, caf::delete_atom_v, x);
    consume_messages();
    return answer->ok();
  }

  // How long ago the lease was renewed.
  std::chrono::nanoseconds age(const lease_ptr& x) {
    return boot_time() - std::chrono::nanoseconds{x->clock->renewed_ns};
  }

  // What the script answers: entries found trimmed, IDs that are pending.
  static std::string renewed(uint64_t trimmed,
                             const std::vector<std::string>& ids) {
    auto result = array_of(2) + ":" + std::to_string(trimmed) + "\r\n"
                  + array_of(ids.size());
    for (const auto& id : ids)
      result += bulk(id);
    return result;
  }

  std::chrono::nanoseconds slept{0};
  std::string log_text;
  // The connection of renewals, and that of commands.
  scripted_redis redis{sys, [this] { return sched.clock().now(); }};
  scripted_redis lists{sys, [this] { return sched.clock().now(); }};
  lease_actor uut;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(lease_actor_tests, fixture)

CAF_TEST(a lease is renewed every third of its length) {
  const auto x = add("a");
  CAF_CHECK(age(x) == 0ns);
  pass(4900ms);
  CAF_CHECK_EQUAL(renewals(), "");
  for (int i = 0; i < 5; ++i) {
    pass(5s);
    CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
    CAF_CHECK(age(x) < 5s);
  }
  CAF_CHECK(!x->clock->is_stale());
}

CAF_TEST(each lease has its own rhythm) {
  add("a", 3s);
  add("b", 30s);
  pass(3500ms);
  CAF_CHECK_EQUAL(renewals(), "a s me 1000 0 | a s me 1000 0 | a s me 1000 0");
  pass(7s);
  const auto all = renewals();
  CAF_CHECK(all.find("b s me 10000 0") != std::string::npos);
}

CAF_TEST(a renewal has half a lease to succeed and may be repeated) {
  redis.hold("renew");
  add("a");
  pass(5100ms);
  CAF_REQUIRE_EQUAL(redis.commands.waiting().size(), 1u);
  const auto& batch = *redis.commands.waiting().front().source;
  CAF_CHECK(batch.timeout == 7500ms);
  CAF_CHECK(batch.repeatable);
}

CAF_TEST(one renewal of a lease is under way at a time and counts when sent) {
  redis.hold("renew");
  const auto x = add("a");
  pass(12s);
  CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
  redis.release("renew");
  consume_messages();
  CAF_CHECK(age(x) > 6s);
  CAF_CHECK(age(x) < 8s);
}

CAF_TEST(a lease that has ended is renewed no more) {
  const auto x = add("a");
  caf::anon_send(uut, caf::delete_atom_v, x);
  pass(30s);
  CAF_CHECK_EQUAL(renewals(), "");
}

CAF_TEST(a deletion is answered when no renewal is under way) {
  const auto x = add("a");
  const auto y = add("b");
  CAF_CHECK(answers_deletion(y));
  redis.hold("renew");
  pass(5100ms);
  const auto answer = ask_void(uut, caf::delete_atom_v, x);
  consume_messages();
  CAF_CHECK(!answer->ok());
  redis.release("renew");
  consume_messages();
  CAF_CHECK(answer->ok());
  CAF_CHECK(answers_deletion(x)); // nobody keeps it any more
  pass(30s);
  CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
}

CAF_TEST(a list that was asked for before a renewal does not age the lease) {
  const auto x = add("a");
  pass(4s);
  lists.hold("renew");
  update(x);
  pass(1500ms);
  CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
  lists.release("renew");
  consume_messages();
  CAF_CHECK(age(x) < 1s);
}

CAF_TEST(a list that was asked for before a doubt does not end it) {
  const auto x = add("a");
  lists.hold("renew");
  update(x);
  slept += 10s;
  pass(5100ms);
  CAF_CHECK(x->clock->is_stale());
  lists.release("renew");
  consume_messages();
  CAF_CHECK(x->clock->is_stale());
  update(x);
  CAF_CHECK(!x->clock->is_stale());
}

CAF_TEST(a renewal that comes too late leaves a doubt until Redis was asked) {
  const auto x = add("a");
  slept += 10s;
  pass(5100ms);
  CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
  CAF_CHECK(age(x) < 1s);
  CAF_CHECK(x->clock->is_stale());
  pass(5s);
  CAF_CHECK(x->clock->is_stale()); // renewals that are in time do not help
  renewals();
  lists.answer("renew", renewed(0, {"1-0", "3-0"}));
  const auto ours = update(x);
  CAF_CHECK_EQUAL(renewals(), "");
  CAF_CHECK_EQUAL(listings(), "a s me 5000 1");
  CAF_REQUIRE(ours->ok());
  CAF_CHECK(ours->value == std::vector<event_id>({{1, 0}, {3, 0}}));
  CAF_CHECK(!x->clock->is_stale());
}

CAF_TEST(a renewal that fails is repeated sooner and makes no loop) {
  const auto x = add("a");
  redis.goes_away();
  pass(15s);
  const auto attempts = redis.commands.log().size();
  CAF_CHECK_GREATER(attempts, 4u);
  CAF_CHECK_LESS(attempts, 10u);
  CAF_CHECK(age(x) > 14s);
  CAF_CHECK(log_text.find("cannot be renewed") != std::string::npos);
  redis.comes_back();
  pass(2s);
  CAF_CHECK(age(x) < 2s);
  CAF_CHECK(log_text.find("are renewed again") != std::string::npos);
}

CAF_TEST(without a group it waits for the next third) {
  add("a");
  redis.refuse("renew", "NOGROUP No such key");
  pass(9900ms);
  CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
  pass(400ms);
  CAF_CHECK_EQUAL(renewals(), "a s me 5000 0");
}

CAF_TEST(who asks what is still pending hears why Redis does not say) {
  const auto x = add("a");
  pass(1s);
  lists.refuse("renew", "NOGROUP No such key");
  CAF_CHECK_EQUAL(update(x)->why().find("no_group"), 0u);
  lists.lose("renew");
  CAF_CHECK_EQUAL(update(x)->why().find("connection_lost"), 0u);
  lists.answer("renew", "+OK\r\n");
  CAF_CHECK_EQUAL(update(x)->why().find("protocol_error"), 0u);
  CAF_CHECK(age(x) >= 1s);
}

CAF_TEST(entries that were trimmed are counted) {
  const auto x = add("a");
  redis.answer("renew", renewed(2, {}));
  redis.answer("renew", renewed(3, {}));
  pass(11s);
  CAF_CHECK_EQUAL(x->clock->trimmed.load(), 5u);
}

CAF_TEST(a closed lease keeper renews nothing) {
  add("a");
  caf::anon_send(uut, caf::close_atom_v);
  pass(30s);
  CAF_CHECK_EQUAL(renewals(), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
