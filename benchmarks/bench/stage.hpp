#pragma once

#include "pulse/all.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/actor_system.hpp>

#include "bench/raw_client.hpp"
#include "bench/settings.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace pulse::bench {

using clock_type = std::chrono::steady_clock;

/// @returns the value, or throws the error.
template <class T>
T must(caf::expected<T> x) {
  if (!x)
    throw std::runtime_error(describe(x.error()));
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// How busy Redis and this process were, in cores.
struct usage {
  double redis = 0;
  double ours = 0;
};

/// Where scenarios run: a private Redis, and connections to it.
class stage {
public:
  explicit stage(settings how);

  [[nodiscard]] const settings& how() const noexcept {
    return how_;
  }

  /// @returns where clients connect.
  [[nodiscard]] const std::string& url() const noexcept {
    return url_;
  }

  /// A connection that the stage keeps open.
  raw_client& raw() noexcept {
    return *raw_;
  }

  /// Removes all data.
  void clear();

  /// Measures the time from here on, and who was busy.
  void begin();

  /// @returns the seconds since begin().
  double end();

  /// @returns who was busy between the last begin() and end().
  [[nodiscard]] const usage& used() const noexcept {
    return used_;
  }

private:
  [[nodiscard]] double redis_seconds();

  settings how_;
  local_redis server_;
  std::string url_;
  std::unique_ptr<raw_client> raw_;
  clock_type::time_point began_;
  double redis_began_ = 0;
  double ours_began_ = 0;
  usage used_;
};

/// An actor system that is connected to the Redis of a stage.
class node {
public:
  explicit node(const stage& at);

  caf::actor_system& system() noexcept {
    return *system_;
  }
  pulse::system& pulse() noexcept {
    return *pulse_;
  }

private:
  pulse::config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<pulse::system> pulse_;
};

/// @returns the resident memory of this process in bytes.
size_t resident_bytes();

} // namespace pulse::bench
