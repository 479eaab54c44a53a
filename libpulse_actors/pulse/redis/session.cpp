#include "pulse/redis/session.hpp"

#include "pulse/resp/command.hpp"
#include "pulse/resp/script.hpp"

#include <algorithm>

namespace pulse::redis {

namespace {

// How many bytes may wait in the buffer of the socket. More commands wait in
// the queue, where they can still expire without being sent.
constexpr size_t high_water = 1u << 20;

resp::decoder_limits limits_of(const redis_options& x) {
  resp::decoder_limits result;
  result.max_reply_bytes = x.max_reply_bytes;
  return result;
}

bool is_error(const resp::reply& x, errc code) {
  const resp::cursor at{x};
  return at.is(resp::node_type::error) && resp::error_of(at).code == code;
}

// @returns whether a reply of the batch says that this server executes no
// command of ours any more. It need not be the first one: within MULTI the
// server refuses the commands that follow.
bool tells_to_leave(const resp::reply& x) {
  resp::cursor at{x};
  for (uint32_t i = 0; i < x.count; ++i, at.skip()) {
    if (!at.is(resp::node_type::error))
      continue;
    const auto code = resp::error_of(at).code;
    if (code == errc::read_only || code == errc::auth_failed)
      return true;
  }
  return false;
}

} // namespace

session::session(const endpoint& to, const redis_options& options,
                 const std::string& client_name, int64_t predecessor)
  : decoder_(limits_of(options)), handshake_(to, client_name, predecessor) {
  // nop
}

// -- sending ------------------------------------------------------------------

void session::greet(actions& out) {
  send_text(handshake_.bytes(), out);
}

uint64_t session::send_waiting(command_queue& queue, actions& out) {
  uint64_t result = 0;
  while (queue.num_waiting() > 0 && unsent_ < high_water && !is_wrong_) {
    auto& x = queue.send_next();
    if (x.load_script) {
      std::string bytes;
      resp::write_command(bytes, "SCRIPT", "LOAD", x.commands->lua->source);
      send_text(std::move(bytes), out);
    }
    unsent_ += x.commands->bytes.size();
    result += x.commands->count;
    out.push_back(send_action{x.commands});
  }
  return result;
}

void session::send_text(std::string bytes, actions& out) {
  unsent_ += bytes.size();
  out.push_back(send_text_action{std::move(bytes)});
}

// -- reading ------------------------------------------------------------------

outcome<session::progress> session::read(std::string_view& bytes,
                                         command_queue& queue, actions& out) {
  if (!decoder_.has_part())
    begin_reply(queue);
  const auto complete = decoder_.next(bytes, *reply_);
  if (!complete)
    return complete.error();
  if (!*complete)
    return progress::incomplete;
  return finish_reply(queue, out);
}

session::subject session::next_subject(command_queue& queue) const {
  if (!is_ready_)
    return subject::greeting;
  if (queue.num_sent() == 0)
    return subject::nothing;
  return queue.front().loading ? subject::script : subject::commands;
}

// The replies to the commands of a batch are decoded into one reply.
void session::begin_reply(command_queue& queue) {
  subject_ = next_subject(queue);
  if (subject_ != subject::commands) {
    reply_ = std::make_shared<resp::reply>();
    return;
  }
  auto& front = queue.front();
  if (!front.answer)
    front.answer = std::make_shared<resp::reply>();
  reply_ = front.answer;
}

outcome<session::progress> session::finish_reply(command_queue& queue,
                                                 actions& out) {
  const auto x = std::move(reply_);
  switch (subject_) {
    case subject::commands:
      return x->count == queue.front().commands->count
               ? finish_front(queue, out)
               : progress::reply;
    case subject::script:
      return take_script_reply(queue.front(), *x, out);
    case subject::greeting:
      return take_greeting(*x, out);
    default:
      return resp::unexpected_reply("no command", resp::cursor{*x});
  }
}

outcome<session::progress> session::take_greeting(const resp::reply& x,
                                                  actions& out) {
  const auto last = handshake_.on_reply(x);
  if (!last)
    return last.error();
  if (auto more = handshake_.take_more(); !more.empty())
    send_text(std::move(more), out);
  is_ready_ = *last;
  return is_ready_ ? progress::ready : progress::preparation;
}

session::progress session::take_script_reply(queued_batch& front,
                                             const resp::reply& x,
                                             actions& out) {
  front.loading = false;
  // After this error the call of the script fails, too, and its owner gets that
  // error.
  if (const resp::cursor at{x}; at.is(resp::node_type::error))
    out.push_back(log_action{log_level::warning,
                             "cannot load the script "
                               + std::string{front.commands->lua->name}
                               + " (SCRIPT LOAD): " + resp::error_of(at).what});
  return progress::preparation;
}

session::progress session::finish_front(command_queue& queue, actions& out) {
  auto& front = queue.front();
  if (front.commands->lua != nullptr && !front.load_script && !front.given_up
      && is_error(*front.answer, errc::no_script)) {
    front.load_script = true;
    queue.send_again();
    return progress::send_again;
  }
  is_wrong_ = is_wrong_ || tells_to_leave(*front.answer);
  auto done = queue.pop();
  if (!done.given_up)
    out.push_back(answer_action{done.token, std::move(done.answer)});
  return progress::reply;
}

} // namespace pulse::redis
