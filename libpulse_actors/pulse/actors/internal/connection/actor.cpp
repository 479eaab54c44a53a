#include "pulse/actors/internal/connection/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/broker.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/connection/answer_queue.hpp"
#include "pulse/actors/internal/connection/secured_socket.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/runtime/tick_timer.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/streams/unique_ids.hpp"
#include "pulse/redis/connect.hpp"
#include "pulse/redis/connection_fsm.hpp"
#include "pulse/redis/credentials.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/reply.hpp"

#include <caf/event_based_actor.hpp>

#include <random>

namespace pulse {

namespace {

using std::chrono::milliseconds;

// Messages that the actor sends to itself, or that the multiplexer sends to it.
using self_actor
  = extended_interface<connection_actor, caf::result<void>(caf::tick_atom),
                       // Whether a host name was resolved, and its addresses,
                       // one per line, or the reason of the failure.
                       caf::result<void>(caf::resolve_atom, bool, std::string),
                       caf::result<void>(caf::io::new_data_msg),
                       caf::result<void>(caf::io::data_transferred_msg),
                       caf::result<void>(caf::io::connection_closed_msg)>;

// Runs in a thread of its own, since resolving a name may take long. An actor
// system that shuts down waits for this thread.
void resolve_for(const self_actor& asker, const std::string& host) {
  const auto found = redis::resolve(host);
  std::string text;
  if (found)
    for (auto& address : *found)
      text.append(address).append("\n");
  else
    text = found.error().what;
  internal::tell(asker, caf::resolve_atom_v, found.ok(), std::move(text));
}

redis::addresses split_lines(const std::string& text) {
  redis::addresses result;
  for (size_t pos = 0; pos < text.size();) {
    const auto end = text.find('\n', pos);
    result.push_back(text.substr(pos, end - pos));
    pos = end + 1;
  }
  return result;
}

random_engine make_engine() {
  return random_engine{std::random_device{}()};
}

// Feeds the state machine with what happens, and performs the actions that it
// returns.
class connection_state {
public:
  using self_type = self_actor;
  using pointer = internal::broker_pointer<self_type>;

  static inline const char* name = "pulse.connection";

  connection_state(pointer self, redis::connection_config config,
                   connection_role role)
    : self_(self),
      config_(std::move(config)),
      role_(std::move(role)),
      log_name_("pulse.connection " + role_.name),
      fsm_(config_, make_engine()),
      socket_(self, config_.to, config_.options),
      timer_(self, tick_slack) {
    // nop
  }

  ~connection_state() {
    answers_.fail_all(make_error({errc::closed, log_name_ + " ended"}));
  }

  self_type::behavior_type make_behavior() {
    internal::on_exit_request(self_, [this](caf::exit_msg& msg) {
      if (msg.reason)
        on_close(std::move(msg.reason));
    });
    return {
      [this](atom::run, command_ptr& x) { return on_run(std::move(x)); },
      [this](atom::unblock) { on_unblock(); },
      [this](atom::info) { return fsm_.info(); },
      [this](caf::close_atom) { on_close({}); },
      [this](caf::tick_atom) { on_tick(); },
      [this](caf::resolve_atom, bool ok, const std::string& text) {
        on_resolved(ok, text);
      },
      [this](const caf::io::new_data_msg& x) { on_data(x); },
      [this](const caf::io::data_transferred_msg& x) { on_written(x); },
      [this](const caf::io::connection_closed_msg& x) { on_peer_closed(x); },
    };
  }

private:
  // -- messages ---------------------------------------------------------------

  caf::result<reply_ptr> on_run(command_ptr commands) {
    if (commands == nullptr || commands->count == 0)
      return make_error({errc::internal, log_name_
                                           + ": a batch has no commands; "
                                             "please report this defect"});
    auto promise = internal::new_promise(self_);
    const auto token = answers_.push(promise);
    guarded([&] { fsm_.submit(now(), token, std::move(commands), todo_); });
    return promise;
  }

  void on_unblock() {
    const auto id = fsm_.info().client_id;
    if (!fsm_.under_way() || id == 0)
      return;
    if (!role_.unblock_via) {
      log(log_level::error,
          "cannot end a blocking read: the connection has no unblock_via; "
          "please report this defect");
      return;
    }
    auto batch = std::make_shared<command_batch>();
    resp::write_command(batch->bytes, "CLIENT", "UNBLOCK", id);
    batch->count = 1;
    batch->repeatable = true;
    // A closing system does not need the unblock: the read ends with its
    // connection. So that failure is no warning.
    const auto failed = [this](const failure& why) {
      log(why.code == errc::closed ? log_level::debug : log_level::warning,
          "cannot end a blocking read (CLIENT UNBLOCK): " + to_string(why));
    };
    internal::run_on(
      self_, role_.unblock_via, std::move(batch),
      [failed](const resp::reply& x) {
        if (const resp::cursor at{x}; at.is(resp::node_type::error))
          failed(resp::error_of(at));
      },
      failed);
  }

  void on_close(caf::error reason) {
    if (closing_)
      return;
    closing_ = true;
    quit_reason_ = std::move(reason);
    guarded([this] { fsm_.close(todo_); });
    quit_at_ = now() + quit_delay;
    if (!quit_when_done())
      timer_.arm(quit_at_);
  }

  // Terminates the actor once its last socket has ended, see broker_socket.
  bool quit_when_done() {
    if (socket_.has_any() && now() < quit_at_)
      return false;
    self_->quit(std::move(quit_reason_));
    return true;
  }

  void on_tick() {
    timer_.on_tick();
    if (closing_) {
      quit_when_done();
      return;
    }
    guarded([this] { fsm_.on_tick(now(), todo_); });
  }

  void on_data(const caf::io::new_data_msg& x) {
    if (!socket_.is(x.handle))
      return;
    guarded([&] {
      std::string_view plain;
      const auto ok = socket_.receive(internal::bytes_of(x), plain);
      if (!plain.empty())
        fsm_.on_data(now(), plain, todo_);
      if (!ok)
        fsm_.on_broken(now(), ok.error(), todo_);
    });
  }

  void on_written(const caf::io::data_transferred_msg& x) {
    if (socket_.is(x.handle))
      guarded([&] { fsm_.on_written(now(), x.written, x.remaining, todo_); });
  }

  void on_peer_closed(const caf::io::connection_closed_msg& x) {
    if (socket_.is(x.handle)) {
      socket_.forget();
      guarded([this] {
        if (const auto why = socket_.why_closed(); why.code != errc::none)
          fsm_.on_broken(now(), why, todo_);
        fsm_.on_peer_closed(now(), todo_);
      });
    }
    if (closing_)
      quit_when_done();
  }

  void on_resolved(bool ok, const std::string& text) {
    resolving_ = false;
    if (ok) {
      addresses_ = split_lines(text);
      next_address_ = 0;
    }
    if (!std::exchange(wants_address_, false))
      return;
    guarded([&] {
      if (ok)
        open_socket();
      else
        fsm_.on_connect_failed(now(), {errc::connect_failed, text}, todo_);
    });
  }

  // -- actions ----------------------------------------------------------------

  // An exception that leaves a handler would terminate the broker. An exception
  // that is caught here means a defect or a lack of memory; the connection
  // starts over.
  template <class F>
  void guarded(F event) {
    try {
      event();
      perform();
    } catch (const std::exception& x) {
      start_over(x.what());
    }
  }

  void start_over(const std::string& what) {
    log(log_level::error, "the connection starts over after a defect: " + what);
    todo_.clear();
    close_socket();
    answers_.fail_all(make_error({errc::internal, log_name_ + ": " + what}));
    fsm_ = redis::connection_fsm{config_, make_engine()};
    if (closing_)
      fsm_.close(todo_);
  }

  void perform() {
    // An action may append further actions.
    size_t done = 0;
    while (done < todo_.size()) {
      const auto action = std::move(todo_[done++]);
      std::visit([this](const auto& x) { apply(x); }, action);
    }
    todo_.clear();
    socket_.flush();
    arm();
  }

  void apply(const redis::connect_action&) {
    // The address of the last attempt is used again if that attempt succeeded.
    const auto connects = fsm_.info().connects;
    if (std::exchange(connects_before_, connects) == connects)
      ++next_address_;
    if (next_address_ >= addresses_.size()) {
      addresses_ = redis::known_addresses(config_.to);
      next_address_ = 0;
    }
    if (!addresses_.empty()) {
      open_socket();
      return;
    }
    wants_address_ = true;
    if (!std::exchange(resolving_, true))
      self_->system().spawn<caf::detached>(resolve_for,
                                           caf::actor_cast<self_actor>(self_),
                                           config_.to.host);
  }

  void open_socket() {
    if (const auto ok = try_to_open(); ok)
      fsm_.on_connecting(now(), todo_);
    else
      fsm_.on_connect_failed(now(), ok.error(), todo_);
  }

  status try_to_open() {
    auto password = redis::current_password(config_.options, config_.to);
    if (!password)
      return password.error();
    fsm_.set_password(std::move(*password));
    if (auto ok = socket_.prepare(); !ok)
      return ok;
    const auto fd = redis::connect(config_.to, addresses_[next_address_]);
    if (!fd)
      return fd.error();
    socket_.open(*fd);
    return {};
  }

  void apply(const redis::send_action& x) {
    write(x.commands->bytes);
  }

  void apply(const redis::send_text_action& x) {
    write(x.bytes);
  }

  void write(const std::string& bytes) {
    if (const auto ok = socket_.write(bytes); !ok)
      fsm_.on_broken(now(), ok.error(), todo_);
  }

  void apply(const redis::close_action& x) {
    if (x.elsewhere)
      addresses_.clear();
    close_socket();
  }

  void close_socket() {
    wants_address_ = false;
    socket_.give_up();
  }

  void apply(const redis::answer_action& x) {
    answers_.settle(x.token, x.answer);
  }

  void apply(const redis::fail_action& x) {
    answers_.settle(x.token, make_error(x.why));
  }

  void apply(const redis::log_action& x) {
    log(x.level, x.line);
  }

  // -- helpers ----------------------------------------------------------------

  void arm() {
    if (!closing_)
      timer_.arm(fsm_.next_tick());
  }

  [[nodiscard]] redis::time_point now() const {
    return self_->clock().now();
  }

  void log(log_level level, const std::string& line) const {
    pulse::log(level, log_name_, line);
  }

  // A tick may arrive this much later than the state machine wants it.
  static constexpr milliseconds tick_slack{5};
  // How long to wait for the end of the sockets that were given up. The
  // multiplexer normally reports it in its next turn.
  static constexpr std::chrono::seconds quit_delay{5};

  pointer self_;
  redis::connection_config config_;
  connection_role role_;
  std::string log_name_;
  redis::connection_fsm fsm_;
  redis::actions todo_;
  internal::answer_queue answers_;
  internal::secured_socket socket_;
  // The addresses to connect to, in turn.
  redis::addresses addresses_;
  size_t next_address_ = 0;
  uint64_t connects_before_ = 0;
  bool resolving_ = false;
  bool wants_address_ = false;

  internal::tick_timer<pointer> timer_;
  bool closing_ = false;
  redis::time_point quit_at_;
  caf::error quit_reason_;
};

} // namespace

caf::expected<connection_actor> spawn_connection(caf::actor_system& sys,
                                                 const redis_options& options,
                                                 connection_role role) {
  auto to = parse_endpoint(options.url);
  if (!to)
    return make_error(to.error());
  std::random_device random;
  unique_ids suffix{uint64_t{random()} << 32 | random()};
  redis::connection_config config{std::move(*to), options,
                                  options.client_name + ":" + role.name + "#"
                                    + std::string{suffix.next()}};
  const auto host = role.host;
  connection_actor result = internal::spawn_broker_state<connection_state>(
    sys, host, std::move(config), std::move(role));
  return result;
}

} // namespace pulse
