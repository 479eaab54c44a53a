#define CAF_SUITE actors.root_actor

#include "pulse/actors/internal/root/actor.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/core/log.hpp"

#include <caf/actor_registry.hpp>
#include <caf/deep_to_string.hpp>

#include "support/actor_fixture.hpp"
#include "support/fake_leases.hpp"
#include "support/scripted_redis.hpp"
#include "support/scripted_worker.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

struct fixture : actor_fixture {
  fixture() {
    set_log_function(nullptr);
    sink_x.name = "s";
    sink_x.streams = {"a"};
    reader_x.name = "r";
    reader_x.streams = {"a"};
    reader_x.start = start_position::oldest();
    stream_x.name = "a";
    stream_x.max_len = 10;
    redis_options options;
    options.url = "redis://user:secret@127.0.0.1:6379/3";
    uut = spawn_root(sys, options, {{redis.source(), leases.handle()}},
                     environment());
    down = sys.spawn([this](caf::event_based_actor* self) {
      self->monitor(uut);
      self->set_down_handler([this](const caf::down_msg& x) {
        ended = x.reason ? describe(x.reason) : "normally";
      });
      return caf::behavior{[](caf::tick_atom) {}};
    });
    consume_messages();
  }

  ~fixture() override {
    caf::anon_send_exit(alice.handle(), caf::exit_reason::kill);
    caf::anon_send(uut, caf::close_atom_v);
    uut = nullptr;
    pass(15s); // longer than any drain
    caf::anon_send_exit(down, caf::exit_reason::user_shutdown);
    consume_messages();
  }

  internal::environment environment() {
    internal::environment result;
    result.boot_time = [this] { return boot_time(); };
    result.random_bits = [this] { return random(); };
    return result;
  }

  std::chrono::nanoseconds boot_time() {
    return sched.clock().now().time_since_epoch();
  }

  void pass(milliseconds time) {
    constexpr milliseconds step{10};
    for (; time > milliseconds{0}; time -= step) {
      advance_time(std::min(step, time));
      leases.renew();
      consume_messages();
    }
  }

  template <class T, class... Ts>
  auto call(Ts... xs) {
    auto result = ask<T>(uut, xs...);
    consume_messages();
    return result;
  }

  // Opens the sink; it must work.
  sink_actor open_sink() {
    auto result = call<sink_actor>(caf::open_atom_v, sink_x);
    CAF_CHECK_EQUAL(result->why(), "none");
    return result->value;
  }

  std::string subscribe_to(const sink_actor& x, scripted_worker& who) {
    auto result = ask_void(x, caf::subscribe_atom_v, who.handle(),
                           subscription{3});
    consume_messages();
    return result->why();
  }

  // It dies of a defect.
  template <class Handle>
  void crash(const Handle& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
    consume_messages();
  }

  // One child of each kind.
  struct children {
    stream_actor stream;
    reader_actor reader;
    sink_actor sink;

    [[nodiscard]] bool have_ended() const {
      return !internal::is_alive(stream) && !internal::is_alive(reader)
             && !internal::is_alive(sink);
    }
  };

  children open_all() {
    children result{call<stream_actor>(caf::open_atom_v, stream_x)->value,
                    call<reader_actor>(caf::open_atom_v, reader_x)->value,
                    open_sink()};
    CAF_CHECK(result.stream && result.reader && !result.have_ended());
    return result;
  }

  auto close() {
    auto result = ask_void(uut, caf::close_atom_v);
    consume_messages();
    return result;
  }

  system_info info() {
    auto result = call<system_info>(atom::info_v);
    CAF_CHECK_EQUAL(result->why(), "none");
    return result->value;
  }

  sink_actor find_sink() {
    return call<sink_actor>(caf::get_atom_v, atom::sink_v, std::string{"s"})
      ->value;
  }

  reader_actor find_reader() {
    return call<reader_actor>(caf::get_atom_v, atom::reader_v, std::string{"r"})
      ->value;
  }

  // The handles that these options open.
  static sink_actor open_same(const sink_options&) {
    return {};
  }

  static reader_actor open_same(const reader_options&) {
    return {};
  }

  sink_options sink_x;
  reader_options reader_x;
  stream_options stream_x;
  std::minstd_rand random;
  std::string ended;
  std::string heard;
  scripted_redis redis{sys, [this] { return sched.clock().now(); }};
  fake_leases leases{sys, [this] { return boot_time(); }};
  scripted_worker alice{sys};
  caf::actor down;
  root_actor uut;
};

using names = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(root_actor_tests, fixture)

CAF_TEST(opening twice with the same options gives the same actor) {
  const auto first = open_sink();
  CAF_CHECK(first == open_sink());
  const auto stream = call<stream_actor>(caf::open_atom_v, stream_x);
  CAF_CHECK(stream->value
            == call<stream_actor>(caf::open_atom_v, stream_x)->value);
  const auto reader = call<reader_actor>(caf::open_atom_v, reader_x);
  CAF_CHECK(reader->value
            == call<reader_actor>(caf::open_atom_v, reader_x)->value);
  const auto all = info();
  CAF_CHECK(all.sinks == names{"s"});
  CAF_CHECK(all.readers == names{"r"});
  CAF_CHECK(all.streams == names{"a"});
}

CAF_TEST(opening with other options is refused) {
  const auto first = open_sink();
  sink_x.credit = 3;
  CAF_CHECK_EQUAL(
    call<sink_actor>(caf::open_atom_v, sink_x)->why().find("already_open"), 0u);
  sink_x.credit = sink_options{}.credit;
  CAF_CHECK(first == open_sink());
}

CAF_TEST(another predicate is refused and a copy is the same) {
  int calls = 0;
  const event_predicate wants{[&](const event&) { return ++calls > 0; }};
  const event_predicate other{[](const event&) { return false; }};
  auto why_not = [&](auto options) {
    using handle = decltype(open_same(options));
    return call<handle>(caf::open_atom_v, options)->why();
  };
  for (const auto& [first, second] :
       {std::pair{wants, other}, std::pair{wants, event_predicate{}},
        std::pair{event_predicate{}, wants}}) {
    sink_x.name += "s";
    reader_x.name += "r";
    sink_x.filter.predicate = first;
    reader_x.filter.predicate = first;
    CAF_CHECK_EQUAL(why_not(sink_x), "none");
    CAF_CHECK_EQUAL(why_not(reader_x), "none");
    CAF_CHECK_EQUAL(why_not(sink_x), "none");
    sink_x.filter.predicate = second;
    reader_x.filter.predicate = second;
    CAF_CHECK_EQUAL(why_not(sink_x).find("already_open: sink " + sink_x.name
                                         + " is open with another "
                                           "filter.predicate"),
                    0u);
    CAF_CHECK_EQUAL(why_not(reader_x).find("already_open: reader "), 0u);
  }
}

CAF_TEST(a predicate of another node is refused) {
  sink_x.filter.topic = "eu";
  CAF_CHECK_EQUAL(caf::deep_to_string(sent_over_network(sink_x)),
                  caf::deep_to_string(sink_x));
  CAF_CHECK(validate(sent_over_network(sink_x)));
  sink_x.filter.predicate = [](const event&) { return true; };
  const auto received = sent_over_network(sink_x);
  CAF_CHECK_EQUAL(
    call<sink_actor>(caf::open_atom_v, received)
      ->why()
      .find(
        "invalid_option: sink.predicate: predicate is code of another process"),
    0u);
  CAF_CHECK(info().sinks.empty());
}

CAF_TEST(a stream is not opened with another retention than the stored one) {
  redis.refuse("retention", "RETENTION max_len is 100, not 10");
  const auto refused = call<stream_actor>(caf::open_atom_v, stream_x);
  CAF_CHECK_EQUAL(refused->why().find(
                    "retention_conflict: stream \"a\": RETENTION max_len "
                    "is 100, not 10"),
                  0u);
  CAF_CHECK(info().streams.empty());
  const auto agreed = call<stream_actor>(caf::open_atom_v, stream_x);
  CAF_CHECK_EQUAL(agreed->why(), "none");
  // Without Redis the stream opens, and asks again when it adds.
  redis.goes_away();
  stream_x.name = "b";
  CAF_CHECK_EQUAL(call<stream_actor>(caf::open_atom_v, stream_x)->why(),
                  "none");
}

CAF_TEST(options are checked) {
  sink_x.lease = 1ms;
  CAF_CHECK_EQUAL(
    call<sink_actor>(caf::open_atom_v, sink_x)->why().find("invalid_option"),
    0u);
  CAF_CHECK(info().sinks.empty());
  CAF_CHECK(redis.commands.commands().empty());
}

CAF_TEST(invalid names and patterns are refused and change nothing) {
  for (const auto* name : {"", "no blanks", "tab\t"}) {
    stream_x.name = name;
    const auto stream = call<stream_actor>(caf::open_atom_v, stream_x);
    CAF_CHECK_EQUAL(stream->why().find("invalid_name: stream"), 0u);
    reader_x.streams = {"a", name};
    const auto reader = call<reader_actor>(caf::open_atom_v, reader_x);
    CAF_CHECK_EQUAL(reader->why().find("invalid_name"), 0u);
    sink_x.name = name;
    const auto sink = call<sink_actor>(caf::open_atom_v, sink_x);
    CAF_CHECK_EQUAL(sink->why().find("invalid_name: sink"), 0u);
  }
  sink_x.name = "s";
  sink_x.filter.topic_pattern = "(";
  CAF_CHECK_EQUAL(
    call<sink_actor>(caf::open_atom_v, sink_x)->why().find("invalid_pattern"),
    0u);
  const auto all = info();
  CAF_CHECK(all.sinks.empty() && all.readers.empty() && all.streams.empty());
  CAF_CHECK(redis.commands.commands().empty());
}

CAF_TEST(a root with a bad URL is not spawned) {
  const auto before = sys.registry().running();
  for (const auto* url : {"nonsense", "redis://host:99999", "http://127.0.0.1",
                          "redis://127.0.0.1/x"}) {
    redis_options options;
    options.url = url;
    const auto root = spawn_root(sys, options);
    CAF_REQUIRE(!root);
    CAF_CHECK_EQUAL(describe(root.error()).find("invalid_endpoint"), 0u);
  }
  redis_options options;
  options.connect_timeout = 0ms;
  const auto root = spawn_root(sys, options);
  CAF_REQUIRE(!root);
  CAF_CHECK_EQUAL(describe(root.error()).find("invalid_option"), 0u);
  CAF_CHECK_EQUAL(sys.registry().running(), before);
}

CAF_TEST(anonymous readers are always new) {
  reader_x.name.clear();
  const auto first = call<reader_actor>(caf::open_atom_v, reader_x);
  const auto second = call<reader_actor>(caf::open_atom_v, reader_x);
  CAF_CHECK(first->ok() && second->ok());
  CAF_CHECK(first->value != second->value);
}

CAF_TEST(what is open is found by its name) {
  const auto none = call<sink_actor>(caf::get_atom_v, atom::sink_v,
                                     std::string{"s"});
  CAF_CHECK_EQUAL(none->why().find("closed"), 0u);
  const auto it = open_sink();
  CAF_CHECK(it == find_sink());
  CAF_CHECK(
    !call<reader_actor>(caf::get_atom_v, atom::reader_v, std::string{"s"})
       ->ok());
}

CAF_TEST(a child that was closed is not started again but may be opened) {
  const auto first = open_sink();
  const auto closed = ask_void(first, caf::close_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(closed->why(), "none");
  pass(10s);
  CAF_CHECK(info().sinks.empty());
  CAF_CHECK_EQUAL(info().restarts, 0u);
  CAF_CHECK(first != open_sink());
}

CAF_TEST(a child that died is started again with its subscribers) {
  const auto first = open_sink();
  CAF_CHECK_EQUAL(subscribe_to(first, alice), "none");
  const notice_listener listener = sys.spawn([this](notice_listener::pointer) {
    return notice_listener::behavior_type{
      [this](const notice& x) { heard = to_string(x.kind); }};
  });
  ask_void(first, caf::subscribe_atom_v, listener);
  consume_messages();
  crash(first);
  CAF_CHECK(!find_sink()); // it waits for its restart
  pass(130ms);
  const auto second = find_sink();
  CAF_REQUIRE(second);
  CAF_CHECK(first != second);
  CAF_CHECK_EQUAL(info().restarts, 1u);
  redis.blocking().answer(page("a", 1, 1));
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a1");
  redis.blocking().answer("-NOGROUP No such key\r\n");
  pass(20s);
  CAF_CHECK_EQUAL(heard, "group_recovered");
}

CAF_TEST(a sink that died has the streams that it had) {
  sink_x.streams = {"a", "b"};
  const auto first = open_sink();
  const auto added = ask_void(first, atom::add_stream_v, std::string{"c"},
                              start_position{});
  ask<bool>(first, atom::rem_stream_v, std::string{"a"});
  consume_messages();
  CAF_CHECK_EQUAL(added->why(), "none");
  for (int i = 0; i < 2; ++i) {
    crash(find_sink());
    pass(1s);
    const auto again = ask<sink_info>(find_sink(), atom::info_v);
    consume_messages();
    CAF_CHECK(again->value.streams == (names{"b", "c"}));
  }
  // The options are still those with which it was opened.
  CAF_CHECK(open_sink() == find_sink());
}

CAF_TEST(a reader that died goes on behind what its subscribers got) {
  const auto first = call<reader_actor>(caf::open_atom_v, reader_x)->value;
  const auto added = ask_void(first, atom::add_stream_v, std::string{"b"},
                              start_position::oldest());
  ask_void(first, caf::subscribe_atom_v, alice.handle(), subscription{3});
  consume_messages();
  CAF_CHECK_EQUAL(added->why(), "none");
  alice.hold();
  redis.blocking().answer(page("a", 1, 9));
  consume_messages();
  crash(first);
  pass(130ms);
  const auto second = find_reader();
  CAF_REQUIRE(second && first != second);
  const auto& read = redis.blocking().commands().back();
  CAF_REQUIRE(read.size() > 4);
  CAF_CHECK_EQUAL(read[read.size() - 4], "pulse:stream:a");
  // The subscriber got 1 to 3, and nothing of b.
  CAF_CHECK_EQUAL(read[read.size() - 2], to_string(event_id{4, 0}.previous()));
  CAF_CHECK_EQUAL(read.back(), "0-0");
  // Before it reads, it checks what was removed meanwhile.
  const auto same = facts_of(2'000'000, 2'000'000, 1, 1'000'000);
  redis.blocking().answer(same + same);
  consume_messages();
  ask<bool>(second, atom::rem_stream_v, std::string{"a"});
  consume_messages();
  crash(second);
  pass(1s);
  const auto third = ask<reader_info>(find_reader(), atom::info_v);
  consume_messages();
  CAF_CHECK(third->value.streams == names{"b"});
}

CAF_TEST(whoever asks for a child that died gets the next one) {
  const auto first = open_sink();
  crash(first);
  auto find = [this] {
    return call<sink_actor>(caf::get_atom_v, atom::sink_v, std::string{"s"});
  };
  const auto found = find();
  CAF_CHECK_EQUAL(found->why(), "no answer");
  pass(130ms);
  CAF_CHECK_EQUAL(found->why(), "none");
  CAF_CHECK(internal::is_alive(found->value));
  crash(found->value);
  const auto late = find();
  close();
  CAF_CHECK_EQUAL(late->why(), "closed: the system is closing");
}

CAF_TEST(the pause before a restart is short again after a good time) {
  open_sink();
  for (int i = 0; i < 8; ++i) {
    crash(find_sink());
    pass(7s);
  }
  crash(find_sink());
  pass(1s);
  CAF_CHECK(!find_sink());
  pass(70s);
  crash(find_sink());
  pass(130ms);
  CAF_CHECK(find_sink());
}

CAF_TEST(who unsubscribed is not subscribed again) {
  const auto first = open_sink();
  subscribe_to(first, alice);
  ask<bool>(first, caf::unsubscribe_atom_v, alice.handle());
  consume_messages();
  crash(first);
  pass(1s);
  auto second = ask<sink_info>(find_sink(), atom::info_v);
  consume_messages();
  CAF_REQUIRE(second->ok());
  CAF_CHECK_EQUAL(second->value.subscribers, 0u);
}

CAF_TEST(who died is forgotten and not subscribed again) {
  std::vector<std::string> lines;
  set_log_function(
    [&](log_level, std::string_view line) { lines.emplace_back(line); });
  const auto first = open_sink();
  std::vector<caf::actor_addr> dead;
  for (int i = 0; i < 20; ++i) {
    auto bob = std::make_unique<scripted_worker>(sys);
    subscribe_to(first, *bob);
    dead.push_back(bob->handle().address());
    bob->die();
    consume_messages();
  }
  CAF_CHECK_EQUAL(subscribe_to(first, alice), "none");
  // The root was the last one that kept them.
  for (const auto& x : dead)
    CAF_CHECK(caf::actor_cast<caf::actor>(x) == nullptr);
  lines.clear();
  crash(first);
  pass(1s);
  set_log_function(nullptr);
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK(lines.front().find("sink s died of a defect") != std::string::npos);
  auto second = ask<sink_info>(find_sink(), atom::info_v);
  consume_messages();
  CAF_REQUIRE(second->ok());
  CAF_CHECK_EQUAL(second->value.subscribers, 1u);
}

CAF_TEST(subscribers that could not be had again are reported in one line) {
  const auto first = open_sink();
  scripted_worker bob{sys};
  scripted_worker carol{sys};
  for (auto* x : {&alice, &bob, &carol})
    subscribe_to(first, *x);
  redis.goes_away();
  std::vector<std::string> lines;
  set_log_function([&](log_level level, std::string_view line) {
    if (level == log_level::error)
      lines.emplace_back(line);
  });
  crash(first);
  pass(6s); // subscribing to a sink fails after five seconds
  set_log_function(nullptr);
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK(lines[1].find("could not subscribe 3 subscribers or listeners to "
                          "sink s again")
            != std::string::npos);
  redis.comes_back();
  pass(5s);
}

CAF_TEST(a child that keeps dying is started with growing pauses) {
  open_sink();
  for (int i = 0; i < 12; ++i) {
    const auto it = find_sink();
    if (it)
      crash(it);
    pass(500ms);
  }
  CAF_CHECK_GREATER(info().restarts, 3u);
  CAF_CHECK_LESS(info().restarts, 8u);
}

CAF_TEST(opening a dead child does not wait for its restart) {
  const auto first = open_sink();
  subscribe_to(first, alice);
  crash(first);
  const auto second = open_sink();
  CAF_CHECK(first != second);
  redis.blocking().answer(page("a", 1, 1));
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(2s);
  CAF_CHECK(second == find_sink());
}

CAF_TEST(subscribers that could not be had again are tried later) {
  const auto first = open_sink();
  subscribe_to(first, alice);
  redis.goes_away();
  crash(first);
  pass(5s);
  redis.comes_back();
  pass(5s);
  redis.blocking().answer(page("a", 1, 1));
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a1");
}

CAF_TEST(a ping tells how long Redis took) {
  redis.hold("PING");
  auto pong = call<caf::timespan>(caf::ping_atom_v);
  pass(30ms);
  CAF_CHECK(!pong->arrived);
  redis.release("PING");
  consume_messages();
  CAF_REQUIRE(pong->ok());
  CAF_CHECK(pong->value == caf::timespan{30ms});
  redis.goes_away();
  CAF_CHECK_EQUAL(
    call<caf::timespan>(caf::ping_atom_v)->why().find("connect_failed"), 0u);
}

CAF_TEST(a ping that waits for Redis ends with the system) {
  redis.hold("PING");
  auto pong = call<caf::timespan>(caf::ping_atom_v);
  CAF_CHECK(!pong->arrived);
  caf::anon_send(uut, caf::close_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(pong->why().find("closed"), 0u);
}

CAF_TEST(info tells no secrets) {
  CAF_CHECK_EQUAL(info().url.find("secret"), std::string::npos);
}

CAF_TEST(closing waits for the children and then closes what they need) {
  alice.hold();
  const auto it = open_sink();
  subscribe_to(it, alice);
  call<reader_actor>(caf::open_atom_v, reader_x);
  call<stream_actor>(caf::open_atom_v, stream_x);
  redis.blocking().answer(page("a", 1, 1));
  consume_messages();
  const auto first = close();
  const auto second = close();
  pass(2s);
  CAF_CHECK(!first->arrived);
  CAF_CHECK_EQUAL(redis.commands.closes(), 0u);
  CAF_CHECK_EQUAL(leases.closes(), 0u);
  CAF_CHECK_EQUAL(
    call<sink_actor>(caf::open_atom_v, sink_x)->why().find("closed"), 0u);
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(first->why(), "none");
  CAF_CHECK_EQUAL(second->why(), "none");
  CAF_CHECK_EQUAL(redis.commands.closes(), 1u);
  CAF_CHECK_EQUAL(leases.closes(), 1u);
  CAF_CHECK_EQUAL(ended, "normally");
}

CAF_TEST(closing does not wait for a child that waits for its restart) {
  crash(open_sink());
  const auto closed = close();
  CAF_CHECK_EQUAL(closed->why(), "none");
  pass(10s);
  CAF_CHECK_EQUAL(ended, "normally");
}

CAF_TEST(the death of the shared connection ends the root and its children) {
  const auto all = open_all();
  crash(redis.commands.handle());
  CAF_CHECK_EQUAL(ended.find("internal"), 0u);
  CAF_CHECK_EQUAL(leases.closes(), 1u);
  CAF_CHECK(all.have_ended());
}

CAF_TEST(the death of the lease keeper ends the root and its children) {
  const auto all = open_all();
  crash(leases.handle());
  CAF_CHECK_EQUAL(ended.find("internal"), 0u);
  CAF_CHECK_EQUAL(redis.commands.closes(), 1u);
  CAF_CHECK(all.have_ended());
}

CAF_TEST(a close that waits gets its reply if the shared connection dies) {
  alice.hold();
  const auto all = open_all();
  subscribe_to(all.sink, alice);
  redis.blocking().answer(page("a", 1, 1));
  consume_messages();
  const auto closed = close();
  CAF_CHECK(!closed->arrived);
  crash(redis.commands.handle());
  CAF_CHECK(closed->arrived);
  CAF_CHECK_EQUAL(ended.find("internal"), 0u);
  CAF_CHECK(all.have_ended());
}

CAF_TEST(an exit message closes the root and its children in order) {
  alice.hold();
  const auto all = open_all();
  subscribe_to(all.sink, alice);
  redis.blocking().answer(page("a", 1, 1));
  consume_messages();
  caf::anon_send_exit(uut, caf::exit_reason::user_shutdown);
  consume_messages();
  CAF_CHECK_EQUAL(ended, ""); // a handler runs
  CAF_CHECK_EQUAL(
    call<sink_actor>(caf::open_atom_v, sink_x)->why().find("closed"), 0u);
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(ended, "normally");
  CAF_CHECK(all.have_ended());
  CAF_CHECK_EQUAL(redis.commands.closes(), 1u);
  CAF_CHECK_EQUAL(leases.closes(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
