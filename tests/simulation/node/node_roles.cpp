#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/actors/internal/stream/actor.hpp"

#include <caf/event_based_actor.hpp>

#include "simulation/node/node.hpp"
#include "simulation/node/producer.hpp"
#include "simulation/node/subscriber.hpp"
#include "simulation/node/worker.hpp"

#include <algorithm>

// What runs on a node: sinks with workers, readers, producers.

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
  result.manual = x.ack == ack_mode::manual;
  result.keyed = x.dispatch == dispatch_mode::keyed;
  return result;
}

std::string line_of(const sink_options& x) {
  return x.name + " " + to_string(x.dispatch) + ", ack " + to_string(x.ack)
         + ", lease " + std::to_string(x.lease.count()) + ", ack_wait "
         + std::to_string(x.ack_wait.count()) + ", max_deliveries "
         + std::to_string(x.max_deliveries) + ", max_crashes "
         + std::to_string(x.max_crashes) + ", max_in_flight "
         + std::to_string(x.max_in_flight) + ", credit "
         + std::to_string(x.credit) + ", drain_timeout "
         + std::to_string(x.drain_timeout.count());
}

// A handler for the reply to a request.
template <class Result, class F>
auto take_result(F f) {
  if constexpr (std::is_void_v<Result>)
    return f;
  else
    return [f](Result) { f(); };
}

} // namespace

template <class Handle>
void node::expect_to_live(const Handle& hdl, const std::string& what) {
  actors_.push_back(caf::actor_cast<caf::actor>(hdl));
  caf::actor_cast<caf::abstract_actor*>(hdl)->attach_functor(
    [this, what](const caf::error& why) {
      if (!link_.is_dead && why)
        all_.rules.found.add("died", what + " died: " + describe(why));
    });
}

template <class Result, class Handle, class... Ts>
void node::ask(const std::string& what, const Handle& whom,
               std::function<void(bool ok)> then, Ts... xs) {
  const auto id = link_.begin_request(what);
  auto ended = [this, id, then = std::move(then)](bool ok) {
    link_.end_request(id);
    if (!link_.is_dead)
      then(ok);
  };
  sys_.spawn([=](caf::event_based_actor* asker) {
    asker->request(whom, caf::infinite, xs...)
      .then(take_result<Result>([=] { ended(true); }),
            [=](const caf::error&) { ended(false); });
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
  auto who = spawn_worker(sys_, link_,
                          {id, to.id, to.actor,
                           to.plan.options.ack == ack_mode::manual,
                           [this, at = to.id] { worker_died(at); }});
  actors_.push_back(caf::actor_cast<caf::actor>(who));
  to.workers.push_back(who);
  subscription how;
  if (all_.random.one_in(3))
    how = {to.plan.options.credit, to.plan.max_batch};
  subscribe(to.id, who, how);
}

void node::subscribe(instance_id to, const event_listener& who,
                     subscription how) {
  auto* sink = find(to);
  if (sink == nullptr)
    return;
  ask<void>(
    "a subscription", sink->actor,
    [=](bool ok) {
      if (!ok)
        later(200ms, [=] { subscribe(to, who, how); });
    },
    caf::subscribe_atom_v, who, how);
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

void node::swap_worker(size_t index) {
  auto& x = *std::next(sinks_.begin(), static_cast<std::ptrdiff_t>(index));
  if (x.is_closing || x.workers.empty())
    return;
  const auto leaves = x.workers.front();
  x.workers.pop_front();
  ask<bool>(
    "an unsubscription", x.actor, [](bool) {}, caf::unsubscribe_atom_v, leaves);
  add_worker(x);
}

void node::close_sink(size_t index,
                      std::function<void(const sink_plan&)> then) {
  auto x = std::next(sinks_.begin(), static_cast<std::ptrdiff_t>(index));
  if (x->is_closing)
    return;
  x->is_closing = true;
  all_.rules.deliveries.instance_closes(x->id);
  ask<void>(
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
  auto reader = spawn_reader(sys_, what.options, hubs_, {},
                             environment(number_));
  expect_to_live(reader, "a reader");
  auto who = spawn_subscriber(sys_, link_, id);
  actors_.push_back(caf::actor_cast<caf::actor>(who));
  subscribe_to_reader(reader, who);
}

void node::subscribe_to_reader(const reader_actor& to,
                               const event_listener& who) {
  ask<void>(
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

} // namespace pulse::simulation
