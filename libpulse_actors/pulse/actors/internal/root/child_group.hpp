#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/actors/internal/runtime/stream_memory.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/outcome.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/response_promise.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
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
    /// When it was spawned last.
    clock::time_point since;
    /// The streams of the instance that died.
    std::shared_ptr<stream_memory> streams;
    /// Those who asked for the handle while it waits for its restart.
    std::vector<caf::response_promise> waiting;
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
    if (predicate_of(i->second.options) != predicate_of(options))
      return failure{errc::already_open,
                     kind + " " + name
                       + " is open with another filter.predicate, and two "
                         "predicates cannot be compared: use a copy of the "
                         "event_predicate with which it was opened, find it by "
                         "its name, close it first, or use another name"};
    if (!same(i->second.options, options))
      return failure{errc::already_open,
                     kind + " " + name
                       + " is open with other options; close it first, or "
                         "open it with the same ones"};
    return i->second.handle;
  }

  /// @returns the streams of the child of that name that died and waits for its
  /// restart, if it had the same options; new ones otherwise.
  std::shared_ptr<stream_memory> streams_of(const std::string& name,
                                            const Options& options) {
    auto i = children_.find(name);
    if (i == children_.end() || !same(i->second.options, options))
      return std::make_shared<stream_memory>();
    return i->second.streams;
  }

  child& insert(const std::string& name, Options options, Handle handle,
                std::shared_ptr<stream_memory> streams) {
    auto& x = children_[name];
    x.options = std::move(options);
    x.handle = std::move(handle);
    x.streams = std::move(streams);
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

  /// Erases the children that died and wait for their restart. Those who wait
  /// for one of them get the error.
  void erase_dead(const caf::error& why) {
    for (auto i = children_.begin(); i != children_.end();) {
      if (i->second.handle) {
        ++i;
        continue;
      }
      for (auto& x : i->second.waiting)
        x.deliver(why);
      i = children_.erase(i);
    }
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
  static event_predicate predicate_of(const Options& x) {
    if constexpr (std::is_same_v<Options, stream_options>)
      return {};
    else
      return x.filter.predicate;
  }

  static bool same(const Options& a, const Options& b) {
    return predicate_of(a) == predicate_of(b)
           && caf::deep_to_string(a) == caf::deep_to_string(b);
  }

  std::map<std::string, child> children_;
};

} // namespace pulse::internal
