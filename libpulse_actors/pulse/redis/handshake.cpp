#include "pulse/redis/handshake.hpp"

#include "pulse/resp/command.hpp"

namespace pulse::redis {

namespace {

std::string clean_name(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c < '!' || c > '~')
      c = '_';
  return result;
}

} // namespace

handshake::handshake(const endpoint& to, std::string_view client_name,
                     int64_t predecessor)
  : client_name_(clean_name(client_name)),
    predecessor_(predecessor),
    database_(to.database),
    user_(to.user.empty() ? "default" : to.user) {
  using resp::write_command;
  if (!to.password.empty() || !to.user.empty()) {
    steps_.push_back(step::auth);
    if (to.user.empty())
      write_command(bytes_, "AUTH", to.password);
    else
      write_command(bytes_, "AUTH", to.user, to.password);
  }
  if (to.database > 0) {
    steps_.push_back(step::select);
    write_command(bytes_, "SELECT", uint64_t{to.database});
  }
  steps_.push_back(step::set_name);
  write_command(bytes_, "CLIENT", "SETNAME", client_name_);
  steps_.push_back(step::id);
  write_command(bytes_, "CLIENT", "ID");
  if (predecessor_ != 0) {
    steps_.push_back(step::list);
    write_command(bytes_, "CLIENT", "LIST", "ID", predecessor_);
  }
  // A server that loads its data set answers all the others, but not this.
  steps_.push_back(step::ping);
  write_command(bytes_, "PING");
}

failure handshake::on_error(step at, failure why) const {
  switch (at) {
    case step::auth:
      if (!is_transient(why.code))
        why = {errc::auth_failed,
               "Redis refuses user \"" + user_ + "\": " + why.what};
      return why;
    case step::select:
      why.what = "SELECT " + std::to_string(database_) + ": " + why.what;
      return why;
    case step::ping:
      // Such a server may be unable to save, or the user not allowed to PING:
      // each command will tell.
      if (why.code == errc::auth_failed || why.code == errc::loading)
        return why;
      return {};
    default:
      // Names and IDs are a convenience, unless the server refuses all.
      if (why.code == errc::auth_failed || is_transient(why.code))
        return why;
      return {};
  }
}

outcome<bool> handshake::on_reply(const resp::reply& x) {
  const auto at = steps_[pos_++];
  const resp::cursor reply{x};
  if (reply.is(resp::node_type::error)) {
    if (auto why = on_error(at, resp::error_of(reply)); why.code != errc::none)
      return why;
  } else if (at == step::id && reply.is(resp::node_type::integer)) {
    client_id_ = reply.peek().value;
  } else if (at == step::list && reply.is(resp::node_type::string)) {
    kill_if_ours(reply.text());
  } else if (at == step::kill && reply.is(resp::node_type::integer)) {
    // It may be gone meanwhile: good as well.
  } else if (!reply.is(resp::node_type::status)) {
    return resp::unexpected_reply("the handshake, is it a Redis?", reply);
  }
  return pos_ == steps_.size();
}

// Client IDs begin anew with each start of the server: the name decides.
void handshake::kill_if_ours(std::string_view client_list) {
  if (client_list.find(" name=" + client_name_ + " ") == std::string_view::npos)
    return;
  resp::write_command(more_, "CLIENT", "KILL", "ID", predecessor_);
  steps_.push_back(step::kill);
}

} // namespace pulse::redis
