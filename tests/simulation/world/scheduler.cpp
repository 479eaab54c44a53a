#include "simulation/world/scheduler.hpp"

#include <algorithm>

namespace pulse::simulation {

using namespace std::chrono_literals;

bool scheduler::step() {
  collect();
  if (!choices_.empty()) {
    // Steps take time, too, now and then.
    if (all_.random.one_in(64))
      set_time(all_.now + all_.random.between(1us, 2ms));
    else
      perform(choices_[all_.random.below(choices_.size())]);
    return true;
  }
  const auto next = next_time();
  if (!next)
    return false;
  set_time(std::max(*next, all_.now));
  return true;
}

void scheduler::collect() {
  choices_.clear();
  for (const auto& x : nodes_)
    if (x && !x->is_paused)
      collect_from(*x);
  for (const auto& x : all_.net.due())
    choices_.push_back({kind::delivery, nullptr, 0, x});
  if (const auto at = all_.redis.next_timeout(); at && *at <= all_.now)
    choices_.push_back({kind::server, nullptr, 0, {}});
  if (!all_.agenda.empty() && all_.agenda.begin()->first <= all_.now)
    choices_.push_back({kind::agenda, nullptr, 0, {}});
}

void scheduler::collect_from(node& x) {
  for (size_t i = 0; i < x.jobs(); ++i)
    choices_.push_back({kind::job, &x, i, {}});
  if (const auto at = x.next_timer(); at && *at <= all_.now)
    choices_.push_back({kind::timer, &x, 0, {}});
}

void scheduler::perform(const choice& x) {
  switch (x.what) {
    case kind::job:
      x.where->run_job(x.index);
      break;
    case kind::timer:
      x.where->fire_timer();
      break;
    case kind::delivery:
      all_.net.deliver(x.delivery);
      break;
    case kind::server:
      all_.redis.end_blocked_reads();
      break;
    default: {
      const auto first = all_.agenda.begin();
      const auto what = std::move(first->second);
      all_.agenda.erase(first);
      what();
    }
  }
}

std::optional<time_point> scheduler::next_time() const {
  auto result = all_.net.next_due();
  auto look = [&](const std::optional<time_point>& x) {
    if (x && (!result || *x < *result))
      result = x;
  };
  for (const auto& x : nodes_)
    if (x && !x->is_paused)
      look(x->next_timer());
  look(all_.redis.next_timeout());
  if (!all_.agenda.empty())
    look(all_.agenda.begin()->first);
  return result;
}

void scheduler::set_time(time_point t) {
  all_.now = t;
  for (const auto& x : nodes_)
    if (x && !x->is_paused)
      x->update_clock();
}

} // namespace pulse::simulation
