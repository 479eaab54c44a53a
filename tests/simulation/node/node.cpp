#include "simulation/node/node.hpp"

#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include "simulation/node/connection.hpp"

#include <algorithm>

namespace pulse::simulation {

node::node(world& all, const plan& how)
  : all_(all),
    plan_(how),
    number_(all.new_number()),
    link_{all, how.workers, false, {}},
    scheduler_(
      dynamic_cast<caf::scheduler::test_coordinator&>(sys_.scheduler())) {
  update_clock();
  redis_.commands = connect("commands", {});
  redis_.open_own = [this](const std::string& purpose) {
    return connect(purpose, redis_.commands);
  };
  hubs_ = std::make_shared<internal::hub_source>(sys_, redis_,
                                                 environment(number_));
  leases_ = spawn_leases(sys_, redis_, environment(number_));
  actors_.push_back(caf::actor_cast<caf::actor>(leases_));
}

node::~node() {
  kill_all();
}

void node::kill_all() {
  link_.is_dead = true;
  *is_here_ = false;
  for (const auto& x : sinks_)
    all_.rules.deliveries.instance_ends(x.id);
  for (auto id : producers_)
    all_.rules.adds.gives_up(std::to_string(id) + "/");
  for (auto id : subscribers_)
    all_.rules.readers.ends(id);
  while (!link_.requests.empty())
    link_.end_request(*link_.requests.begin());
  for (const auto& x : actors_)
    caf::anon_send_exit(x, caf::exit_reason::kill);
  caf::anon_send(leases_, caf::close_atom_v);
  sinks_.clear();
  streams_.clear();
  actors_.clear();
  leases_ = nullptr;
  hubs_ = nullptr;
  redis_ = {};
  while (scheduler_.try_run_once()) {
    // nop
  }
}

// -- what the library's actors get --------------------------------------------

internal::environment node::environment(uint32_t process) {
  internal::environment result;
  result.boot_time = [this] { return all_.now.time_since_epoch(); };
  result.wall_clock = [this] {
    return std::chrono::system_clock::time_point{
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::milliseconds{all_.redis.model.now})};
  };
  result.random_bits = [this] { return all_.random.bits(); };
  result.host = "host";
  result.process_id = process;
  return result;
}

connection_actor node::connect(const std::string& purpose,
                               connection_actor unblock_via) {
  auto result = spawn_simulated_connection(sys_, plan_.redis,
                                           {purpose, std::move(unblock_via)},
                                           all_.net, number_,
                                           all_.random.bits());
  actors_.push_back(caf::actor_cast<caf::actor>(result));
  return result;
}

// -- time ---------------------------------------------------------------------

void node::later(std::chrono::microseconds delay, std::function<void()> what) {
  all_.later(delay, [is_here = is_here_, what = std::move(what)] {
    if (*is_here)
      what();
  });
}

void node::update_clock() {
  scheduler_.clock().current_time = all_.now - slept_;
}

void node::run_job(size_t index) {
  auto& jobs = scheduler_.jobs;
  const auto at = jobs.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(jobs.begin(), at, at + 1);
  const auto* actor = dynamic_cast<caf::local_actor*>(jobs.front());
  all_.log.note("run", number_, actor != nullptr ? actor->name() : "");
  scheduler_.try_run_once();
}

void node::run_workers() {
  const auto& jobs = scheduler_.jobs;
  for (size_t i = 0; i < jobs.size();) {
    const auto* actor = dynamic_cast<const caf::local_actor*>(jobs[i]);
    if (actor != nullptr && std::string_view{actor->name()} == "worker") {
      run_job(i);
      i = 0;
    } else {
      ++i;
    }
  }
}

namespace {

// CAF does not tell when its test clock has to fire next.
struct open_clock : caf::detail::test_actor_clock {
  static const schedule_map& schedule(caf::detail::test_actor_clock& x) {
    return x.*(&open_clock::schedule_);
  }
};

} // namespace

std::optional<time_point> node::next_timer() const {
  const auto& schedule = open_clock::schedule(scheduler_.clock());
  if (schedule.empty())
    return std::nullopt;
  return schedule.begin()->first + slept_;
}

void node::fire_timer() {
  all_.log.note("timer", number_);
  scheduler_.clock().trigger_timeout();
}

} // namespace pulse::simulation
