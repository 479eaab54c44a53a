#include "simulation/node/node.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/actors/internal/stream/actor.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include "simulation/node/connection.hpp"
#include "simulation/node/producer.hpp"

#include <algorithm>

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

sink_rules rules_of(const sink_options& x) {
  sink_rules result;
  result.lease = x.lease;
  result.ack_wait = x.ack_wait;
  result.drain_timeout = x.drain_timeout;
  result.max_deliveries = x.max_deliveries;
  result.max_crashes = x.max_crashes;
  result.max_in_flight = x.max_in_flight;
  result.credit = x.credit;
  result.keyed = x.dispatch == dispatch_mode::keyed;
  return result;
}

std::string line_of(const sink_options& x) {
  return x.name + " " + to_string(x.dispatch) + ", lease "
         + std::to_string(x.lease.count()) + ", ack_wait "
         + std::to_string(x.ack_wait.count()) + ", max_deliveries "
         + std::to_string(x.max_deliveries) + ", max_crashes "
         + std::to_string(x.max_crashes) + ", max_in_flight "
         + std::to_string(x.max_in_flight) + ", credit "
         + std::to_string(x.credit) + ", drain_timeout "
         + std::to_string(x.drain_timeout.count());
}

} // namespace

node_config::node_config() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.file-verbosity", caf::atom("quiet"));
  set("middleman.network-backend", caf::atom("testing"));
  set("middleman.manual-multiplexing", true);
  set("middleman.heartbeat-interval", caf::timespan{0});
  set("middleman.workers", size_t{0});
}

node::node(world& all, const plan& how)
  : all_(all),
    plan_(how),
    number_(all.new_number()),
    link_{all, how.workers},
    scheduler_(
      dynamic_cast<caf::scheduler::test_coordinator&>(sys_.scheduler())),
    brokers_(dynamic_cast<caf::io::network::test_multiplexer&>(
      sys_.middleman().backend())) {
  update_clock();
  redis_.commands = connect("commands", {});
  redis_.open_blocking = [this](const std::string& purpose) {
    return connect(purpose, redis_.commands);
  };
  leases_ = spawn_leases(sys_, redis_.commands, environment(number_));
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
  for (auto id : requests_)
    all_.rules.requests.erase(id);
  for (const auto& x : actors_)
    caf::anon_send_exit(x, caf::exit_reason::kill);
  caf::anon_send(leases_, caf::close_atom_v);
  sinks_.clear();
  streams_.clear();
  actors_.clear();
  leases_ = nullptr;
  redis_ = {};
  while (scheduler_.try_run_once() || brokers_.try_exec_runnable()) {
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

template <class Handle>
void node::expect_to_live(const Handle& hdl, const std::string& what) {
  actors_.push_back(caf::actor_cast<caf::actor>(hdl));
  caf::actor_cast<caf::abstract_actor*>(hdl)->attach_functor(
    [this, what](const caf::error& why) {
      if (!link_.is_dead && why)
        all_.rules.found.add("died", what + " died: " + describe(why));
    });
}

template <class Handle, class... Ts>
void node::ask(const std::string& what, const Handle& whom,
               std::function<void(bool ok)> then, Ts... xs) {
  const uint64_t id = all_.new_number();
  requests_.push_back(id);
  all_.rules.requests[id] = what;
  auto ended = [this, id, then = std::move(then)](bool ok) {
    all_.rules.requests.erase(id);
    if (!link_.is_dead)
      then(ok);
  };
  sys_.spawn([=](caf::event_based_actor* asker) {
    asker->request(whom, caf::infinite, xs...)
      .then([=] { ended(true); }, [=](const caf::error&) { ended(false); });
  });
}

// -- what runs here -----------------------------------------------------------

void node::open_sink(const sink_plan& what) {
  auto& x = sinks_.emplace_back();
  x.plan = what;
  x.id = all_.new_number();
  all_.rules.deliveries.instance_opens(x.id, what.options.name,
                                       rules_of(what.options));
  all_.log.note("sink", x.id, line_of(what.options));
  x.actor = spawn_sink(sys_, what.options, redis_, leases_, {},
                       environment(x.id));
  expect_to_live(x.actor, "sink " + what.options.name);
  for (uint32_t i = 0; i < what.workers; ++i)
    add_worker(x);
}

void node::add_worker(open_sink_state& to) {
  const auto id = all_.new_number();
  all_.rules.deliveries.worker_joins(id, to.id);
  all_.log.note("worker", id, "of instance " + std::to_string(to.id));
  auto who = spawn_worker(sys_, link_, id, to.id,
                          [this, at = to.id] { worker_died(at); });
  actors_.push_back(caf::actor_cast<caf::actor>(who));
  subscribe(to.id, who);
}

void node::subscribe(instance_id to, const event_listener& who) {
  auto* sink = find(to);
  if (sink == nullptr)
    return;
  ask(
    "a subscription", sink->actor,
    [=](bool ok) {
      if (!ok)
        later(200ms, [=] { subscribe(to, who); });
    },
    caf::subscribe_atom_v, who, subscription{});
}

void node::worker_died(instance_id at) {
  later(all_.random.between(0us, 300ms), [=] {
    if (auto* sink = find(at))
      add_worker(*sink);
  });
}

node::open_sink_state* node::find(instance_id id) {
  const auto i = std::find_if(sinks_.begin(), sinks_.end(), [=](auto& x) {
    return x.id == id && !x.is_closing;
  });
  return i != sinks_.end() ? &*i : nullptr;
}

void node::close_sink(size_t index,
                      std::function<void(const sink_plan&)> then) {
  auto x = std::next(sinks_.begin(), static_cast<std::ptrdiff_t>(index));
  if (x->is_closing)
    return;
  x->is_closing = true;
  all_.rules.deliveries.instance_closes(x->id);
  ask(
    "the close of a sink", x->actor,
    [=](bool) {
      all_.rules.deliveries.instance_ends(x->id);
      const auto what = x->plan;
      sinks_.erase(x);
      then(what);
    },
    caf::close_atom_v);
}

void node::open_reader(const reader_plan& what) {
  const auto id = all_.new_number();
  subscribers_.push_back(id);
  all_.rules.readers.opens(id, what.options.streams);
  auto reader = spawn_reader(sys_, what.options, redis_, {},
                             environment(number_));
  expect_to_live(reader, "a reader");
  auto who = spawn_subscriber(sys_, link_, id);
  actors_.push_back(caf::actor_cast<caf::actor>(who));
  subscribe_to_reader(reader, who);
}

void node::subscribe_to_reader(const reader_actor& to,
                               const event_listener& who) {
  ask(
    "a subscription to a reader", to,
    [=](bool ok) {
      if (!ok)
        later(200ms, [=] { subscribe_to_reader(to, who); });
    },
    caf::subscribe_atom_v, who, subscription{});
}

void node::open_producer(const producer_plan& what,
                         std::shared_ptr<uint32_t> added) {
  auto& to = streams_[what.stream];
  if (!to) {
    stream_options options;
    options.name = what.stream;
    to = spawn_stream(sys_, options, redis_.commands, environment(number_));
    expect_to_live(to, "stream " + what.stream);
  }
  const auto id = all_.new_number();
  producers_.push_back(id);
  actors_.push_back(
    spawn_producer(sys_, link_, id, what, to, std::move(added)));
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

bool node::run_broker() {
  if (!brokers_.try_exec_runnable())
    return false;
  all_.log.note("broker", number_);
  return true;
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
