#pragma once

#include "pulse/core/event_id.hpp"

#include <string>
#include <tuple>
#include <vector>

namespace pulse::simulation {

/// A rule that was broken.
struct finding {
  /// Short name of the rule, e.g. "duplicate".
  std::string rule;
  std::string what;
};

/// What a run found to be wrong, the first one first.
class findings {
public:
  void add(std::string rule, std::string what) {
    all_.push_back({std::move(rule), std::move(what)});
  }

  [[nodiscard]] bool empty() const noexcept {
    return all_.empty();
  }

  [[nodiscard]] const std::vector<finding>& all() const noexcept {
    return all_;
  }

private:
  std::vector<finding> all_;
};

/// One event, as one sink name sees it.
struct delivery_key {
  std::string sink;
  std::string stream;
  event_id id;

  friend bool operator<(const delivery_key& a, const delivery_key& b) {
    return std::tie(a.id, a.stream, a.sink) < std::tie(b.id, b.stream, b.sink);
  }
};

inline std::string to_string(const delivery_key& x) {
  return "event " + to_string(x.id) + " of stream " + x.stream + " for sink "
         + x.sink;
}

} // namespace pulse::simulation
