#define CAF_SUITE actors.ask

#include "pulse/actors/ask.hpp"

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/system.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>

#include "support/gate.hpp"

#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

// Answers adds of events with these names in different ways.
struct fake_stream {
  stream_actor handle;
  gate held;

  explicit fake_stream(caf::actor_system& sys) {
    const auto who
      = sys.spawn([this](caf::event_based_actor* self) -> caf::behavior {
          return {
            [=](caf::add_atom, const new_event& x) -> caf::result<event_id> {
              if (x.name == "slow")
                held.wait();
              if (x.name == "refused")
                return make_error({errc::stream_full, "no room"});
              if (x.name == "fatal")
                self->quit(caf::exit_reason::user_shutdown);
              if (x.name == "kept" || x.name == "fatal") {
                kept.push_back(self->make_response_promise());
                return kept.back();
              }
              return event_id{1, x.payload.size()};
            },
            [=](caf::add_atom, const std::vector<new_event>& xs) {
              return std::vector<add_result>(xs.size());
            },
            [](atom::trim, uint64_t) { return std::string{"no number"}; },
            [](caf::close_atom) {},
          };
        });
    handle = caf::actor_cast<stream_actor>(who);
  }

  fake_stream(const fake_stream&) = delete;
  fake_stream& operator=(const fake_stream&) = delete;

  ~fake_stream() {
    held.open();
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
  }

  // Call it only when the actor has ended.
  void drop_kept() {
    kept.clear();
  }

private:
  std::vector<caf::response_promise> kept;
};

struct fixture {
  pulse::config cfg;
  caf::actor_system sys{cfg};
  fake_stream fake{sys};
  pulse::stream uut{sys, fake.handle};

  template <class T>
  static errc code_of(const caf::expected<T>& x) {
    return x ? errc::none : to_failure(x.error()).code;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(ask_tests, fixture)

CAF_TEST(a call without waiting has its result later) {
  auto slow = uut.add_async("slow", "abc");
  CAF_CHECK(slow.wait_for(0ms) == std::future_status::timeout);
  auto refused = uut.add_async("refused", "");
  auto many = uut.add_async({{"a", "", ""}, {"b", "", ""}});
  fake.held.open();
  CAF_CHECK(*slow.get() == (event_id{1, 3}));
  const auto why = refused.get();
  CAF_CHECK_EQUAL(code_of(why), errc::stream_full);
  CAF_CHECK(describe(why.error()).find("no room") != std::string::npos);
  CAF_CHECK_EQUAL(many.get()->size(), 2u);
}

CAF_TEST(no request stays without a result when its actor ends) {
  auto begun = uut.add_async("kept", "");
  auto fatal = uut.add_async("fatal", "");
  auto waiting = uut.add_async("a", "");
  CAF_CHECK_EQUAL(code_of(waiting.get()), errc::closed);
  CAF_CHECK(begun.wait_for(0ms) == std::future_status::timeout);
  fake.drop_kept();
  for (auto* x : {&begun, &fatal}) {
    const auto result = x->get();
    CAF_REQUIRE_EQUAL(code_of(result), errc::closed);
    CAF_CHECK(describe(result.error()).find("dropped") != std::string::npos);
  }
}

CAF_TEST(without an actor the result is an error at once) {
  auto result = ask_async<event_id>(sys, stream_actor{}, caf::add_atom_v,
                                    new_event{"a", "", ""});
  CAF_REQUIRE(result.wait_for(0ms) == std::future_status::ready);
  CAF_CHECK_EQUAL(code_of(result.get()), errc::closed);
}

CAF_TEST(a reply of another type is an error) {
  auto result = ask_async<uint64_t>(sys, fake.handle, atom::trim_v,
                                    uint64_t{1});
  CAF_CHECK_EQUAL(code_of(result.get()), errc::internal);
}

CAF_TEST(a result without a value comes as well) {
  auto result = ask_async<void>(sys, fake.handle, caf::close_atom_v);
  CAF_CHECK(static_cast<bool>(result.get()));
}

CAF_TEST(a result that nobody waits for does no harm) {
  static_cast<void>(uut.add_async("slow", "abc"));
  fake.held.open();
  CAF_CHECK(static_cast<bool>(uut.add("a", "")));
}

CAF_TEST(a call within a limit does not wait longer) {
  auto quick = uut.within(50ms);
  const auto late = quick.add("slow", "");
  CAF_REQUIRE_EQUAL(code_of(late), errc::timed_out);
  CAF_CHECK(describe(late.error()).find("50 ms") != std::string::npos);
  CAF_CHECK(describe(late.error()).find("goes on") != std::string::npos);
  fake.held.open();
  CAF_CHECK(static_cast<bool>(uut.within(1h).add("slow", "")));
}

CAF_TEST(a limit of nothing is refused) {
  for (auto limit : {0ms, -5ms}) {
    const auto result = uut.within(limit).add("a", "");
    CAF_REQUIRE_EQUAL(code_of(result), errc::invalid_option);
    CAF_CHECK(describe(result.error()).find("at least 1 ms")
              != std::string::npos);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
