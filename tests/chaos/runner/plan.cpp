#include "chaos/runner/plan.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

namespace pulse::chaos {

namespace {

struct fault_facts {
  fault_kind kind;
  const char* name;
  /// Whether it hits Redis, and so all processes.
  bool global;
  /// Whether it is planned unless somebody chooses other faults.
  bool usual;
};

constexpr std::array<fault_facts, 24> all_faults{{
  {fault_kind::kill, "kill", false, true},
  {fault_kind::stop, "stop", false, true},
  {fault_kind::close, "close", false, true},
  {fault_kind::link_delay, "delay", false, true},
  {fault_kind::link_cut, "cut", false, true},
  {fault_kind::link_hole, "hole", false, true},
  {fault_kind::link_deaf, "deaf", false, true},
  {fault_kind::link_half_reply, "half-reply", false, true},
  {fault_kind::link_freeze, "freeze", false, true},
  {fault_kind::link_throttle, "throttle", false, true},
  {fault_kind::link_bytewise, "bytewise", false, true},
  {fault_kind::redis_kill, "redis-kill", true, true},
  {fault_kind::redis_stop, "redis-stop", true, true},
  {fault_kind::client_kill, "client-kill", true, true},
  {fault_kind::script_flush, "script-flush", true, true},
  {fault_kind::clock_step, "clock-step", true, true},
  {fault_kind::outage, "outage", true, false},
  {fault_kind::flush, "flush", true, false},
  {fault_kind::del, "del", true, false},
  {fault_kind::group_destroy, "group-destroy", true, true},
  {fault_kind::starve, "starve", false, true},
  {fault_kind::deny, "deny", true, true},
  {fault_kind::group_setid, "setid", true, true},
  {fault_kind::consumer_delete, "del-consumer", false, true},
}};

// The time to recover before the same process or link gets the next fault.
constexpr int64_t rest_ms = 1'000;

class planner {
public:
  explicit planner(const plan_options& x)
    : x_(x), random_(x.seed), slots_busy_(x.slots.size(), 0) {
    // nop
  }

  std::vector<planned_fault> run() {
    const auto outage_at = x_.duration_ms * 3 / 5;
    bool outage_due = x_.outage_ms > 0;
    for (int64_t now = 1'000; now < x_.duration_ms;) {
      if (outage_due && now >= outage_at) {
        outage_due = false;
        result_.push_back({now, x_.outage_ms, fault_kind::outage, 0, false});
        now += x_.outage_ms + rest_ms;
        redis_busy_ = now + rest_ms;
        continue;
      }
      add(now);
      now += between(x_.shortest_pause_ms, x_.longest_pause_ms);
    }
    return std::move(result_);
  }

private:
  // std::uniform_int_distribution would give other numbers with other
  // libraries.
  int64_t between(int64_t least, int64_t most) {
    return least
           + static_cast<int64_t>(random_()
                                  % static_cast<uint64_t>(most - least + 1));
  }

  fault_kind draw() {
    if (bag_.empty())
      bag_ = x_.kinds;
    const auto i
      = static_cast<size_t>(between(0, static_cast<int64_t>(bag_.size()) - 1));
    std::swap(bag_[i], bag_.back());
    const auto result = bag_.back();
    bag_.pop_back();
    return result;
  }

  void add(int64_t now) {
    if (x_.kinds.empty())
      return;
    planned_fault f;
    f.at_ms = now;
    f.what = draw();
    f.length_ms = length_of(f.what);
    f.variant = between(0, 1) == 1;
    if (is_global(f.what)) {
      if (redis_busy_ > now)
        return bag_.push_back(f.what);
      redis_busy_ = now + f.length_ms + rest_ms;
      return result_.push_back(f);
    }
    std::vector<size_t> eligible;
    for (size_t i = 0; i < x_.slots.size(); ++i)
      if (slots_busy_[i] <= now && fits(f.what, x_.slots[i]))
        eligible.push_back(i);
    if (eligible.empty())
      return bag_.push_back(f.what);
    f.slot = eligible[static_cast<size_t>(
      between(0, static_cast<int64_t>(eligible.size()) - 1))];
    slots_busy_[f.slot] = now + f.length_ms + rest_ms;
    result_.push_back(f);
  }

  static bool fits(fault_kind what, const slot_facts& x) {
    switch (what) {
      case fault_kind::kill:
        return !x.veteran;
      case fault_kind::close:
      case fault_kind::consumer_delete:
        return x.sink;
      default:
        return true;
    }
  }

  int64_t length_of(fault_kind what) {
    switch (what) {
      case fault_kind::kill:
        return between(50, 2 * x_.lease_ms + 500);
      case fault_kind::stop:
      case fault_kind::starve:
        return between(x_.lease_ms / 4, 3 * x_.lease_ms);
      case fault_kind::link_delay:
      case fault_kind::link_throttle:
      case fault_kind::link_bytewise:
        return between(500, 3'000);
      case fault_kind::link_hole:
      case fault_kind::link_deaf:
        return between(300, 4'000);
      case fault_kind::link_freeze:
        return between(2'500, 5'000);
      case fault_kind::link_half_reply:
        return between(50, 500);
      case fault_kind::redis_kill:
        return between(100, 1'500);
      case fault_kind::clock_step:
      case fault_kind::deny:
      case fault_kind::redis_stop:
        return between(200, 3'000);
      default:
        return 0;
    }
  }

  const plan_options& x_;
  std::mt19937_64 random_;
  std::vector<int64_t> slots_busy_;
  int64_t redis_busy_ = 0;
  std::vector<fault_kind> bag_;
  std::vector<planned_fault> result_;
};

} // namespace

std::string to_string(fault_kind x) {
  for (const auto& facts : all_faults)
    if (facts.kind == x)
      return facts.name;
  return "?";
}

std::vector<fault_kind> random_faults() {
  std::vector<fault_kind> result;
  for (const auto& facts : all_faults)
    if (facts.usual)
      result.push_back(facts.kind);
  return result;
}

bool from_string(std::string_view text, std::vector<fault_kind>& out) {
  out.clear();
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto word = text.substr(0, end);
    const auto* i = std::find_if(all_faults.begin(), all_faults.end(),
                                 [&](const auto& x) { return x.name == word; });
    if (i == all_faults.end())
      return false;
    out.push_back(i->kind);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

bool is_global(fault_kind x) noexcept {
  return std::any_of(all_faults.begin(), all_faults.end(),
                     [=](const auto& y) { return y.kind == x && y.global; });
}

std::vector<planned_fault> make_plan(const plan_options& x) {
  return planner{x}.run();
}

} // namespace pulse::chaos
