#include "simulation/network/server.hpp"

#include <algorithm>

namespace pulse::simulation {

namespace {

std::string line_of(const arguments& command) {
  std::string result;
  for (const auto& x : command)
    result.append(result.empty() ? "" : " ").append(x);
  return result;
}

// How long a read may block, if it may.
std::optional<std::chrono::milliseconds> block_time(const arguments& command) {
  if (command[0] != "XREAD" && command[0] != "XREADGROUP")
    return std::nullopt;
  for (size_t i = 1; i + 1 < command.size() && command[i] != "STREAMS"; ++i)
    if (command[i] == "BLOCK")
      return std::chrono::milliseconds{std::stoll(command[i + 1])};
  return std::nullopt;
}

// Whether a blocked read may get something by this command.
bool may_serve_reads(const arguments& command) {
  const auto& x = command[0];
  return x == "XADD" || x == "EVALSHA" || x == "XGROUP" || x == "DEL"
         || x == "FLUSHALL";
}

} // namespace

server::server(network& net, const time_point& now, trace& log)
  : net_(net), now_(now), log_(log), start_(now), start_ms_(model.now) {
  net.accept = [this](link_id link) { return accept(link); };
}

link_end server::accept(link_id link) {
  const auto id = ++last_id_;
  clients_[id].link = link;
  return {[this, id](const std::string& bytes) { on_bytes(id, bytes); },
          [this, id] { forget(id); }};
}

void server::forget(client_id who) {
  blocked_.remove(who);
  if (const auto i = clients_.find(who); i != clients_.end()) {
    net_.close(i->second.link, side::server);
    clients_.erase(i);
  }
}

void server::on_bytes(client_id who, const std::string& bytes) {
  const auto i = clients_.find(who);
  if (i == clients_.end())
    return;
  i->second.input.feed(bytes);
  run_commands(who);
}

void server::run_commands(client_id who) {
  // A command may end any client, also this one.
  for (;;) {
    const auto i = clients_.find(who);
    if (i == clients_.end() || i->second.blocked)
      return;
    const auto command = i->second.input.next();
    if (!command)
      return;
    const auto reply = run(who, *command);
    if (reply && clients_.count(who) > 0)
      answer(clients_.at(who), *reply);
    if (may_serve_reads(*command))
      retry_blocked_reads();
  }
}

std::optional<value> server::run(client_id who, const arguments& command) {
  if (command[0] == "CLIENT")
    return run_client_command(who, command);
  auto reply = run_in_model(command);
  if (reply.is_nil() && block(clients_.at(who), command)) {
    blocked_.push_back(who);
    return std::nullopt;
  }
  return reply;
}

value server::run_in_model(const arguments& command) {
  using std::chrono::milliseconds;
  model.now = start_ms_
              + std::chrono::duration_cast<milliseconds>(now_ - start_).count();
  auto reply = model.run(command);
  log_.note("server", 0, line_of(command));
  if (on_command)
    on_command(command, reply);
  return reply;
}

void server::run_for_operator(const arguments& command) {
  run_in_model(command);
  retry_blocked_reads();
}

bool server::block(client& who, const arguments& command) {
  const auto time = block_time(command);
  if (!time)
    return false;
  who.blocked = command;
  who.blocked_until = time->count() > 0 ? now_ + *time : time_point::max();
  return true;
}

value server::run_client_command(client_id who, const arguments& command) {
  const auto& what = command.at(1);
  if (what == "SETNAME") {
    clients_.at(who).name = command.at(2);
    return status("OK");
  }
  if (what == "ID")
    return integer(who);
  const auto of = std::stoll(command.back());
  const auto i = clients_.find(of);
  if (what == "LIST")
    return text(i == clients_.end() ? std::string{}
                                    : "id=" + std::to_string(of) + " name="
                                        + i->second.name + " db=0\n");
  if (i == clients_.end())
    return integer(0);
  if (what == "KILL") {
    forget(of);
    return integer(1);
  }
  if (what != "UNBLOCK")
    return error("ERR unknown subcommand");
  if (!i->second.blocked)
    return integer(0);
  i->second.blocked.reset();
  blocked_.remove(of);
  answer(i->second, nil_array());
  run_commands(of);
  return integer(1);
}

void server::retry_blocked_reads() {
  const auto waiting = blocked_;
  for (auto who : waiting) {
    const auto i = clients_.find(who);
    if (i == clients_.end() || !i->second.blocked)
      continue;
    const auto reply = run_in_model(*i->second.blocked);
    if (reply.is_nil())
      continue;
    i->second.blocked.reset();
    blocked_.remove(who);
    answer(i->second, reply);
    run_commands(who);
  }
}

std::optional<time_point> server::next_timeout() const {
  std::optional<time_point> result;
  for (auto who : blocked_) {
    const auto at = clients_.at(who).blocked_until;
    if (!result || at < *result)
      result = at;
  }
  return result;
}

void server::end_blocked_reads() {
  const auto waiting = blocked_;
  for (auto who : waiting) {
    const auto i = clients_.find(who);
    if (i == clients_.end() || !i->second.blocked
        || i->second.blocked_until > now_)
      continue;
    i->second.blocked.reset();
    blocked_.remove(who);
    answer(i->second, nil_array());
    run_commands(who);
  }
}

void server::answer(const client& to, const value& what) {
  std::string bytes;
  encode(what, bytes);
  net_.send(to.link, side::server, bytes);
}

void server::stop() {
  net_.server_is_away = true;
  while (!clients_.empty())
    forget(clients_.begin()->first);
}

void server::start() {
  net_.server_is_away = false;
  last_id_ = 0;
  model.run({"SCRIPT", "FLUSH"});
}

} // namespace pulse::simulation
