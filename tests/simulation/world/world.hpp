#pragma once

#include "simulation/checker/judge.hpp"
#include "simulation/network/network.hpp"
#include "simulation/network/server.hpp"
#include "simulation/world/dice.hpp"
#include "simulation/world/plan.hpp"
#include "simulation/world/trace.hpp"

#include <functional>
#include <map>

namespace pulse::simulation {

/// What all parts of a run share.
struct world {
  explicit world(uint64_t seed) : random(seed) {
    redis.on_command = [this](const arguments&, const value&) {
      rules.groups.look();
    };
  }

  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Not 0, which CAF takes for no time.
  time_point now{std::chrono::hours{1}};
  dice random;
  trace log{now};
  network net{random, now, log};
  server redis{net, now, log};
  judge rules{now, redis.model};
  /// What happens later, by its time.
  std::multimap<time_point, std::function<void()>> agenda;
  /// From then on, workers do what they should.
  bool is_calm = false;
  /// Numbers that are given only once.
  uint32_t last_number = 0;

  uint32_t new_number() noexcept {
    return ++last_number;
  }

  void later(std::chrono::microseconds delay, std::function<void()> what) {
    agenda.emplace(now + delay, std::move(what));
  }
};

} // namespace pulse::simulation
