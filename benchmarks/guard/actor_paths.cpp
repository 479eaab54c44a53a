// What a whole add and a whole delivery cost: a client and a stream actor, a
// sink actor and its workers, beside a peer that answers as Redis does. They
// run one message at a time on CAF's scheduler for tests.

#include "pulse/actors/internal/caf/reply_receiver.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/actors/internal/stream/actor.hpp"
#include "pulse/core/log.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "guard/hot_path.hpp"
#include "guard/redis_peer.hpp"
#include "support/read_replies.hpp"
#include "support/stepwise_config.hpp"

#include <memory>
#include <string>
#include <utility>

namespace pulse::bench {

namespace {

using namespace std::chrono_literals;

// So many requests are open, and so many events come in a page.
constexpr uint32_t step = 100;

struct world {
  world() {
    set_log_function([](log_level, std::string_view) {});
    // Nobody closes the actors.
    sys.await_actors_before_shutdown(false);
  }

  // CAF's scheduler for tests does not end while an actor has a timer.
  void kill(const caf::actor& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
    run();
  }

  void run() {
    dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler()).run();
  }

  static internal::environment environment() {
    internal::environment result;
    result.boot_time = [] { return std::chrono::nanoseconds{1h}; };
    result.wall_clock = [] {
      return std::chrono::system_clock::time_point{1s};
    };
    result.random_bits = [] { return uint64_t{1}; };
    result.host = "host";
    result.process_id = 1;
    return result;
  }

  test::stepwise_config cfg;
  caf::actor_system sys{cfg};
  redis_peer redis{sys};
};

// Counts the replies to its requests.
class client : public internal::reply_receiver {
public:
  client(caf::actor_config& cfg, std::shared_ptr<uint64_t> replies)
    : reply_receiver(cfg), replies_(std::move(replies)) {
    // nop
  }

protected:
  void on_reply(caf::mailbox_element& what, internal::running_host*) override {
    *replies_ += what.content().match_elements<event_id>();
  }

private:
  std::shared_ptr<uint64_t> replies_;
};

struct adding : world {
  adding() {
    stream_options options;
    options.name = "s";
    stream = spawn_stream(sys, options, redis.source().commands, environment());
    asker = internal::make_reply_receiver<client>(sys, nullptr, replies);
    run();
  }

  ~adding() {
    kill(caf::actor_cast<caf::actor>(stream));
  }

  void add_some() {
    auto* to = caf::actor_cast<caf::abstract_actor*>(stream);
    for (uint32_t i = 0; i < step; ++i)
      to->enqueue(internal::make_element(
                    asker, caf::make_message_id(++last_request),
                    caf::add_atom_v,
                    new_event{"added", std::string(payload, 'x'), ""}),
                  nullptr);
    run();
  }

  std::shared_ptr<uint64_t> replies = std::make_shared<uint64_t>(0);
  uint64_t last_request = 0;
  stream_actor stream;
  caf::strong_actor_ptr asker;
};

std::function<void()> add() {
  auto all = std::make_shared<adding>();
  return [all] {
    const auto before = *all->replies;
    for (uint32_t i = 0; i < events; i += step)
      all->add_some();
    require(*all->replies == before + events);
  };
}

struct delivering : world {
  delivering() {
    sink_options options;
    options.name = "s";
    options.streams = {"a"};
    options.credit = step;
    sink = spawn_sink(sys, options, redis.source(), redis.leases(), {},
                      environment());
    for (int i = 0; i < 2; ++i) {
      const auto worker
        = sys.spawn([](caf::event_based_actor*) -> caf::behavior {
            return {[](const event&) {}};
          });
      caf::anon_send(sink, caf::subscribe_atom_v,
                     caf::actor_cast<event_listener>(worker), subscription{});
    }
    run();
  }

  ~delivering() {
    kill(caf::actor_cast<caf::actor>(sink));
  }

  void deliver_some() {
    std::string list = test::array_of(step);
    for (uint32_t i = 0; i < step; ++i)
      list += test::array_of(2)
              + test::bulk(std::to_string(1'700'000'000'000 + ++last_id) + "-0")
              + fields;
    redis.give(test::page({{"a", list}}));
    run();
  }

  const std::string fields = test::array_of(4) + test::bulk("n")
                             + test::bulk("added") + test::bulk("p")
                             + test::bulk(std::string(payload, 'x'));
  uint64_t last_id = 0;
  sink_actor sink;
};

std::function<void()> deliver() {
  auto all = std::make_shared<delivering>();
  return [all] {
    const auto before = all->redis.acked();
    for (uint32_t i = 0; i < events; i += step)
      all->deliver_some();
    require(all->redis.acked() == before + events);
  };
}

} // namespace

std::vector<hot_path> actor_paths() {
  return {{"add", add}, {"delivery", deliver}};
}

} // namespace pulse::bench
