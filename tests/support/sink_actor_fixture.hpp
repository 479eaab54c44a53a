#pragma once

#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/core/log.hpp"

#include "support/actor_fixture.hpp"
#include "support/fake_leases.hpp"
#include "support/pending_replies.hpp"
#include "support/scripted_redis.hpp"
#include "support/scripted_worker.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pulse::test {

/// A sink "s" of the stream "a" in virtual time, with a fake Redis, a fake
/// lease keeper and fake workers.
struct sink_actor_fixture : actor_fixture {
  sink_actor_fixture() {
    set_log_function([this](log_level, std::string_view line) {
      log_text.append(line).append("\n");
    });
    options.name = "s";
    options.streams = {"a"};
  }

  ~sink_actor_fixture() override {
    caf::anon_send_exit(uut, caf::exit_reason::kill);
    uut = nullptr;
    heard = nullptr;
    consume_messages();
    set_log_function(nullptr);
  }

  /// Time since boot in this test: virtual time and the time that the machine
  /// slept.
  std::chrono::nanoseconds boot_time() {
    return sched.clock().now().time_since_epoch() + slept;
  }

  internal::environment environment() {
    internal::environment result;
    result.boot_time = [this] { return boot_time(); };
    result.wall_clock = [] {
      return std::chrono::system_clock::time_point{std::chrono::seconds{1}};
    };
    result.random_bits = [this] { return random(); };
    result.host = "host";
    result.process_id = 1;
    return result;
  }

  /// Spawns the sink. It creates its groups at once unless Redis refuses that.
  void spawn(supervision supervisor = {}) {
    uut = spawn_sink(sys, options, redis.source(), leases.handle(),
                     std::move(supervisor), environment());
    consume_messages();
    consumer = info().consumer;
  }

  /// The same, with alice as subscriber.
  void spawn_subscribed(uint32_t credit = 0, uint32_t max_batch = 0) {
    spawn();
    CAF_CHECK_EQUAL(subscribe(alice, credit, max_batch), "none");
  }

  std::string subscribe(scripted_worker& who, uint32_t credit = 0,
                        uint32_t max_batch = 0) {
    auto result = ask_void(uut, caf::subscribe_atom_v, who.handle(),
                           subscription{credit, max_batch});
    consume_messages();
    return result->why();
  }

  bool unsubscribe(scripted_worker& who) {
    auto result = ask<bool>(uut, caf::unsubscribe_atom_v, who.handle());
    consume_messages();
    return result->ok() && result->value;
  }

  // -- time -------------------------------------------------------------------

  /// Lets time pass in small steps, so that all ticks arrive one after the
  /// other. The lease keeper renews the leases meanwhile.
  void pass(milliseconds time) {
    constexpr milliseconds step{10};
    for (; time > milliseconds{0}; time -= step) {
      advance_time(std::min(step, time));
      leases.renew();
      consume_messages();
    }
  }

  /// Lets the machine sleep: time since boot passes, but the actor clock stops.
  void sleep(milliseconds time) {
    slept += time;
  }

  // -- Redis ------------------------------------------------------------------

  /// Answers the waiting read with the events `first` to `last` of a stream.
  void give(uint64_t first, uint64_t last, const std::string& stream = "a") {
    give_page(page(stream, first, last));
  }

  void give_page(std::string replies) {
    CAF_REQUIRE(reads());
    redis.blocking().answer(std::move(replies));
    consume_messages();
  }

  /// Sets what the next page of own pending events has.
  void own_events_are(uint64_t first, uint64_t last) {
    std::vector<pending_fact> facts;
    for (auto n = first; n <= last; ++n)
      facts.push_back({n, "me"});
    redis.answer("XPENDING", pending(facts));
    redis.answer("XREADGROUP", page("a", first, last));
  }

  /// Loses the connection of the waiting read.
  void lose_read(errc code = errc::connection_lost) {
    CAF_REQUIRE(reads());
    redis.blocking().fail({code, "as told"});
    consume_messages();
  }

  /// @returns whether a read waits for events.
  bool reads() {
    return !redis.blocking().waiting().empty();
  }

  /// @returns the arguments of the waiting read.
  std::string read() {
    CAF_REQUIRE(reads());
    const auto& batch = redis.blocking().waiting().front();
    return scripted_redis::text_of(batch.commands.front(), consumer);
  }

  /// See scripted_redis::calls().
  std::string calls(const std::string& kind) {
    return redis.calls(kind, consumer);
  }

  void release(const std::string& kind) {
    redis.release(kind);
    consume_messages();
  }

  // -- the sink ---------------------------------------------------------------

  sink_info info() {
    auto result = ask<sink_info>(uut, atom::info_v);
    consume_messages();
    CAF_CHECK_EQUAL(result->why(), "none");
    return result->value;
  }

  /// Asks the sink to close. The returned object has the reply later.
  auto close() {
    auto result = ask_void(uut, caf::close_atom_v);
    consume_messages();
    return result;
  }

  static delivery_id delivery(uint64_t ms, const std::string& stream = "a") {
    return {stream, {ms, 0}};
  }

  template <class... Ts>
  auto tell(Ts... xs) {
    auto result = ask_void(uut, xs...);
    consume_messages();
    return result;
  }

  /// Subscribes to notices, which news() then returns.
  void listen() {
    heard = sys.spawn([this](notice_listener::pointer) {
      return notice_listener::behavior_type{[this](const notice& x) {
        CAF_CHECK_EQUAL(x.sink, "s");
        CAF_CHECK(!x.text.empty());
        notices += notices.empty() ? "" : ", ";
        notices += to_string(x.kind) + " " + x.stream + " " + to_string(x.after)
                   + (x.data_loss ? " loss " : " ")
                   + std::to_string(x.lost_at_most);
      }};
    });
    CAF_CHECK_EQUAL(tell(caf::subscribe_atom_v, heard)->why(), "none");
  }

  /// @returns the notices since the last call, as in "gap a 5-0 loss 3".
  std::string news() {
    return std::exchange(notices, {});
  }

  /// @returns the counts of a delivery as one number, as Redis stores them.
  static std::string packed(delivery_counts x, bool armed = false) {
    return std::to_string(pack(x, armed));
  }

  [[nodiscard]] bool logged(const std::string& text) const {
    return log_text.find(text) != std::string::npos;
  }

  sink_options options;
  std::chrono::nanoseconds slept{0};
  std::minstd_rand random;
  std::string log_text;
  std::string notices;
  std::string consumer;
  notice_listener heard;
  scripted_redis redis{sys, [this] { return sched.clock().now(); }};
  fake_leases leases{sys, [this] { return boot_time(); }};
  scripted_worker alice{sys};
  scripted_worker bob{sys};
  sink_actor uut;
};

} // namespace pulse::test
