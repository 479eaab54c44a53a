#pragma once

#include "simulation/node/node.hpp"
#include "simulation/world/world.hpp"

#include <memory>
#include <vector>

namespace pulse::simulation {

/// Decides what happens next: chance picks one of all things that can happen
/// now. If there is none, time goes on to the next one.
class scheduler {
public:
  using nodes = std::vector<std::unique_ptr<node>>;

  scheduler(world& all, const nodes& here) : all_(all), nodes_(here) {
    // nop
  }

  /// @returns false if nothing will ever happen again.
  bool step();

private:
  enum class kind : uint8_t { job, timer, delivery, server, agenda };

  struct choice {
    kind what = kind::job;
    node* where = nullptr;
    size_t index = 0;
    network::delivery delivery;
  };

  void collect();
  void collect_from(node& x);
  void perform(const choice& x);
  [[nodiscard]] std::optional<time_point> next_time() const;
  void set_time(time_point t);

  world& all_;
  const nodes& nodes_;
  std::vector<choice> choices_;
};

} // namespace pulse::simulation
