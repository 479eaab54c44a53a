#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/outcome.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/deep_to_string.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// The children of one kind that the root has open, by name. For each child it
/// holds the options with which the child was opened, and its subscribers.
template <class Handle, class Options>
class child_group {
public:
  using clock = std::chrono::steady_clock;

  struct child {
    Options options;
    Handle handle;
    std::map<caf::actor_addr, std::pair<event_listener, subscription>>
      subscribers;
    std::map<caf::actor_addr, notice_listener> listeners;
    reconnect_backoff restart_pause{milliseconds{100}, milliseconds{5'000}};
    /// Some subscribers could not be subscribed to the restarted child yet.
    bool subscribe_later = false;
    /// That was logged.
    bool reported = false;
  };

  /// @returns the child of that name if it was opened with the same options, an
  /// empty handle if there is no such child.
  /// Error: `errc::already_open`, if its options are different.
  outcome<Handle> find_same(const std::string& kind, const std::string& name,
                            const Options& options) {
    auto i = children_.find(name);
    if (i == children_.end() || !i->second.handle)
      return Handle{};
    // Predicates cannot be compared; two sets of options that both have one can
    // count as equal.
    if (caf::deep_to_string(i->second.options) != caf::deep_to_string(options))
      return failure{errc::already_open,
                     kind + " " + name
                       + " is open with other options; close it first, or "
                         "open it with the same ones"};
    return i->second.handle;
  }

  child& insert(const std::string& name, Options options, Handle handle) {
    auto& x = children_[name];
    x.options = std::move(options);
    x.handle = std::move(handle);
    return x;
  }

  child* find(const std::string& name) {
    auto i = children_.find(name);
    return i == children_.end() ? nullptr : &i->second;
  }

  /// @returns the name of the child with that address.
  std::optional<std::string> name_of(const caf::actor_addr& addr) const {
    for (const auto& [name, x] : children_)
      if (x.handle && caf::actor_cast<caf::actor_addr>(x.handle) == addr)
        return name;
    return std::nullopt;
  }

  void erase(const std::string& name) {
    children_.erase(name);
  }

  /// Erases the children that died and wait for their restart.
  void erase_dead() {
    for (auto i = children_.begin(); i != children_.end();)
      i = i->second.handle ? std::next(i) : children_.erase(i);
  }

  [[nodiscard]] bool empty() const noexcept {
    return children_.empty();
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, x] : children_)
      result.push_back(name);
    return result;
  }

  template <class F>
  void for_each(F fun) {
    for (auto& [name, x] : children_)
      if (x.handle)
        fun(x.handle);
  }

  template <class F>
  void for_each_child(F fun) {
    for (auto& [name, x] : children_)
      fun(x);
  }

private:
  std::map<std::string, child> children_;
};

} // namespace pulse::internal
