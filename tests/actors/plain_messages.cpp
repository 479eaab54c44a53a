#define CAF_SUITE actors.plain_messages

#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/actors/internal/root/actor.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/internal/stream/actor.hpp"

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Messages that are no requests: they take effect, but nothing comes back. In
// CAF an error that comes back would end the actor that sent the message.

namespace {

struct fixture : sink_actor_fixture {
  fixture() {
    options.ack = ack_mode::manual;
  }

  // Sends a message with a sender that made no request.
  template <class Handle, class... Ts>
  void send_plain(const Handle& to, Ts... xs) {
    send_from(sender, to, std::move(xs)...);
    consume_messages();
  }

  // Returns whether anything came back.
  bool replied() {
    return has_mail(sender);
  }

  template <class Handle>
  void end(const Handle& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
    consume_messages();
  }

  caf::scoped_actor sender{sys};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(plain_message_tests, fixture)

CAF_TEST(a request is answered) {
  spawn();
  CAF_CHECK(!replied());
  sender->request(uut, caf::infinite, atom::info_v);
  consume_messages();
  CAF_CHECK(replied());
}

CAF_TEST(a sink takes outcomes without replies) {
  spawn_subscribed();
  give(1, 4);
  send_plain(uut, atom::ack_v, delivery(1));
  send_plain(uut, atom::nack_v, delivery(2), caf::timespan{1s});
  send_plain(uut, atom::extend_v, delivery(3));
  send_plain(uut, atom::term_v, delivery(4), std::string{"no"});
  CAF_CHECK_EQUAL(info().acked, 1u);
  CAF_CHECK_EQUAL(info().nacks, 1u);
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  CAF_CHECK(!replied());
  CAF_CHECK(!logged("no request"));
}

CAF_TEST(a sink sends no errors to those who made no request) {
  spawn_subscribed();
  send_plain(uut, atom::ack_v, delivery(9));
  send_plain(uut, atom::nack_v, delivery(9), caf::timespan{0});
  send_plain(uut, atom::extend_v, delivery(9));
  send_plain(uut, atom::term_v, delivery(9), std::string{});
  send_plain(uut, atom::add_stream_v, std::string{"bad name"},
             start_position{});
  send_plain(uut, atom::rem_stream_v, std::string{"b"});
  send_plain(uut, caf::subscribe_atom_v, event_listener{}, subscription{});
  send_plain(uut, caf::unsubscribe_atom_v, event_listener{});
  send_plain(uut, caf::subscribe_atom_v, notice_listener{});
  send_plain(uut, caf::unsubscribe_atom_v, notice_listener{});
  send_plain(uut, atom::info_v);
  CAF_CHECK(!replied());
  CAF_CHECK(internal::is_alive(uut));
  CAF_CHECK(logged("this message was no request"));
  CAF_CHECK(logged("(1 such messages so far)"));
  CAF_CHECK(logged("(4 such messages so far)"));
  CAF_CHECK(!logged("(3 such messages so far)"));
}

CAF_TEST(a stream takes events without replies) {
  stream_options how;
  how.name = "a";
  how.max_payload = 10;
  auto stream = spawn_stream(sys, how, redis.source().commands);
  consume_messages();
  const new_event good{"n", "good", {}};
  const new_event bad{"n", std::string(11, 'x'), {}};
  send_plain(stream, caf::add_atom_v, good);
  send_plain(stream, caf::add_atom_v, bad);
  send_plain(stream, caf::add_atom_v, std::vector<new_event>{good, bad});
  send_plain(stream, atom::range_v, range_query{{}, {}, 0});
  send_plain(stream, atom::remove_v, std::vector<event_id>{});
  send_plain(stream, atom::trim_v, uint64_t{7});
  send_plain(stream, atom::purge_v, purge_request{});
  CAF_CHECK(!replied());
  CAF_CHECK(logged("pulse.stream a: invalid_"));
  end(stream);
}

CAF_TEST(a reader sends no errors to those who made no request) {
  reader_options how;
  how.name = "r";
  how.streams = {"a"};
  auto reader = spawn_reader(
    sys, how, std::make_shared<internal::hub_source>(sys, redis.source()));
  consume_messages();
  send_plain(reader, atom::add_stream_v, std::string{"bad name"},
             start_position{});
  send_plain(reader, atom::rem_stream_v, std::string{"b"});
  send_plain(reader, caf::subscribe_atom_v, event_listener{}, subscription{});
  send_plain(reader, caf::subscribe_atom_v, notice_listener{});
  send_plain(reader, atom::info_v);
  CAF_CHECK(!replied());
  CAF_CHECK(internal::is_alive(reader));
  end(reader);
}

CAF_TEST(a root sends no errors to those who made no request) {
  redis_options where;
  auto root = spawn_root(sys, where, {{redis.source(), leases.handle()}},
                         environment());
  consume_messages();
  stream_options bad;
  bad.name = "bad name";
  send_plain(root, caf::open_atom_v, bad);
  send_plain(root, caf::get_atom_v, atom::sink_v, std::string{"none"});
  send_plain(root, caf::ping_atom_v);
  send_plain(root, atom::info_v);
  CAF_CHECK(!replied());
  CAF_CHECK(internal::is_alive(root));
  send_plain(root, caf::close_atom_v);
  CAF_CHECK(!internal::is_alive(root));
  CAF_CHECK(!replied());
}

CAF_TEST_FIXTURE_SCOPE_END()
