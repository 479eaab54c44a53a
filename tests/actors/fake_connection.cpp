#define CAF_SUITE actors.fake_connection

#include "support/fake_connection.hpp"

#include "pulse/resp/command.hpp"

#include "support/actor_fixture.hpp"

using namespace pulse;

namespace {

struct fixture : test::actor_fixture {
  test::fake_connection uut{sys};

  static command_ptr batch(std::initializer_list<std::string> names) {
    auto result = std::make_shared<command_batch>();
    for (auto& name : names) {
      resp::write_command(result->bytes, name, "key", uint64_t{1});
      ++result->count;
    }
    return result;
  }

  auto run(std::initializer_list<std::string> names) {
    auto result = ask<reply_ptr>(uut.handle(), atom::run_v, batch(names));
    consume_messages();
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(fake_connection_tests, fixture)

CAF_TEST(commands are recorded and wait for their answer) {
  auto first = run({"GET", "SET"});
  auto second = run({"DEL"});
  CAF_CHECK(
    uut.log()
    == std::vector<std::string>({"GET key 1", "SET key 1", "DEL key 1"}));
  CAF_CHECK_EQUAL(uut.batches(), 2u);
  CAF_CHECK_EQUAL(uut.waiting().size(), 2u);
  CAF_CHECK(!first->arrived);
  uut.answer("$1\r\nx\r\n+OK\r\n");
  consume_messages();
  CAF_REQUIRE(first->ok());
  CAF_CHECK_EQUAL(first->value->count, 2u);
  CAF_CHECK(!second->arrived);
}

CAF_TEST(a batch can be failed) {
  auto result = run({"GET"});
  uut.fail({errc::connection_lost, "lost"});
  consume_messages();
  CAF_CHECK_EQUAL(result->why(), "connection_lost: lost");
}

CAF_TEST(a rule answers what it knows and the rest waits) {
  uut.set_rule([](const test::argv& x) -> std::optional<std::string> {
    if (x[0] == "GET")
      return ":1\r\n";
    return std::nullopt;
  });
  CAF_CHECK(run({"GET", "GET"})->ok());
  auto result = run({"GET", "SET"});
  CAF_CHECK(!result->arrived);
  uut.answer(":1\r\n-ERR no\r\n");
  consume_messages();
  CAF_CHECK(result->ok());
}

CAF_TEST(a rule also answers what waits already) {
  auto result = run({"GET"});
  uut.set_rule([](const test::argv&) { return "+OK\r\n"; });
  consume_messages();
  CAF_CHECK(result->ok());
}

CAF_TEST(unblock and close are counted) {
  caf::anon_send(uut.handle(), atom::unblock_v);
  caf::anon_send(uut.handle(), caf::close_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(uut.unblocks(), 1u);
  CAF_CHECK_EQUAL(uut.closes(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
