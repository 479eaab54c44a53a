#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/hub/source.hpp"
#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/reader_actor.hpp"
#include "pulse/actors/sink_actor.hpp"
#include "pulse/actors/stream_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "simulation/node/node_link.hpp"
#include "simulation/world/world.hpp"
#include "support/stepwise_config.hpp"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulse::simulation {

/// A process of the run: an actor system with the library's actors, of which
/// only the sockets and the machine (clocks, chance, names) are simulated. It
/// never comes back after it ended; another node takes its place.
class node {
public:
  node(world& all, const plan& how);
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Kills all actors; nothing of that is seen outside.
  ~node();

  [[nodiscard]] uint32_t number() const noexcept {
    return number_;
  }

  // -- what runs here ---------------------------------------------------------

  void open_sink(const sink_plan& what);
  void open_reader(const reader_plan& what);
  void open_producer(const producer_plan& what,
                     std::shared_ptr<uint32_t> added);

  [[nodiscard]] size_t sinks() const noexcept {
    return sinks_.size();
  }

  /// Another worker takes the place of one that leaves when it is done.
  void swap_worker(size_t index);

  /// Closes a sink and calls back when it is closed.
  void close_sink(size_t index, std::function<void(const sink_plan&)> then);

  // -- time -------------------------------------------------------------------

  /// While it is paused, the node does nothing.
  bool is_paused = false;

  /// The machine sleeps: the actor clock stands still for that time.
  void sleep(std::chrono::nanoseconds time) {
    slept_ += time;
  }

  void update_clock();

  /// @returns how many actors have something to do.
  [[nodiscard]] size_t jobs() const noexcept {
    return scheduler_.jobs.size();
  }

  /// Lets one of these actors handle one message. @pre `index < jobs()`
  void run_job(size_t index);

  /// Lets the workers take what the sinks have sent to them.
  void run_workers();

  /// @returns when, by the clock of the run, the first timer fires.
  [[nodiscard]] std::optional<time_point> next_timer() const;

  void fire_timer();

private:
  struct open_sink_state {
    sink_plan plan;
    instance_id id = 0;
    sink_actor actor;
    std::deque<event_listener> workers;
    bool is_closing = false;
  };

  [[nodiscard]] internal::environment environment(uint32_t process);
  connection_actor connect(const std::string& purpose,
                           connection_actor unblock_via);
  // Watches an actor of the library: it must not die by itself.
  template <class Handle>
  void expect_to_live(const Handle& hdl, const std::string& what);
  // Sends a request, whose reply must come.
  template <class Result, class Handle, class... Ts>
  void ask(const std::string& what, const Handle& whom,
           std::function<void(bool ok)> then, Ts... xs);
  void add_worker(open_sink_state& to);
  void worker_died(instance_id at);
  void subscribe(instance_id to, const event_listener& who, subscription how);
  void subscribe_to_reader(const reader_actor& to, const event_listener& who);
  // A sink that is open; null if there is none.
  [[nodiscard]] open_sink_state* find(instance_id id);
  void later(std::chrono::microseconds delay, std::function<void()> what);
  void kill_all();

  world& all_;
  const plan& plan_;
  uint32_t number_;
  node_link link_;
  std::chrono::nanoseconds slept_{0};
  std::shared_ptr<bool> is_here_ = std::make_shared<bool>(true);

  test::stepwise_config config_;
  caf::actor_system sys_{config_};
  caf::scheduler::test_coordinator& scheduler_;

  connection_source redis_;
  internal::hub_source_ptr hubs_;
  lease_actor leases_;
  std::list<open_sink_state> sinks_;
  std::map<std::string, stream_actor> streams_;
  // All actors, to be killed with the node.
  std::vector<caf::actor> actors_;
  std::vector<uint32_t> producers_;
  std::vector<uint32_t> subscribers_;
};

} // namespace pulse::simulation
