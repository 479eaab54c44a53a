#include "simulation/node/connection.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/connection/answer_queue.hpp"
#include "pulse/core/streams/unique_ids.hpp"
#include "pulse/redis/connection_fsm.hpp"
#include "pulse/resp/command.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace pulse::simulation {

namespace {

// What the link tells is marked with the link, since a link that was given up
// may still have told something.
using self_actor
  = extended_interface<connection_actor, caf::result<void>(caf::tick_atom),
                       caf::result<void>(caf::put_atom, link_id, std::string),
                       caf::result<void>(caf::close_atom, link_id)>;

class connection_state {
public:
  using self_type = self_actor;

  static inline const char* name = "connection";

  connection_state(self_type::pointer self, redis::connection_config config,
                   connection_role role, network* net, uint32_t node,
                   uint64_t random)
    : self_(self),
      role_(std::move(role)),
      net_(*net),
      node_(node),
      fsm_(std::move(config),
           random_engine{static_cast<random_engine::result_type>(random)}) {
    // nop
  }

  ~connection_state() {
    net_.close(link_, side::client);
    answers_.fail_all(make_error({errc::closed, "the connection ended"}));
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](atom::run, command_ptr& x) { return on_run(std::move(x)); },
      [this](atom::unblock) { on_unblock(); },
      [this](atom::info) { return fsm_.info(); },
      [this](caf::close_atom) {
        fsm_.close(todo_);
        perform();
        self_->quit();
      },
      [this](caf::tick_atom) {
        ticks_.pop_front();
        fsm_.on_tick(now(), todo_);
        perform();
      },
      [this](caf::put_atom, link_id from, const std::string& bytes) {
        if (from == link_)
          fsm_.on_data(now(), bytes, todo_);
        perform();
      },
      [this](caf::close_atom, link_id from) {
        if (from == link_)
          fsm_.on_peer_closed(now(), todo_);
        perform();
      },
    };
  }

private:
  caf::result<reply_ptr> on_run(command_ptr commands) {
    auto promise = self_->make_response_promise();
    const auto token = answers_.push(promise);
    fsm_.submit(now(), token, std::move(commands), todo_);
    perform();
    return promise;
  }

  void on_unblock() {
    const auto id = fsm_.info().client_id;
    if (!fsm_.under_way() || id == 0 || !role_.unblock_via)
      return;
    auto batch = std::make_shared<command_batch>();
    resp::write_command(batch->bytes, "CLIENT", "UNBLOCK", id);
    batch->count = 1;
    batch->repeatable = true;
    self_
      ->request(role_.unblock_via, caf::infinite, atom::run_v,
                command_ptr{std::move(batch)})
      .then([](const reply_ptr&) {}, [](const caf::error&) {});
  }

  // An action may append further actions.
  void perform() {
    for (size_t done = 0; done < todo_.size();) {
      const auto action = std::move(todo_[done++]);
      std::visit([this](const auto& x) { apply(x); }, action);
      if (done == todo_.size() && std::exchange(has_written_, false))
        fsm_.on_written(now(), 0, 0, todo_);
    }
    todo_.clear();
    arm();
  }

  void apply(const redis::connect_action&) {
    const self_type me{self_};
    // The link may tell something before it is known which one it is.
    auto id = std::make_shared<link_id>(0);
    *id = net_.connect(
      node_, {[=](std::string bytes) {
                caf::anon_send(me, caf::put_atom_v, *id, std::move(bytes));
              },
              [=] { caf::anon_send(me, caf::close_atom_v, *id); }});
    link_ = *id;
    if (link_ != 0)
      fsm_.on_connecting(now(), todo_);
    else
      fsm_.on_connect_failed(now(), {errc::connect_failed, "refused"}, todo_);
  }

  void apply(const redis::send_action& x) {
    net_.send(link_, side::client, x.commands->bytes);
    has_written_ = true;
  }

  void apply(const redis::send_text_action& x) {
    net_.send(link_, side::client, x.bytes);
    has_written_ = true;
  }

  void apply(const redis::close_action&) {
    net_.close(std::exchange(link_, 0), side::client);
  }

  void apply(const redis::answer_action& x) {
    answers_.settle(x.token, x.answer);
  }

  void apply(const redis::fail_action& x) {
    answers_.settle(x.token, make_error(x.why));
  }

  void apply(const redis::log_action& x) {
    log(x.level, "connection " + role_.name, x.line);
  }

  void arm() {
    const auto next = fsm_.next_tick();
    if (next == redis::time_point::max()
        || (!ticks_.empty() && ticks_.front() <= next))
      return;
    ticks_.push_front(next);
    self_->delayed_send(self_, std::max(next - now(), caf::timespan{0}),
                        caf::tick_atom_v);
  }

  [[nodiscard]] time_point now() const {
    return self_->clock().now();
  }

  self_type::pointer self_;
  connection_role role_;
  network& net_;
  uint32_t node_;
  redis::connection_fsm fsm_;
  redis::actions todo_;
  internal::answer_queue answers_;
  // The times of the ticks under way, the earliest first.
  std::deque<time_point> ticks_;
  link_id link_ = 0;
  bool has_written_ = false;
};

} // namespace

connection_actor spawn_simulated_connection(caf::actor_system& sys,
                                            const redis_options& options,
                                            connection_role role, network& net,
                                            uint32_t node, uint64_t random) {
  unique_ids suffix{random};
  redis::connection_config config{*parse_endpoint(options.url), options,
                                  options.client_name + ":" + role.name + "#"
                                    + std::string{suffix.next()}};
  return internal::spawn_state<connection_state>(sys, std::move(config),
                                                 std::move(role), &net, node,
                                                 random);
}

} // namespace pulse::simulation
