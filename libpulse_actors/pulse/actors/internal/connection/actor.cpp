#include "pulse/actors/internal/connection/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
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

// Messages that the actor sends to itself, or that its host sends to it.
using self_actor
  = extended_interface<connection_actor, caf::result<void>(caf::tick_atom),
                       // Whether a host name was resolved, and its addresses,
                       // one per line, or the reason of the failure.
                       caf::result<void>(caf::resolve_atom, bool, std::string),
                       // See internal::socket_owner.
                       caf::result<void>(atom::ready, uint64_t, uint32_t)>;

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
class connection_state final : private internal::end_of_turn {
public:
  using self_type = self_actor;
  using pointer = self_type::pointer;

  static inline const char* name = "pulse.connection";

  connection_state(pointer self, redis::connection_config config,
                   connection_role role)
    : self_(self),
      host_(role.host),
      config_(std::move(config)),
      role_(std::move(role)),
      log_name_("pulse.connection " + role_.name),
      fsm_(config_, make_engine()),
      socket_(config_.to, config_.options),
      timer_(self, tick_slack) {
    // nop
  }

  ~connection_state() {
    close_socket();
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
      [this](atom::ready, uint64_t n, uint32_t what) { on_ready(n, what); },
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
    guarded([this] { fsm_.close(todo_); });
    self_->quit(std::move(reason));
  }

  void on_tick() {
    timer_.on_tick();
    guarded([this] { fsm_.on_tick(now(), todo_); });
  }

  void on_ready(uint64_t number, uint32_t what) {
    if (number != number_ || !socket_.is_open())
      return;
    guarded([&] {
      if ((what & redis::readiness::writes) != 0)
        flush();
    });
    if ((what & (redis::readiness::reads | redis::readiness::ended)) != 0)
      read(number, (what & redis::readiness::ended) != 0);
  }

  // Reads until nothing is there. After a while the others of the host have
  // their turn.
  void read(uint64_t number, bool ended) {
    for (int i = 0; i < max_reads; ++i) {
      bool has_more = false;
      guarded([&] { has_more = read_once(ended); });
      if (!has_more || number != number_)
        return;
    }
    tell_ready(redis::readiness::reads
               | (ended ? redis::readiness::ended : uint32_t{0}));
  }

  // @returns whether there may be more. The end of a connection is reported
  // once, so then it is read until nothing is left.
  bool read_once(bool ended) {
    auto& buffer = host_->buffer();
    const auto x = socket_.receive(buffer);
    const auto is_over = x.ended || (ended && x.size == 0);
    if (!x.plain.empty())
      fsm_.on_data(now(), x.plain, todo_);
    if (!x.ok)
      fsm_.on_broken(now(), x.ok.error(), todo_);
    else if (is_over)
      on_peer_closed();
    return !is_over && (ended || x.size == buffer.size());
  }

  void on_peer_closed() {
    if (const auto why = socket_.why_closed(); why.code != errc::none)
      fsm_.on_broken(now(), why, todo_);
    fsm_.on_peer_closed(now(), todo_);
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

  // An exception that leaves a handler would terminate the actor. An exception
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
    flush_soon();
    arm();
  }

  // All that is written in a turn of the host is sent together.
  void flush_soon() {
    if (!socket_.has_unsent() || waits_for_room_ || flushes_soon_)
      return;
    flushes_soon_ = true;
    host_->at_end_of_turn(this, caf::actor_cast<caf::strong_actor_ptr>(self_));
  }

  // This is no handler, so what follows from it waits for a message.
  void on_end_of_turn() override {
    flushes_soon_ = false;
    flush();
    if (!todo_.empty())
      tell_ready(0);
  }

  void flush() {
    const auto done = socket_.flush();
    if (!done) {
      // A read says in what way the connection has ended.
      tell_ready(redis::readiness::ended);
      return;
    }
    if (std::exchange(waits_for_room_, done->unsent > 0) != waits_for_room_)
      host_->watch_writes(socket_.fd(), number_, waits_for_room_);
    if (done->written > 0)
      fsm_.on_written(now(), done->written, done->unsent, todo_);
  }

  void tell_ready(uint32_t what) {
    internal::tell(caf::actor_cast<self_actor>(self_), atom::ready_v, number_,
                   what);
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
    auto watched = host_->watch(*fd,
                                caf::actor_cast<caf::strong_actor_ptr>(self_),
                                number_);
    if (!watched)
      socket_.abandon();
    return watched;
  }

  void apply(const redis::send_action& x) {
    write(x.commands);
  }

  void apply(const redis::send_text_action& x) {
    write(x.bytes);
  }

  template <class T>
  void write(const T& x) {
    if (const auto ok = socket_.write(x); !ok)
      fsm_.on_broken(now(), ok.error(), todo_);
  }

  void apply(const redis::close_action& x) {
    if (x.elsewhere)
      addresses_.clear();
    close_socket();
  }

  void close_socket() {
    wants_address_ = false;
    if (!socket_.is_open())
      return;
    host_->unwatch(socket_.fd(), number_);
    if (std::exchange(flushes_soon_, false))
      host_->forget(this);
    number_ = 0;
    waits_for_room_ = false;
    socket_.abandon();
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
  // How often the actor reads in a row.
  static constexpr int max_reads = 4;

  pointer self_;
  // It keeps the host alive. All handlers run in it.
  internal::io_host_ptr host_;
  redis::connection_config config_;
  connection_role role_;
  std::string log_name_;
  redis::connection_fsm fsm_;
  redis::actions todo_;
  internal::answer_queue answers_;
  internal::secured_socket socket_;
  // The number that the host gave the socket; 0: there is none.
  uint64_t number_ = 0;
  // Bytes wait until the socket takes more.
  bool waits_for_room_ = false;
  // At the end of this turn bytes are sent.
  bool flushes_soon_ = false;
  // The addresses to connect to, in turn.
  redis::addresses addresses_;
  size_t next_address_ = 0;
  uint64_t connects_before_ = 0;
  bool resolving_ = false;
  bool wants_address_ = false;

  internal::tick_timer<pointer> timer_;
  bool closing_ = false;
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
  if (!role.host) {
    auto host = internal::io_host::start(sys, busy_poll_of(options));
    if (!host)
      return host.error();
    role.host = std::move(*host);
  }
  const auto host = role.host;
  connection_actor result = internal::spawn_hosted_state<connection_state>(
    sys, host, std::move(config), std::move(role));
  return result;
}

} // namespace pulse
