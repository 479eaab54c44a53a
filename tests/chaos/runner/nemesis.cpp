#include "chaos/runner/nemesis.hpp"

#include "pulse/core/names.hpp"

#include "chaos/node/journal.hpp"
#include "chaos/node/protocol.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace pulse::chaos {

namespace {

// After this time the pauses between attempts to connect have their full
// length.
constexpr int64_t settled_us = 4'000'000;

// How far the clock steps: several leases. After a step back, the idle time of
// events that were delivered meanwhile stays 0 for that time.
constexpr int64_t clock_step_us = 4'000'000;

// After this time all sinks have looked at their groups.
constexpr int64_t look_us = 5'000'000;

constexpr int64_t not_counted = INT64_MAX;

} // namespace

nemesis::nemesis(const std::string& directory, local_redis& server,
                 shifted_clock& clock, fleet& nodes, proxy& links)
  : log_(directory + "/faults"),
    server_(server),
    clock_(clock),
    nodes_(nodes),
    links_(links),
    admin_(server.socket_path()) {
  // nop
}

void nemesis::begin(const planned_fault& what) {
  active x;
  x.what = what;
  x.begin = now_us();
  if (!is_global(what.what))
    x.slot = nodes_.slots()[what.slot].name;
  // The plan does not know how long a restart really takes. A process or link
  // that still has a fault gets no further one.
  auto same = [&](const active& y) {
    return y.slot == x.slot && is_global(y.what.what) == is_global(what.what);
  };
  if (std::any_of(active_.begin(), active_.end(), same))
    return;
  ++count_;
  act(x);
  x.due = now_us() + what.length_ms * 1'000;
  if (what.what == fault_kind::starve)
    return; // the node writes down that one
  if (what.length_ms > 0 || what.what == fault_kind::link_half_reply)
    active_.push_back(std::move(x));
  else if (what.what != fault_kind::close) // the node writes down that one
    note(x, now_us());
}

void nemesis::act(active& x) {
  const auto slot = x.what.slot;
  auto set = [&](link_mode mode, int64_t delay_us = 0, int64_t rate = 0) {
    links_.set(slot, {mode, delay_us, rate});
  };
  switch (x.what.what) {
    case fault_kind::kill:
      return nodes_.kill(slot);
    case fault_kind::stop:
      return nodes_.pause(slot);
    case fault_kind::close:
      return nodes_.reopen(slot);
    case fault_kind::starve:
      return nodes_.starve(slot, x.what.length_ms);
    case fault_kind::link_delay:
      return set(link_mode::delay, 1'000 * (20 + x.what.length_ms % 200));
    case fault_kind::link_cut:
      return links_.cut(slot);
    case fault_kind::link_hole:
      return set(link_mode::hole);
    case fault_kind::link_freeze:
      return links_.freeze(slot, true);
    case fault_kind::link_deaf:
      return set(link_mode::deaf);
    case fault_kind::link_half_reply:
      return set(link_mode::half_reply);
    case fault_kind::link_throttle:
      return set(link_mode::throttle, 0, 20'000);
    case fault_kind::link_bytewise:
      return set(link_mode::bytewise);
    case fault_kind::consumer_delete:
      x.taken = delete_consumer(nodes_.slots()[slot]);
      return;
    default:
      return act_on_redis(x);
  }
}

void nemesis::act_on_redis(active& x) {
  switch (x.what.what) {
    case fault_kind::redis_kill:
      return server_.crash();
    case fault_kind::redis_stop:
      ::kill(server_.pid(), SIGSTOP);
      return;
    case fault_kind::client_kill:
      (void) admin_({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
      return;
    case fault_kind::script_flush:
      (void) admin_({"SCRIPT", "FLUSH"});
      return;
    case fault_kind::flush:
      (void) admin_({"FLUSHALL"});
      return;
    case fault_kind::del:
      (void) admin_({"DEL", stream_key(stream_name)});
      return;
    case fault_kind::group_destroy:
    case fault_kind::group_setid:
      return act_on_group(x);
    case fault_kind::deny:
      // The other keys of the stream begin so.
      (void) admin_({"ACL", "SETUSER", "default", "resetkeys", "~{*",
                     "~" + stream_key(stream_name) + ":*"});
      return;
    case fault_kind::clock_step:
      return clock_.set(x.what.variant ? -clock_step_us : clock_step_us);
    case fault_kind::outage:
      // The process will try to open as many connections as it had before.
      for (size_t i = 0; i < nodes_.slots().size(); ++i)
        x.costs.push_back({0, 0, links_.counts(i).most_open, 0});
      return server_.stop();
    default:
      return;
  }
}

// A busy Redis may not answer in time, and the right must come back.
bool nemesis::allow_keys() const {
  constexpr int attempts = 60;
  for (int i = 0; i < attempts; ++i)
    if (admin_({"ACL", "SETUSER", "default", "allkeys"}))
      return true;
  return false;
}

void nemesis::act_on_group(active& x) {
  x.slot = x.what.variant ? "audit" : "billing";
  if (x.what.what == fault_kind::group_setid)
    return move_group(x);
  counted_since_[x.slot] = not_counted;
  const std::vector<std::string> destroy{"XGROUP", "DESTROY",
                                         stream_key(stream_name), x.slot};
  x.taken = std::max<int64_t>(admin_.number(destroy), 0);
}

// After a move Redis does not know how many events the group has read, until
// the group has reached the end of the stream. The sinks cannot see another
// move before they have found that number again.
bool nemesis::can_see_a_move(const std::string& group) {
  static const std::string script = R"(
    for _, g in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
      if g[2] == ARGV[1] then return tonumber(g[10]) and 1 or 0 end
    end
    return 0)";
  const auto known
    = admin_.number({"EVAL", script, "1", stream_key(stream_name), group});
  auto& since = counted_since_.emplace(group, begin_).first->second;
  if (known != 1)
    since = not_counted;
  else if (since == not_counted)
    since = now_us();
  return since != not_counted && now_us() - since >= look_us;
}

// Moves a group over the first half of the next events that it was not given,
// so that others remain. Otherwise the sink could not see it.
void nemesis::move_group(active& x) {
  if (!can_see_a_move(x.slot))
    return;
  counted_since_[x.slot] = not_counted;
  static const std::string script = R"(
    for _, g in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
      if g[2] == ARGV[1] then
        local from = g[8]
        local rest = redis.call('XRANGE', KEYS[1], '(' .. from, '+', 'COUNT',
                                100)
        local n = math.floor(#rest / 2)
        if n == 0 then return {} end
        redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], rest[n][1])
        return {tostring(n), from, rest[n][1]}
      end
    end
    return {})";
  const auto moved
    = admin_.texts({"EVAL", script, "1", stream_key(stream_name), x.slot});
  if (moved.size() < 3)
    return;
  x.taken = std::stoll(moved[0]);
  x.from_id = moved[1];
  x.to_id = moved[2];
}

// The names of consumers have the ID of their process.
int64_t nemesis::delete_consumer(const fleet::slot& of) const {
  const auto key = stream_key(stream_name);
  const auto group = of.name.substr(0, of.name.rfind('-'));
  const auto pid = "." + std::to_string(of.process.pid()) + ".";
  int64_t result = 0;
  for (const auto& x : admin_.consumers(key, group))
    if (x.find(pid) != std::string::npos)
      result += std::max<int64_t>(
        admin_.number({"XGROUP", "DELCONSUMER", key, group, x}), 0);
  return result;
}

bool nemesis::heal_due(int64_t now) {
  bool ok = true;
  for (auto i = active_.begin(); ok && i != active_.end();) {
    if (i->what.what == fault_kind::outage)
      measure(*i);
    if (i->due > now) {
      ++i;
      continue;
    }
    ok = heal(*i);
    i = active_.erase(i);
  }
  return ok;
}

bool nemesis::heal_all() {
  return heal_due(INT64_MAX);
}

bool nemesis::heal(active& x) {
  const auto slot = x.what.slot;
  bool ok = true;
  switch (x.what.what) {
    case fault_kind::kill:
      ok = nodes_.start(slot, links_);
      break;
    case fault_kind::stop:
      nodes_.resume(slot);
      break;
    case fault_kind::link_hole:
    case fault_kind::link_deaf:
      if (!x.what.variant)
        links_.cut(slot);
      links_.set(slot, {});
      break;
    case fault_kind::link_freeze:
      links_.freeze(slot, false);
      break;
    case fault_kind::link_delay:
    case fault_kind::link_half_reply:
    case fault_kind::link_throttle:
    case fault_kind::link_bytewise:
      links_.set(slot, {});
      break;
    case fault_kind::redis_stop:
      ::kill(server_.pid(), SIGCONT);
      break;
    case fault_kind::deny:
      ok = allow_keys();
      break;
    case fault_kind::clock_step:
      clock_.set(0);
      break;
    case fault_kind::redis_kill:
    case fault_kind::outage: {
      const auto restarted = server_.restart();
      ok = restarted.ok();
      if (!ok)
        std::printf("%s\n", to_string(restarted.error()).c_str());
      break;
    }
    default:
      break;
  }
  const bool lingers = x.what.what == fault_kind::clock_step;
  note(x, now_us() + (lingers ? clock_step_us : 0));
  return ok;
}

nemesis::cost nemesis::cost_of(size_t slot) const {
  return {now_us(), cpu_seconds(nodes_.slots()[slot].process.pid()), 0,
          links_.counts(slot).accepted};
}

// The measured time begins when the outage has lasted for a while, and ends
// with the outage.
void nemesis::measure(active& x) {
  const auto now = now_us();
  if (now < x.begin + settled_us)
    return;
  for (size_t i = 0; i < x.costs.size(); ++i) {
    auto& from = x.costs[i];
    const auto to = cost_of(i);
    if (from.at == 0) {
      from = {to.at, to.cpu_seconds, from.connections, to.attempts};
    } else if (x.due <= now && to.cpu_seconds >= from.cpu_seconds) {
      // Otherwise another process has taken the slot meanwhile.
      char line[256];
      std::snprintf(line, sizeof(line), "outage %s %.3f %.3f %llu %llu",
                    nodes_.slots()[i].name.c_str(),
                    static_cast<double>(to.at - from.at) / 1e6,
                    to.cpu_seconds - from.cpu_seconds,
                    static_cast<unsigned long long>(from.connections),
                    static_cast<unsigned long long>(to.attempts
                                                    - from.attempts));
      outages_.emplace_back(line);
    }
  }
}

void nemesis::note(const active& x, int64_t end) {
  log_ << x.begin << ' ' << end << ' ' << to_string(x.what.what) << ' '
       << (x.slot.empty() ? "*" : x.slot) << ' ' << x.taken << ' ' << x.from_id
       << ' ' << x.to_id << std::endl;
}

std::string nemesis::under_way() const {
  std::string result;
  for (const auto& x : active_)
    result += (result.empty() ? "" : ", ") + to_string(x.what.what)
              + (x.slot.empty() ? "" : " " + x.slot);
  return result;
}

} // namespace pulse::chaos
