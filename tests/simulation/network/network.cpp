#include "simulation/network/network.hpp"

#include <algorithm>

namespace pulse::simulation {

link_id network::connect(uint32_t node, link_end client) {
  if (server_is_away && random_.one_in(2))
    return 0;
  const auto id = ++last_id_;
  auto& x = links_[id];
  x.node = node;
  x.to_server.is_held = x.to_client.is_held = held_nodes_[node];
  x.to_client.to = std::move(client);
  if (server_is_away)
    push(x.to_client, {}, true);
  else
    x.to_server.to = accept(id);
  return id;
}

void network::send(link_id link, side from, const std::string& bytes) {
  const auto i = links_.find(link);
  if (i == links_.end() || bytes.empty())
    return;
  auto& to = lane_of(i->second,
                     from == side::client ? side::server : side::client);
  if (bytes.size() > 1 && random_.one_in(4)) {
    const auto first = 1 + random_.below(bytes.size() - 1);
    push(to, bytes.substr(0, first), false);
    push(to, bytes.substr(first), false);
  } else {
    push(to, bytes, false);
  }
}

void network::push(lane& to, std::string bytes, bool is_end) {
  auto& queue = to.under_way;
  if (!queue.empty() && queue.back().is_end)
    return;
  // Now and then one takes far longer than the others.
  auto delay = random_.between(std::chrono::microseconds{0}, longest_delay);
  if (random_.one_in(50))
    delay *= 20;
  auto due = now_ + delay;
  if (!queue.empty())
    due = std::max(due, queue.back().due);
  queue.push_back({due, std::move(bytes), is_end});
}

void network::close(link_id link, side by) {
  const auto i = links_.find(link);
  if (i == links_.end())
    return;
  lane_of(i->second, by).to = {};
  push(lane_of(i->second, by == side::client ? side::server : side::client), {},
       true);
}

std::vector<network::delivery> network::due() const {
  std::vector<delivery> result;
  const auto is_due = [this](const lane& x) {
    return !x.is_held && !x.under_way.empty()
           && x.under_way.front().due <= now_;
  };
  for (const auto& [id, x] : links_) {
    if (is_due(x.to_server))
      result.push_back({id, side::server});
    if (is_due(x.to_client))
      result.push_back({id, side::client});
  }
  return result;
}

std::optional<time_point> network::next_due() const {
  std::optional<time_point> result;
  auto look = [&](const lane& x) {
    if (!x.is_held && !x.under_way.empty()
        && (!result || x.under_way.front().due < *result))
      result = x.under_way.front().due;
  };
  for (const auto& [id, x] : links_) {
    look(x.to_server);
    look(x.to_client);
  }
  return result;
}

void network::deliver(const delivery& what) {
  auto& lane = lane_of(links_.at(what.link), what.to);
  auto next = std::move(lane.under_way.front());
  lane.under_way.pop_front();
  log_.note(what.to == side::server ? "to server" : "to client", what.link,
            next.is_end ? "end" : next.bytes);
  // The receiver may close the link.
  const auto to = lane.to;
  if (!next.is_end) {
    if (to.on_bytes)
      to.on_bytes(std::move(next.bytes));
  } else {
    lane.to = {};
    if (to.on_closed)
      to.on_closed();
  }
  drop_if_over(what.link);
}

// A link without listeners and with nothing under way.
void network::drop_if_over(link_id id) {
  const auto i = links_.find(id);
  if (i == links_.end())
    return;
  const auto is_over = [](const lane& x) {
    return x.under_way.empty() && !x.to.on_bytes;
  };
  if (is_over(i->second.to_server) && is_over(i->second.to_client))
    links_.erase(i);
}

// -- faults -------------------------------------------------------------------

std::vector<link_id> network::links_of(uint32_t node) const {
  std::vector<link_id> result;
  for (const auto& [id, x] : links_)
    if (x.node == node && x.to_client.to.on_bytes)
      result.push_back(id);
  return result;
}

void network::cut(link_id link, bool loses) {
  auto& x = links_.at(link);
  x.to_client.under_way.clear();
  push(x.to_client, {}, true);
  if (loses)
    x.to_server.under_way.clear();
  push(x.to_server, {}, true);
}

void network::hold(uint32_t node) {
  hold_all(node, true);
}

void network::release(uint32_t node) {
  hold_all(node, false);
}

void network::hold_all(uint32_t node, bool is_held) {
  held_nodes_[node] = is_held;
  for (auto& [id, x] : links_)
    if (x.node == node)
      x.to_server.is_held = x.to_client.is_held = is_held;
}

void network::mute(link_id link) {
  links_.at(link).to_client.is_held = true;
}

void network::unmute(link_id link) {
  if (const auto i = links_.find(link); i != links_.end())
    i->second.to_client.is_held = held_nodes_[i->second.node];
}

void network::abandon(uint32_t node, bool loses) {
  for (auto id : links_of(node)) {
    close(id, side::client);
    if (loses)
      cut(id, true);
  }
}

} // namespace pulse::simulation
