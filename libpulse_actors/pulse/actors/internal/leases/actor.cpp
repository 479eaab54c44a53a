#include "pulse/actors/internal/leases/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/broker.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/runtime/tick_timer.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse {

namespace {

struct lease_state {
  // The tick is private: it extends the implementation, not the interface.
  using self_type
    = extended_interface<lease_actor, caf::result<void>(caf::tick_atom)>;
  using pointer = internal::broker_pointer<self_type>;

  static inline const char* name = "pulse.leases";

  // What a renewal is to answer.
  enum class wanted : uint8_t { nothing, pending_ids };

  struct kept {
    lease_ptr what;
    caf::actor_clock::time_point due;
    bool under_way = false;
    bool failing = false;
  };

  lease_state(pointer self, connection_actor redis, internal::environment env)
    : self(self), redis(std::move(redis)), env(std::move(env)), timer(self) {
    // nop
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](caf::add_atom, const lease_ptr& x) { on_add(x); },
      [this](caf::delete_atom, const lease_ptr& x) { on_delete(x); },
      [this](caf::update_atom, const lease_ptr& x) { return on_update(x); },
      [this](caf::close_atom) { self->quit(); },
      [this](caf::tick_atom) { on_tick(); },
    };
  }

  void on_add(const lease_ptr& x) {
    x->clock->renewed(env.boot_time());
    leases.push_back({x, self->clock().now() + x->length / 3});
    arm();
  }

  void on_delete(const lease_ptr& x) {
    leases.erase(std::remove_if(leases.begin(), leases.end(),
                                [&](const kept& k) { return k.what == x; }),
                 leases.end());
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
    for (auto& k : leases) {
      if (k.under_way || k.due > now)
        continue;
      k.under_way = true;
      k.due = now + k.what->length / 3;
      renew(k.what, wanted::nothing,
            [this, x = k.what](auto ids) { renewed(x, ids); });
    }
    arm();
  }

  void renewed(const lease_ptr& x, const outcome<std::vector<event_id>>& how) {
    auto is_it = [&](const kept& k) { return k.what == x; };
    auto k = std::find_if(leases.begin(), leases.end(), is_it);
    if (k == leases.end())
      return;
    k->under_way = false;
    if (how.ok() == k->failing)
      log(how.ok() ? log_level::info : log_level::warning, name,
          "leases of sink " + x->sink + " on stream " + x->stream
            + (how.ok() ? std::string{" are renewed again"}
                        : " cannot be renewed: " + to_string(how.error())));
    k->failing = !how.ok();
    // Sooner than usual, but not in a loop, and not if there is no group.
    if (k->failing && is_transient(how.error().code)
        && how.error().code != errc::no_group)
      k->due = self->clock().now()
               + std::min(x->length / 3,
                          std::max<milliseconds>(x->length / 10,
                                                 milliseconds{1'000}));
    arm();
  }

  // What the server did happened after the request: so the lease lasts from
  // when it was sent.
  template <class Then>
  void renew(const lease_ptr& x, wanted what, Then then) {
    const auto sent = env.boot_time();
    const auto key = stream_key(x->stream);
    internal::script_call call{resp::renew_script(), {key}};
    call.arg(x->sink).arg(x->consumer);
    const bool listed = what == wanted::pending_ids;
    call.arg(static_cast<int64_t>(x->length.count() / 3));
    call.arg(listed ? "1" : "0");
    internal::run_on(
      self, redis, call.finish(true, x->length / 2),
      [this, x, sent, then, listed](const outcome<reply_ptr>& reply) mutable {
        auto ids = reply ? read(**reply, x->clock->trimmed)
                         : event_ids{reply.error()};
        if (ids) {
          x->clock->stale
            = !listed
              && (x->clock->stale
                  || x->clock->older_than(x->length / 2, env.boot_time()));
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
    auto next = caf::actor_clock::time_point::max();
    for (const auto& k : leases)
      if (!k.under_way)
        next = std::min(next, k.due);
    timer.arm(next);
  }

  pointer self;
  connection_actor redis;
  internal::environment env;
  std::vector<kept> leases;
  internal::tick_timer<pointer> timer;
};

} // namespace

lease_actor spawn_leases(caf::actor_system& sys, connection_actor redis,
                         const internal::environment& env) {
  return internal::spawn_broker_state<lease_state>(sys, std::move(redis), env);
}

} // namespace pulse
