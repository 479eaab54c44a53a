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
  // A server that still loads its data answers all other commands, but refuses
  // PING.
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
      // Another error is no reason to give up the connection: the server may be
      // unable to save, or the user may not use PING. If commands fail as well,
      // they get the error.
      if (why.code == errc::auth_failed || why.code == errc::loading)
        return why;
      return {};
    default:
      // The connection also works without its name and ID. But errors that
      // concern all commands end it.
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
    // The old connection may have ended meanwhile, so any number is fine.
  } else if (!reply.is(resp::node_type::status)) {
    return resp::unexpected_reply("the handshake (check that the peer is a "
                                  "Redis server)",
                                  reply);
  }
  return pos_ == steps_.size();
}

// The name must be compared, too, because client IDs begin again with each
// start of the server, so another client may have the ID now.
void handshake::kill_if_ours(std::string_view client_list) {
  if (client_list.find(" name=" + client_name_ + " ") == std::string_view::npos)
    return;
  resp::write_command(more_, "CLIENT", "KILL", "ID", predecessor_);
  steps_.push_back(step::kill);
}

} // namespace pulse::redis
