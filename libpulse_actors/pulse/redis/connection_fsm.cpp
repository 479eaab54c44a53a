#include "pulse/redis/connection_fsm.hpp"

#include "pulse/resp/reply.hpp"

#include <algorithm>
#include <array>

namespace pulse::redis {

namespace {

using std::chrono::milliseconds;

// A connection that was not used for this time is closed, and the next command
// opens it again. So a connection does not stay open for ever if its owner
// forgot to close it.
constexpr std::chrono::seconds idle_timeout{60};

// A large command and what is before it may take this much longer, 1 s per
// 256 KiB: the kernels and proxies on the way may hold bytes that the socket
// has taken long ago. Smaller commands get no more time.
constexpr size_t free_bytes = 64u << 10;
constexpr std::chrono::nanoseconds time_per_byte{1'000'000'000 / (256 << 10)};

time_point::duration time_for(uint64_t bytes) {
  return bytes > free_bytes
           ? time_per_byte * static_cast<int64_t>(bytes - free_bytes)
           : time_point::duration{0};
}

std::string to_text(milliseconds x) {
  return std::to_string(x.count()) + " ms";
}

} // namespace

connection_fsm::connection_fsm(connection_config config, random_engine random)
  : config_(std::move(config)),
    peer_(to_string(config_.to)),
    random_(random),
    backoff_(config_.options.reconnect_first, config_.options.reconnect_last),
    queue_({config_.options.max_queued, config_.options.max_queued_bytes}) {
  // nop
}

// -- commands -----------------------------------------------------------------

void connection_fsm::submit(time_point now, uint64_t token,
                            command_ptr commands, actions& out) {
  if (state_ == state::closed) {
    out.push_back(fail_action{
      token, {errc::closed, peer_ + ": the connection was closed"}});
    return;
  }
  if (state_ == state::waiting && now >= retry_at_)
    state_ = state::idle;
  if (state_ == state::waiting && !is_transient(last_failure_.code)) {
    out.push_back(fail_action{token, refusal()});
    return;
  }
  if (!queue_.has_room_for(*commands)) {
    auto text = peer_ + ": " + std::to_string(queue_.num_commands())
                + " commands are queued; slow down, or raise max_queued or "
                  "max_queued_bytes";
    out.push_back(fail_action{token, {errc::overloaded, std::move(text)}});
    return;
  }
  const auto timeout = timeout_of(*commands);
  const auto size = commands->bytes.size();
  const auto deadline = now + timeout + time_for(size);
  const auto patience = now + std::max(timeout, config_.options.command_timeout)
                        + time_for(queue_.num_bytes() + size);
  queue_.push({token, std::move(commands), deadline, patience});
  if (state_ == state::idle)
    connect(now, out);
  else if (state_ == state::ready)
    send_waiting(now, out);
}

void connection_fsm::send_waiting(time_point now, actions& out) {
  if (queue_.due() <= now) {
    expire_waiting(now, out);
    queue_.update_due();
  }
  last_used_ = now;
  counters_.sent += session_->send_waiting(queue_, out);
}

void connection_fsm::on_written(time_point now, size_t bytes, size_t unsent,
                                actions& out) {
  if (session_)
    session_->on_written(unsent);
  if (unsent > 0)
    queue_.taken(now, bytes, unsent, config_.options.command_timeout);
  if (state_ == state::ready && queue_.num_waiting() > 0)
    send_waiting(now, out);
}

milliseconds connection_fsm::timeout_of(const command_batch& x) const {
  return x.timeout.count() > 0 ? x.timeout : config_.options.command_timeout;
}

// -- deadlines ----------------------------------------------------------------

time_point connection_fsm::next_tick() const noexcept {
  switch (state_) {
    case state::connecting:
    case state::handshaking:
      return std::min(attempt_deadline_, queue_.due());
    case state::ready:
      return queue_.empty() ? last_used_ + idle_timeout : queue_.due();
    case state::waiting:
      return std::min(retry_at_, queue_.due());
    default:
      return time_point::max();
  }
}

void connection_fsm::on_tick(time_point now, actions& out) {
  if (queue_.due() <= now) {
    expire_waiting(now, out);
    if (queue_.sent_lost(now))
      drop(now, {errc::timed_out, "no reply in time"}, out);
    else
      for (const auto& x : queue_.give_up_late(now))
        out.push_back(fail_action{x.token, no_reply(x)});
    queue_.update_due();
  }
  if (state_ == state::waiting && now >= retry_at_) {
    state_ = state::idle;
    if (!queue_.empty())
      connect(now, out);
  } else if ((state_ == state::connecting || state_ == state::handshaking)
             && now >= attempt_deadline_) {
    drop(now, {errc::connect_failed, no_answer()}, out);
  } else if (state_ == state::ready && queue_.empty()
             && now >= last_used_ + idle_timeout) {
    out.push_back(log_action{log_level::debug,
                             "the connection was closed, because it was not "
                             "used"});
    close_socket(out);
    state_ = state::idle;
  }
}

void connection_fsm::expire_waiting(time_point now, actions& out) {
  for (auto& x : queue_.take_expired(now))
    out.push_back(fail_action{x.token, too_late(x)});
}

failure connection_fsm::too_late(const queued_batch& x) const {
  const auto within = " within " + to_text(timeout_of(*x.commands));
  if (state_ == state::ready)
    return {errc::timed_out,
            peer_ + ": the command was not sent" + within
              + ", because the server is too slow for the commands before it"};
  const auto reason = ", because there is no connection: " + why_none();
  if (x.was_sent)
    return {errc::connection_lost, peer_
                                     + ": the connection was lost, and the "
                                       "command was not repeated"
                                     + within + reason};
  return {errc::connect_failed,
          peer_ + ": the command was not sent" + within + reason};
}

failure connection_fsm::no_reply(const queued_batch& x) const {
  return {errc::timed_out, peer_ + ": no reply within "
                             + to_text(timeout_of(*x.commands))
                             + "; the outcome is unknown"};
}

// Returns why there is no connection yet.
std::string connection_fsm::why_none() const {
  if (is_accepted())
    return "the peer accepted the connection, but has not answered the "
           "handshake yet"
           + tls_hint();
  return last_failure_.code == errc::none ? "the first attempt is under way"
                                          : last_failure_.what;
}

// The socket takes bytes only after the peer has accepted the connection.
bool connection_fsm::is_accepted() const noexcept {
  return session_ && session_->has_written();
}

// Returns why the current attempt has failed at its deadline.
std::string connection_fsm::no_answer() const {
  return (is_accepted()
            ? "the peer accepted the connection, but did not answer "
              "the handshake within "
            : "no answer within ")
         + to_text(config_.options.connect_timeout) + tls_hint();
}

std::string connection_fsm::tls_hint() const {
  return config_.to.transport == endpoint::kind::tls
           ? ": check whether this port speaks TLS"
           : "";
}

failure connection_fsm::refusal() const {
  return {last_failure_.code, peer_ + ": " + last_failure_.what};
}

// -- attempts -----------------------------------------------------------------

bool connection_fsm::has_socket() const noexcept {
  return state_ == state::connecting || state_ == state::handshaking
         || state_ == state::ready;
}

void connection_fsm::connect(time_point now, actions& out) {
  state_ = state::connecting;
  attempt_deadline_ = now + config_.options.connect_timeout;
  out.push_back(connect_action{});
}

void connection_fsm::on_connecting(time_point now, actions& out) {
  if (state_ != state::connecting) {
    // The attempt was given up meanwhile.
    out.push_back(close_action{});
    return;
  }
  last_used_ = now;
  session_.emplace(config_.to, config_.options, config_.client_name,
                   last_client_id_);
  session_->greet(out);
}

void connection_fsm::on_connect_failed(time_point now, const failure& why,
                                       actions& out) {
  if (state_ == state::connecting)
    drop(now, why, out);
}

void connection_fsm::get_ready(time_point now, actions& out) {
  expire_waiting(now, out);
  state_ = state::ready;
  ready_since_ = now;
  ++counters_.connects;
  counters_.client_id = session_->client_id();
  last_client_id_ = counters_.client_id;
  last_failure_ = {};
  out.push_back(
    log_action{log_level::info, "connected to " + peer_ + ", client ID "
                                  + std::to_string(counters_.client_id)});
  send_waiting(now, out);
}

void connection_fsm::on_peer_closed(time_point now, actions& out) {
  if (!has_socket())
    return;
  if (state_ == state::connecting)
    drop(now,
         {errc::connect_failed,
          std::string{"the peer refused the connection, or closed it without "
                      "an answer"}
            + (session_ && session_->has_written()
                   && config_.to.transport == endpoint::kind::tcp
                 ? ": if this port speaks TLS, use rediss:// in the URL"
                 : "")},
         out);
  else if (state_ == state::handshaking)
    drop(now,
         {errc::connect_failed,
          "the peer closed the connection during the handshake"},
         out);
  else
    drop(now, {errc::connection_lost, "the peer closed the connection"}, out);
}

void connection_fsm::on_broken(time_point now, const failure& why,
                               actions& out) {
  if (has_socket())
    drop(now, why, out);
}

void connection_fsm::close_socket(actions& out) {
  out.push_back(close_action{session_ && session_->is_wrong()});
  session_.reset();
  counters_.client_id = 0;
}

// -- replies ------------------------------------------------------------------

void connection_fsm::on_data(time_point now, std::string_view bytes,
                             actions& out) {
  if (!session_)
    return;
  if (state_ == state::connecting)
    state_ = state::handshaking;
  const auto size = bytes.size();
  // A reply may end the connection; then there is no session any more.
  while (session_ && take_reply(now, bytes, out)) {
    // nop
  }
  if (state_ == state::ready && queue_.num_sent() > 0
      && session_->is_receiving())
    queue_.arrived(now, size, config_.options.command_timeout);
  leave_if_wrong(now, out);
}

// Returns whether there may be another reply.
bool connection_fsm::take_reply(time_point now, std::string_view& bytes,
                                actions& out) {
  using progress = session::progress;
  const auto since = queue_.num_sent() > 0 ? queue_.front().arriving_since
                                           : std::nullopt;
  const auto before = out.size();
  const auto what = session_->read(bytes, queue_, out);
  if (since && out.size() > before)
    if (auto* x = std::get_if<answer_action>(&out.back()))
      x->answer->took = now - *since;
  if (!what) {
    drop(now, what.error(), out);
    return false;
  }
  if (*what == progress::reply || *what == progress::send_again) {
    ++counters_.replies;
    last_used_ = now;
  }
  if (*what == progress::ready)
    get_ready(now, out);
  else if (*what == progress::send_again)
    send_waiting(now, out);
  return *what != progress::incomplete;
}

// Closes the connection only after all commands that were sent are answered, so
// that no outcome becomes unknown.
void connection_fsm::leave_if_wrong(time_point now, actions& out) {
  if (session_ && session_->is_wrong() && queue_.num_sent() == 0)
    drop(now,
         {errc::connection_lost,
          "the connection was closed, because the server is a replica or "
          "requires a new login"},
         out);
}

// -- the end of a connection --------------------------------------------------

// Ends the attempt or the connection. `why` must not name the peer, because
// this function adds its name.
void connection_fsm::drop(time_point now, const failure& why, actions& out) {
  const bool was_ready = state_ == state::ready;
  ++counters_.failures;
  if (has_socket())
    close_socket(out);
  fail_sent(now, why, out);
  // The reason why a ready connection was lost is no reason to refuse commands.
  last_failure_ = {was_ready ? errc::connection_lost : why.code, why.what};
  if (!is_transient(last_failure_.code))
    for (auto& x : queue_.take_all())
      fail(x, refusal(), out);
  schedule_next(now,
                was_ready
                  && now - ready_since_ >= config_.options.reconnect_last,
                out);
}

void connection_fsm::fail_sent(time_point now, const failure& why,
                               actions& out) {
  // The first command that was sent caused this reply, and would cause it
  // again.
  if ((why.code == errc::protocol_error || why.code == errc::payload_too_large)
      && queue_.num_sent() > 0)
    fail(queue_.pop(), {why.code, peer_ + ": " + why.what}, out);
  for (auto& x : queue_.lose_sent(now))
    fail(x,
         x.deadline <= now
           ? no_reply(x)
           : failure{errc::connection_lost,
                     peer_ + ": " + why.what + "; the outcome is unknown"},
         out);
}

void connection_fsm::fail(const queued_batch& x, failure why, actions& out) {
  if (!x.given_up)
    out.push_back(fail_action{x.token, std::move(why)});
}

void connection_fsm::schedule_next(time_point now, bool at_once, actions& out) {
  auto level = queue_.empty() ? log_level::info : log_level::warning;
  if (!is_transient(last_failure_.code))
    level = log_level::error;
  auto line = to_string(refusal());
  if (!queue_.empty())
    line += "; " + std::to_string(queue_.num_commands()) + " commands wait";
  if (at_once) {
    backoff_.reset();
    state_ = state::idle;
    out.push_back(log_action{level, line + "; connecting again"});
    if (!queue_.empty())
      connect(now, out);
    return;
  }
  const auto pause = backoff_.next(random_);
  state_ = state::waiting;
  retry_at_ = now + pause;
  out.push_back(
    log_action{level, line + "; next attempt in " + to_text(pause)});
}

void connection_fsm::close(actions& out) {
  if (state_ == state::closed)
    return;
  if (has_socket())
    close_socket(out);
  state_ = state::closed;
  const failure why{errc::closed, peer_ + ": the connection was closed"};
  for (auto& x : queue_.take_all())
    fail(x, why, out);
}

connection_info connection_fsm::info() const {
  static constexpr std::array names = {"idle",  "connecting", "handshaking",
                                       "ready", "waiting",    "closed"};
  auto result = counters_;
  result.state = names[static_cast<size_t>(state_)];
  result.queued = queue_.num_commands();
  return result;
}

} // namespace pulse::redis
