// The part of connection_fsm that reads the replies of the peer.

#include "pulse/redis/connection_fsm.hpp"
#include "pulse/resp/script.hpp"

namespace pulse::redis {

namespace {

bool is_error(const resp::reply& x, errc code) {
  const resp::cursor at{x};
  return at.is(resp::node_type::error) && resp::error_of(at).code == code;
}

} // namespace

void connection_fsm::on_data(time_point now, const char* data, size_t size,
                             actions& out) {
  if (!decoder_)
    return;
  if (state_ == state::connecting)
    state_ = state::handshaking;
  decoder_->feed(data, size);
  // A reply may end the connection; then there is no decoder any more.
  while (decoder_ && read_one(now, out)) {
    // nop
  }
  leave_if_wrong(now, out);
}

bool connection_fsm::read_one(time_point now, actions& out) {
  if (state_ == state::handshaking)
    return read_handshake(now, out);
  if (queue_.num_sent() == 0)
    return read_unexpected(now, out);
  return queue_.front().loading ? read_script_reply(now, out)
                                : read_answer(now, out);
}

bool connection_fsm::decode(time_point now, resp::reply& into, actions& out) {
  auto complete = decoder_->next(into);
  if (complete)
    return *complete;
  drop(now, complete.error(), out);
  return false;
}

bool connection_fsm::read_handshake(time_point now, actions& out) {
  resp::reply x;
  if (!decode(now, x, out))
    return false;
  const auto last = handshake_->on_reply(x);
  if (!last) {
    drop(now, last.error(), out);
    return false;
  }
  if (auto more = handshake_->take_more(); !more.empty()) {
    unsent_ += more.size();
    out.push_back(send_text_action{std::move(more)});
  }
  if (*last)
    get_ready(now, out);
  return true;
}

bool connection_fsm::read_unexpected(time_point now, actions& out) {
  resp::reply x;
  if (decode(now, x, out))
    drop(now, resp::unexpected_reply("no command", resp::cursor{x}), out);
  return false;
}

bool connection_fsm::read_script_reply(time_point now, actions& out) {
  resp::reply x;
  if (!decode(now, x, out))
    return false;
  auto& front = queue_.front();
  front.loading = false;
  // After this error the call of the script fails, too, and its owner gets that
  // error.
  if (const resp::cursor at{x}; at.is(resp::node_type::error))
    out.push_back(log_action{log_level::warning,
                             "cannot load the script "
                               + std::string{front.commands->lua->name}
                               + " (SCRIPT LOAD): " + resp::error_of(at).what});
  return true;
}

bool connection_fsm::read_answer(time_point now, actions& out) {
  auto& front = queue_.front();
  if (!front.answer)
    front.answer = std::make_shared<resp::reply>();
  // This copy keeps the reply alive: decode() removes the batch if the reply is
  // broken.
  const auto answer = front.answer;
  if (!decode(now, *answer, out))
    return false;
  ++counters_.replies;
  if (answer->count == front.commands->count)
    finish_front(now, out);
  return true;
}

void connection_fsm::finish_front(time_point now, actions& out) {
  auto& front = queue_.front();
  last_used_ = now;
  if (front.commands->lua != nullptr && !front.load_script
      && is_error(*front.answer, errc::no_script)) {
    front.load_script = true;
    queue_.send_again();
    send_waiting(now, out);
    return;
  }
  is_wrong_ = is_wrong_ || is_error(*front.answer, errc::read_only)
              || is_error(*front.answer, errc::auth_failed);
  auto done = queue_.pop();
  out.push_back(answer_action{done.token, std::move(done.answer)});
}

// Closes the connection only after all commands that were sent are answered, so
// that no outcome becomes unknown.
void connection_fsm::leave_if_wrong(time_point now, actions& out) {
  if (is_wrong_ && queue_.num_sent() == 0)
    drop(now,
         {errc::connection_lost,
          "the connection was closed, because the server is a replica or "
          "requires a new login"},
         out);
}

} // namespace pulse::redis
