#include "pulse/actors/internal/root/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/actors/internal/root/child_group.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/delayed_calls.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/sink/actor.hpp"
#include "pulse/actors/internal/stream/actor.hpp"
#include "pulse/core/log.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/resp/reply.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace pulse {

namespace {

// The pause before a restart is short again for a child that lived this long.
constexpr std::chrono::minutes long_life{1};

void close_place(const io_place& x) {
  internal::tell(x.leases, caf::close_atom_v);
  internal::tell(x.redis.commands, caf::close_atom_v);
}

// Messages that the children send to the root, and that the root sends to
// itself.
using root_self = extended_interface<
  root_actor,
  caf::result<void>(caf::subscribe_atom, std::string, event_listener,
                    subscription),
  caf::result<void>(caf::unsubscribe_atom, std::string, event_listener),
  caf::result<void>(caf::subscribe_atom, std::string, notice_listener),
  caf::result<void>(caf::unsubscribe_atom, std::string, notice_listener),
  caf::result<void>(caf::tick_atom)>;

struct root_state {
  using self_type = root_self;
  using streams_group = internal::child_group<stream_actor, stream_options>;
  using readers_group = internal::child_group<reader_actor, reader_options>;
  using sinks_group = internal::child_group<sink_actor, sink_options>;

  static inline const char* name = "pulse.system";

  struct place : io_place {
    internal::hub_source_ptr hubs;
  };

  root_state(self_type::pointer self, redis_options options,
             const std::vector<io_place>& where, internal::environment env)
    : self(self),
      options(std::move(options)),
      env(std::move(env)),
      random(this->env.new_engine()),
      calls(self),
      deaths(self) {
    for (const auto& x : where)
      places.push_back({x, std::make_shared<internal::hub_source>(
                             self->system(), x.redis, this->env)});
  }

  ~root_state() {
    for (const auto& x : places)
      close_place(x);
    for (auto& x : answers)
      x.deliver(caf::unit);
    end_pings();
  }

  self_type::behavior_type make_behavior() {
    deaths.begin([this](const caf::down_msg& x) { on_down(x); });
    for (const auto& x : places) {
      deaths.add(x.redis.commands);
      deaths.add(x.leases);
    }
    internal::ignore_unexpected(self);
    internal::on_exit_request(self,
                              [this](const caf::exit_msg&) { begin_close(); });
    return internal::replies_to_requests<self_type::behavior_type>(
      self, name,
      [this](caf::open_atom, const stream_options& x) {
        return open("stream", x.name, x, streams);
      },
      [this](caf::open_atom, const reader_options& x) {
        return open("reader", reader_key(x), x, readers);
      },
      [this](caf::open_atom, const sink_options& x) {
        return open("sink", x.name, x, sinks);
      },
      [this](caf::get_atom, atom::stream, const std::string& x) {
        return get("stream", x, streams);
      },
      [this](caf::get_atom, atom::reader, const std::string& x) {
        return get("reader", x, readers);
      },
      [this](caf::get_atom, atom::sink, const std::string& x) {
        return get("sink", x, sinks);
      },
      [this](caf::ping_atom) { return on_ping(); },
      [this](atom::info) { return on_info(); },
      [this](caf::close_atom) { return on_close(); },
      [this](caf::subscribe_atom, const std::string& key,
             const event_listener& who,
             subscription how) { note_subscription(key, who, how); },
      [this](caf::unsubscribe_atom, const std::string& key,
             const event_listener& who) { note_subscription(key, who, {}); },
      [this](caf::subscribe_atom, const std::string& key,
             const notice_listener& who) { note_listener(key, who, true); },
      [this](caf::unsubscribe_atom, const std::string& key,
             const notice_listener& who) { note_listener(key, who, false); },
      [this](caf::tick_atom) { calls.on_tick(); });
  }

  // -- open and find ----------------------------------------------------------

  using memory_ptr = std::shared_ptr<internal::stream_memory>;

  // @returns where a child with that name lives, also after a restart.
  const place& place_of(const std::string& key) const {
    return places[std::hash<std::string>{}(key) % places.size()];
  }

  stream_actor spawn(const std::string&, const stream_options& x,
                     const memory_ptr&) {
    const auto& redis = place_of(x.name).redis;
    return spawn_stream(self->system(), x, redis.commands, env, redis.host);
  }

  reader_actor spawn(const std::string& key, const reader_options& x,
                     const memory_ptr& memory) {
    // Readers of a stream share its reads, so they live in one place.
    return spawn_reader(self->system(), x, place_of(x.streams.front()).hubs,
                        report_to_root(key, memory), env);
  }

  sink_actor spawn(const std::string& key, const sink_options& x,
                   const memory_ptr& memory) {
    const auto& where = place_of(x.name);
    return spawn_sink(self->system(), x, where.redis, where.leases,
                      report_to_root(key, memory), env);
  }

  template <class Options, class Handle>
  caf::result<Handle> open(const std::string& kind, const std::string& key,
                           const Options& x,
                           internal::child_group<Handle, Options>& group) {
    if (closing)
      return make_error(closed());
    if (auto ok = validate(x); !ok)
      return make_error(ok.error());
    // The child has terminated, but the root has not got its down message yet,
    // which tells whether the child was closed or died of a defect. So the root
    // sends the request to itself again, and handles the down message first.
    if (const auto* there = group.find(key);
        there != nullptr && there->handle && !internal::is_alive(there->handle))
      return internal::pass_on(self, self_type{self}, caf::open_atom_v, x);
    auto found = group.find_same(kind, key, x);
    if (!found || *found)
      return unless_dead(group.find(key)->handle, found, x);
    // A child of that name may have died of a defect and wait for its restart.
    // The new child then takes over its subscribers, and its streams as well if
    // it has the same options.
    auto memory = group.streams_of(key, x);
    auto fresh = spawn(kind + " " + key, x, memory);
    started(kind + " " + key, group.insert(key, x, fresh, std::move(memory)));
    if constexpr (std::is_same_v<Handle, stream_actor>)
      return unless_conflict(fresh);
    else
      return fresh;
  }

  // A stream whose options contradict what Redis stores is not opened. If Redis
  // cannot be reached, the stream finds that out later, and fails its adds.
  caf::result<stream_actor> unless_conflict(const stream_actor& fresh) {
    auto answer = internal::new_promise(self);
    internal::request(self, fresh, atom::retention_v)
      .then([=](const stream_retention&) mutable { answer.deliver(fresh); },
            [=](const caf::error& why) mutable {
              if (to_failure(why).code != errc::retention_conflict)
                return answer.deliver(fresh);
              self->send_exit(fresh, caf::exit_reason::user_shutdown);
              answer.deliver(why);
            });
    return answer;
  }

  // A child that closes replies to the sender of the close before the root gets
  // its down message. If that sender opens the child again at once, it must not
  // get the terminated one. CAF answers this question for every living actor.
  // If the question fails, the child has terminated and its down message is
  // under way.
  template <class Options, class Handle>
  caf::result<Handle> unless_dead(const Handle& child,
                                  const outcome<Handle>& found,
                                  const Options& x) {
    auto answer = internal::new_promise(self);
    internal::request(self, caf::actor_cast<caf::actor>(child), caf::sys_atom_v,
                      caf::get_atom_v, std::string{"info"})
      .then(
        [=](caf::ok_atom, const std::string&, const caf::strong_actor_ptr&,
            const std::string&) mutable {
          if (found)
            answer.deliver(*found);
          else
            answer.deliver(make_error(found.error()));
        },
        [=](const caf::error&) mutable {
          answer.delegate(self_type{self}, caf::open_atom_v, x);
        });
    return answer;
  }

  template <class Options, class Handle>
  caf::result<Handle> get(const std::string& kind, const std::string& key,
                          internal::child_group<Handle, Options>& group) {
    auto* x = group.find(key);
    if (x == nullptr)
      return make_error(
        {errc::closed, kind + " " + key + " is not open on this node"});
    if (x->handle && internal::is_alive(x->handle))
      return x->handle;
    if (x->handle) {
      // Its down message is under way: see open().
      return internal::pass_on(self, self_type{self}, caf::get_atom_v,
                               atom_of(x->handle), key);
    }
    x->waiting.push_back(internal::new_promise(self));
    return x->waiting.back();
  }

  static atom::stream atom_of(const stream_actor&) {
    return atom::stream_v;
  }

  static atom::reader atom_of(const reader_actor&) {
    return atom::reader_v;
  }

  static atom::sink atom_of(const sink_actor&) {
    return atom::sink_v;
  }

  // A reader without a name is always a new one.
  std::string reader_key(const reader_options& x) {
    return x.name.empty() ? "#" + std::to_string(++anonymous) : x.name;
  }

  [[nodiscard]] failure closed() const {
    return {errc::closed, "the system is closing"};
  }

  // -- supervision ------------------------------------------------------------

  supervision report_to_root(const std::string& key, memory_ptr memory) {
    // The function holds a weak reference, since a child must not keep its root
    // alive.
    auto tell = [root = caf::actor_cast<caf::actor_addr>(self)](auto&&... xs) {
      if (auto hdl = caf::actor_cast<caf::actor>(root))
        internal::tell(hdl, std::forward<decltype(xs)>(xs)...);
    };
    supervision result;
    result.streams = std::move(memory);
    result.subscribed = [=](const event_listener& who,
                            const std::optional<subscription>& how) {
      if (how)
        tell(caf::subscribe_atom_v, key, who, *how);
      else
        tell(caf::unsubscribe_atom_v, key, who);
    };
    result.listens = [=](const notice_listener& who, bool comes) {
      if (comes)
        tell(caf::subscribe_atom_v, key, who);
      else
        tell(caf::unsubscribe_atom_v, key, who);
    };
    return result;
  }

  // Calls `fun(group, name)` for the child that `key` ("sink billing") names.
  template <class F>
  void with_child(const std::string& key, F fun) {
    const auto space = key.find(' ');
    const auto kind = key.substr(0, space);
    const auto child = key.substr(space + 1);
    if (kind == "stream")
      fun(streams, child);
    else if (kind == "reader")
      fun(readers, child);
    else
      fun(sinks, child);
  }

  void note_subscription(const std::string& key, const event_listener& who,
                         const std::optional<subscription>& how) {
    with_child(key, [&](auto& group, const std::string& child) {
      auto* x = group.find(child);
      if (x == nullptr)
        return;
      const auto addr = caf::actor_cast<caf::actor_addr>(who);
      if (!how) {
        x->subscribers.erase(addr);
        return;
      }
      x->subscribers[addr] = {who, *how};
      watch(who);
    });
  }

  void note_listener(const std::string& key, const notice_listener& who,
                     bool comes) {
    with_child(key, [&](auto& group, const std::string& child) {
      auto* x = group.find(child);
      if (x == nullptr)
        return;
      const auto addr = caf::actor_cast<caf::actor_addr>(who);
      if (!comes) {
        x->listeners.erase(addr);
        return;
      }
      x->listeners[addr] = who;
      watch(who);
    });
  }

  template <class Handle>
  void watch(const Handle& who) {
    if (watched.insert(caf::actor_cast<caf::actor_addr>(who)).second)
      deaths.add(who);
  }

  void forget(const caf::actor_addr& who) {
    if (watched.erase(who) == 0)
      return;
    auto forget_in = [&](auto& child) {
      child.subscribers.erase(who);
      child.listeners.erase(who);
    };
    readers.for_each_child(forget_in);
    sinks.for_each_child(forget_in);
  }

  void on_down(const caf::down_msg& x) {
    const auto is_lost = [&x](const place& y) {
      return x.source == caf::actor_cast<caf::actor_addr>(y.redis.commands)
             || x.source == caf::actor_cast<caf::actor_addr>(y.leases);
    };
    if (std::any_of(places.begin(), places.end(), is_lost))
      return broken(x);
    forget(x.source);
    report_down("stream ", streams.name_of(x.source), x.reason);
    report_down("reader ", readers.name_of(x.source), x.reason);
    report_down("sink ", sinks.name_of(x.source), x.reason);
    step_close();
  }

  void report_down(const std::string& kind,
                   const std::optional<std::string>& child,
                   const caf::error& reason) {
    if (child)
      child_down(kind + *child, reason);
  }

  // All children need the shared connection and the lease keeper: if one of
  // them dies, the children cannot even close in order, so they end with the
  // root. A child that stayed would keep the actor system from its end.
  void broken(const caf::down_msg& x) {
    if (finished)
      return;
    log(log_level::error, name,
        "the shared connection or the lease keeper died of a defect, so the "
        "system closes: "
          + describe(x.reason));
    const auto reason = make_error(
      {errc::internal, "a basic actor died: " + describe(x.reason)});
    auto end = [&](const auto& child) { self->send_exit(child, reason); };
    readers.for_each(end);
    sinks.for_each(end);
    streams.for_each(end);
    self->quit(reason);
  }

  void child_down(const std::string& key, const caf::error& reason) {
    const bool closed_itself = !reason || closing
                               || reason == caf::exit_reason::user_shutdown
                               || reason == caf::exit_reason::unreachable;
    with_child(key, [&](auto& group, const std::string& child) {
      if (closed_itself)
        return group.erase(child);
      auto* x = group.find(child);
      x->handle = nullptr;
      if (self->clock().now() - x->since > long_life)
        x->restart_pause.reset();
      const auto pause = x->restart_pause.next(random);
      ++restarts;
      log(log_level::error, name,
          key + " died of a defect and is started again: " + describe(reason));
      calls.start(pause, [this, key] { restart(key); });
    });
  }

  void restart(const std::string& key) {
    if (closing)
      return;
    with_child(key, [&](auto& group, const std::string& child) {
      auto* x = group.find(child);
      if (x == nullptr)
        return;
      const bool again = std::exchange(x->subscribe_later, false);
      if (x->handle) { // a user opened it again, or it was restarted before
        if (again)
          subscribe_again(key, *x);
        return;
      }
      x->handle = spawn(key, x->options, x->streams);
      started(key, *x);
    });
  }

  template <class Child>
  void started(const std::string& key, Child& x) {
    x.since = self->clock().now();
    deaths.add(x.handle);
    subscribe_again(key, x);
    for (auto& promise : std::exchange(x.waiting, {}))
      promise.deliver(x.handle);
  }

  template <class Child>
  void subscribe_again(const std::string& key, const Child& x) {
    if constexpr (!std::is_same_v<Child, streams_group::child>) {
      auto round = std::make_shared<subscription_round>();
      round->pending = x.listeners.size() + x.subscribers.size();
      auto ended = [this, key, round](const caf::error& err) {
        round->note(err);
        if (--round->pending == 0)
          report_round(key, *round);
      };
      auto good = [ended] { ended({}); };
      for (auto& [addr, who] : x.listeners)
        internal::request(self, x.handle, caf::subscribe_atom_v, who)
          .then(good, ended);
      for (auto& [addr, who] : x.subscribers)
        internal::request(self, x.handle, caf::subscribe_atom_v, who.first,
                          who.second)
          .then(good, ended);
    }
  }

  // All requests that subscribe the former subscribers to a new child.
  struct subscription_round {
    size_t pending = 0;
    size_t failed = 0;
    bool again = false;
    caf::error first;

    void note(const caf::error& err) {
      // That one died meanwhile.
      if (!err || err == errc::no_such_subscriber)
        return;
      if (failed++ == 0)
        first = err;
      // What Redis refuses may be corrected, such as a missing right.
      again = again || err != errc::closed;
    }
  };

  void report_round(const std::string& key, const subscription_round& x) {
    with_child(key, [&](auto& group, const std::string& child) {
      auto* there = group.find(child);
      const bool failed = x.failed > 0;
      if (there == nullptr || std::exchange(there->reported, failed) || !failed)
        return;
      log(log_level::error, name,
          "could not subscribe " + std::to_string(x.failed)
            + " subscribers or listeners to " + key
            + " again; the first reason: " + describe(x.first)
            + (x.again ? "; trying again" : ""));
    });
    if (x.again)
      subscribe_later(key);
  }

  void subscribe_later(const std::string& key) {
    with_child(key, [&](auto& group, const std::string& child) {
      auto* x = group.find(child);
      if (x == nullptr || std::exchange(x->subscribe_later, true))
        return;
      calls.start(std::chrono::seconds{1}, [this, key] { restart(key); });
    });
  }

  // -- facts ------------------------------------------------------------------

  // The connection failed, or Redis answered with an error.
  static std::optional<failure> refusal(const outcome<reply_ptr>& reply) {
    if (!reply)
      return reply.error();
    if (const resp::cursor at{**reply}; at.is(resp::node_type::error))
      return resp::error_of(at);
    return std::nullopt;
  }

  caf::result<caf::timespan> on_ping() {
    if (closing)
      return make_error(closed());
    auto answer = internal::new_promise(self);
    const auto number = ++last_ping;
    pings.emplace(number, answer);
    const auto begin = self->clock().now();
    auto ping
      = std::make_shared<command_batch>(*internal::one_command(true, "PING"));
    // The first one waits for the connection, and system::connect() for it.
    if (!connected)
      ping->timeout = options.connect_timeout;
    internal::run_on(self, places.front().redis.commands, std::move(ping),
                     [=](const outcome<reply_ptr>& reply) {
                       on_pong(number, reply, self->clock().now() - begin);
                     });
    return answer;
  }

  void on_pong(uint64_t number, const outcome<reply_ptr>& reply,
               caf::timespan took) {
    const auto why = refusal(reply);
    connected |= !why;
    const auto i = pings.find(number);
    if (i == pings.end())
      return;
    auto answer = std::move(i->second);
    pings.erase(i);
    if (why)
      answer.deliver(make_error(*why));
    else
      answer.deliver(took);
  }

  // Nobody must wait for Redis when the system has ended.
  void end_pings() {
    for (auto& x : std::exchange(pings, {}))
      x.second.deliver(make_error(closed()));
  }

  system_info on_info() {
    // The URL was valid for the first connection. to_string() omits its
    // password.
    return {to_string(*parse_endpoint(options.url)), streams.names(),
            readers.names(), sinks.names(), restarts};
  }

  // -- close ------------------------------------------------------------------

  caf::result<void> on_close() {
    answers.push_back(internal::new_promise(self));
    auto answer = answers.back();
    begin_close();
    return answer;
  }

  void begin_close() {
    if (std::exchange(closing, true))
      return;
    const auto why = make_error(closed());
    end_pings();
    readers.erase_dead(why);
    sinks.erase_dead(why);
    streams.erase_dead(why);
    auto close = [this](const auto& child) {
      internal::request(self, child, caf::close_atom_v)
        .then([] {}, [](const caf::error&) {});
    };
    readers.for_each(close);
    sinks.for_each(close);
    streams.for_each(close);
    step_close();
  }

  // A child has ended when its down message has arrived.
  void step_close() {
    if (!closing || finished)
      return;
    if (!readers.empty() || !sinks.empty() || !streams.empty())
      return;
    finished = true;
    for (auto& x : std::exchange(answers, {}))
      x.deliver(caf::unit);
    self->quit();
  }

  self_type::pointer self;
  redis_options options;
  internal::environment env;
  std::vector<place> places;
  streams_group streams;
  readers_group readers;
  sinks_group sinks;
  std::vector<caf::response_promise> answers;
  random_engine random;
  internal::delayed_calls<self_type::pointer> calls;
  internal::death_watch<self_type::pointer> deaths;
  uint64_t anonymous = 0;
  uint64_t restarts = 0;
  // The subscribers and listeners of all children. The root forgets those that
  // died, because it holds a handle of each.
  std::set<caf::actor_addr> watched;
  // The pings that are not answered yet, by number.
  std::map<uint64_t, caf::response_promise> pings;
  uint64_t last_ping = 0;
  // Whether Redis has answered a ping.
  bool connected = false;
  bool closing = false;
  bool finished = false;
};

} // namespace

root_actor spawn_root(caf::actor_system& sys, redis_options options,
                      std::vector<io_place> places,
                      const internal::environment& env) {
  return internal::spawn_state<root_state>(sys, std::move(options),
                                           std::move(places), env);
}

namespace {

caf::expected<io_place> make_place(caf::actor_system& sys,
                                   const redis_options& options) {
  connection_source redis;
  auto host = internal::io_host::start(sys, busy_poll_of(options));
  if (!host)
    return host.error();
  redis.host = std::move(*host);
  auto commands = spawn_connection(sys, options, {"commands", {}, redis.host});
  if (!commands)
    return commands.error();
  redis.commands = std::move(*commands);
  redis.open_own = [&sys, options, via = redis.commands,
                    host = redis.host](const std::string& purpose) {
    // The endpoint was valid for the first connection, so this cannot fail.
    return *spawn_connection(sys, options, {purpose, via, host});
  };
  auto leases = spawn_leases(sys, redis);
  return io_place{std::move(redis), std::move(leases)};
}

} // namespace

caf::expected<root_actor> spawn_root(caf::actor_system& sys,
                                     redis_options options) {
  if (auto ok = validate(options); !ok)
    return make_error(ok.error());
  std::vector<io_place> places;
  for (uint32_t i = 0; i < options.io_threads; ++i) {
    auto place = make_place(sys, options);
    if (!place) {
      std::for_each(places.begin(), places.end(), close_place);
      return place.error();
    }
    places.push_back(std::move(*place));
  }
  return spawn_root(sys, std::move(options), std::move(places));
}

} // namespace pulse
