#include "pulse/actors/internal/leases/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/runtime/tick_timer.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

namespace pulse {

namespace {

struct lease_state {
  // The tick is private: it extends the implementation, not the interface.
  using self_type
    = extended_interface<lease_actor, caf::result<void>(caf::tick_atom)>;
  using pointer = self_type::pointer;

  static inline const char* name = "pulse.leases";

  // What a renewal is to answer.
  enum class wanted : uint8_t { nothing, pending_ids };

  using time_point = caf::actor_clock::time_point;

  struct kept {
    lease_ptr what;
    /// The number of the lease, in the order of their arrival.
    uint64_t number = 0;
    /// When to renew next; its entry in `waiting` if no renewal is under way.
    time_point due;
    bool under_way = false;
    bool failing = false;
    /// Who waits for the end of the renewal.
    std::vector<caf::response_promise> waiting;
    /// Whether it is kept only until then.
    bool ends = false;
  };

  lease_state(pointer self, const connection_source& redis,
              internal::environment env)
    : self(self),
      renewals(redis.open_own("leases")),
      commands(redis.commands),
      env(std::move(env)),
      timer(self) {
    // nop
  }

  ~lease_state() {
    for (auto& [x, k] : leases)
      answer_all(k);
    internal::tell(renewals, caf::close_atom_v);
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](caf::add_atom, const lease_ptr& x) { on_add(x); },
      [this](caf::delete_atom, const lease_ptr& x) { return on_delete(x); },
      [this](caf::update_atom, const lease_ptr& x) { return on_update(x); },
      [this](caf::close_atom) { self->quit(); },
      [this](caf::tick_atom) { on_tick(); },
    };
  }

  void on_add(const lease_ptr& x) {
    if (x->clock->renewed_ns == 0)
      x->clock->renewed(env.boot_time());
    const auto age = std::chrono::duration_cast<milliseconds>(
      env.boot_time() - x->clock->renewed_at());
    const auto [i, fresh] = leases.try_emplace(x.get());
    if (fresh) {
      i->second.what = x;
      i->second.number = ++last_number;
      wait(i->second, std::max(x->length / 3 - age, milliseconds{0}));
    }
    arm();
  }

  caf::result<void> on_delete(const lease_ptr& x) {
    const auto i = leases.find(x.get());
    if (i == leases.end())
      return caf::unit;
    auto& k = i->second;
    if (!k.under_way) {
      waiting.erase({k.due, k.number, x.get()});
      leases.erase(i);
      return caf::unit;
    }
    k.ends = true;
    k.waiting.push_back(internal::new_promise(self));
    return k.waiting.back();
  }

  static void answer_all(kept& k) {
    for (auto& x : std::exchange(k.waiting, {}))
      x.deliver(caf::unit);
  }

  caf::result<std::vector<event_id>> on_update(const lease_ptr& x) {
    auto answer = internal::new_promise(self);
    renew(x, wanted::pending_ids,
          [answer](outcome<std::vector<event_id>> ids) mutable {
            if (ids)
              answer.deliver(std::move(*ids));
            else
              answer.deliver(make_error(ids.error()));
          });
    return answer;
  }

  void on_tick() {
    timer.on_tick();
    const auto now = self->clock().now();
    while (!waiting.empty() && std::get<time_point>(*waiting.begin()) <= now) {
      auto& k = leases.find(std::get<const lease*>(*waiting.begin()))->second;
      waiting.erase(waiting.begin());
      k.under_way = true;
      k.due = now + k.what->length / 3;
      renew(k.what, wanted::nothing,
            [this, x = k.what](auto ids) { renewed(x, ids); });
    }
    arm();
  }

  void renewed(const lease_ptr& x, const outcome<std::vector<event_id>>& how) {
    const auto i = leases.find(x.get());
    if (i == leases.end() || !i->second.under_way)
      return;
    auto& k = i->second;
    k.under_way = false;
    answer_all(k);
    if (k.ends) {
      leases.erase(i);
      return;
    }
    if (how.ok() == k.failing)
      log(how.ok() ? log_level::info : log_level::warning, name,
          "leases of sink " + x->sink + " on stream " + x->stream
            + (how.ok() ? std::string{" are renewed again"}
                        : " cannot be renewed: " + to_string(how.error())));
    k.failing = !how.ok();
    // Sooner than usual, but not in a loop, and not if there is no group.
    auto pause = k.due - self->clock().now();
    if (k.failing && is_transient(how.error().code)
        && how.error().code != errc::no_group)
      pause
        = std::min(x->length / 3,
                   std::max<milliseconds>(x->length / 10, milliseconds{1'000}));
    wait(k, pause);
    arm();
  }

  void wait(kept& k, time_point::duration pause) {
    k.due = self->clock().now() + pause;
    waiting.emplace(k.due, k.number, k.what.get());
  }

  // What the server did happened after the request: so the lease lasts from
  // when it was sent. A list must come behind the acks that were sent before,
  // so it takes the connection of the acks.
  template <class Then>
  void renew(const lease_ptr& x, wanted what, Then then) {
    const auto sent = env.boot_time();
    const auto key = stream_key(x->stream);
    internal::script_call call{resp::renew_script(), {key}};
    call.arg(x->sink).arg(x->consumer);
    const bool listed = what == wanted::pending_ids;
    call.arg(static_cast<int64_t>(x->length.count() / 3));
    call.arg(listed ? "1" : "0");
    // A list may be behind large replies that arrive slowly. Without it the
    // sink would drop these, and read them again.
    if (listed)
      call.watch(std::make_shared<reply_progress>());
    internal::run_on(
      self, listed ? commands : renewals, call.finish(true, x->length / 2),
      [this, x, sent, then, listed](const outcome<reply_ptr>& reply) mutable {
        auto ids = reply ? read(**reply, x->clock->trimmed)
                         : event_ids{reply.error()};
        if (ids) {
          if (x->clock->has_lapsed(x->length, env.boot_time()))
            ++x->clock->lapses;
          if (listed)
            x->clock->listed(sent);
          else if (x->clock->older_than(x->length / 2, env.boot_time()))
            x->clock->found_stale(env.boot_time());
          x->clock->renewed(sent);
        }
        then(std::move(ids));
      });
  }

  using event_ids = outcome<std::vector<event_id>>;

  static event_ids read(const resp::reply& from, std::atomic<uint64_t>& lost) {
    resp::cursor at{from};
    uint32_t size = 0;
    if (at.is(resp::node_type::error))
      return resp::error_of(at);
    if (!at.read_array(size) || size != 2)
      return resp::unexpected_reply("renew", at);
    auto trimmed = resp::read_number(at, "renew");
    if (!trimmed)
      return trimmed.error();
    lost += static_cast<uint64_t>(*trimmed);
    return resp::read_ids(at, "renew");
  }

  // A renewal that is under way arms the timer when it ends.
  void arm() {
    if (!waiting.empty())
      timer.arm(std::get<time_point>(*waiting.begin()));
  }

  pointer self;
  connection_actor renewals;
  connection_actor commands;
  internal::environment env;
  std::unordered_map<const lease*, kept> leases;
  // The leases without a renewal under way, and when they are due.
  std::set<std::tuple<time_point, uint64_t, const lease*>> waiting;
  uint64_t last_number = 0;
  internal::tick_timer<pointer> timer;
};

} // namespace

lease_actor spawn_leases(caf::actor_system& sys, const connection_source& redis,
                         const internal::environment& env) {
  return internal::spawn_hosted_state<lease_state>(sys, redis.host, redis, env);
}

} // namespace pulse
