#pragma once

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulse::test {

/// Records the events that several actors received, for a test thread that
/// waits for them. Copies share the records, so that an actor can have one of
/// its own: it may run longer than the test.
class recorder {
public:
  using clock = std::chrono::steady_clock;

  struct record {
    event what;
    std::string by;
    clock::time_point at;
  };

  void add(const event& x, std::string by = {}) const {
    std::unique_lock guard{state_->mutex};
    state_->records.push_back({x, std::move(by), clock::now()});
    const auto& what = state_->records.back().what;
    state_->distinct.emplace(what.stream(), what.id());
    state_->changed.notify_all();
  }

  /// Waits until `done` returns true for all records. @returns false if that
  /// takes too long.
  bool wait(const std::function<bool(const std::vector<record>&)>& done,
            std::chrono::milliseconds limit = std::chrono::seconds{20}) {
    return wait_for([&](const state& x) { return done(x.records); }, limit);
  }

  bool wait_for_count(size_t n, std::chrono::milliseconds limit
                                = std::chrono::seconds{20}) {
    return wait_for([n](const state& x) { return x.records.size() >= n; },
                    limit);
  }

  /// Waits until `n` different events were received. Repeated ones count once.
  bool wait_for_distinct(size_t n, std::chrono::milliseconds limit
                                   = std::chrono::seconds{20}) {
    return wait_for([n](const state& x) { return x.distinct.size() >= n; },
                    limit);
  }

  std::vector<record> all() {
    std::unique_lock guard{state_->mutex};
    return state_->records;
  }

  size_t size() {
    std::unique_lock guard{state_->mutex};
    return state_->records.size();
  }

  size_t distinct() {
    std::unique_lock guard{state_->mutex};
    return state_->distinct.size();
  }

  /// Payloads in order of arrival.
  std::vector<std::string> payloads() {
    std::vector<std::string> result;
    for (const auto& x : all())
      result.emplace_back(x.what.payload());
    return result;
  }

private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<record> records;
    // The names of the streams point into the events.
    std::set<std::pair<std::string_view, event_id>> distinct;
  };

  template <class F>
  bool wait_for(F done, std::chrono::milliseconds limit) {
    std::unique_lock guard{state_->mutex};
    return state_->changed.wait_for(guard, limit,
                                    [&] { return done(*state_); });
  }

  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// What a test worker does with an event after recording it.
using reaction
  = std::function<caf::result<void>(caf::event_based_actor*, const event&)>;

/// The result of a handler that succeeded, and of one that failed.
inline caf::result<void> ok() {
  return caf::unit;
}

inline caf::result<void> refuse(errc why = errc::unavailable) {
  return caf::make_error(why);
}

/// Spawns an actor that records each event and then calls its reaction, if any.
inline caf::actor spawn_worker(caf::actor_system& sys, const recorder& out,
                               std::string name = {}, reaction react = {}) {
  return sys.spawn([out, name, react](caf::event_based_actor* self) {
    return caf::behavior{
      [out, name, react, self](const event& x) -> caf::result<void> {
        out.add(x, name);
        return react ? react(self, x) : caf::result<void>{caf::unit};
      },
    };
  });
}

/// A reaction for spawn_worker(): the worker works on the event until it ends.
inline caf::result<void> keep_unanswered(caf::event_based_actor* self,
                                         const event&) {
  auto promise = self->make_response_promise();
  // CAF 1.x replies with an error as soon as nobody has the promise any more.
  self->attach_functor([promise] {});
  return promise;
}

/// Terminates an actor that a test spawned.
inline void stop(const caf::actor& x) {
  caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
}

} // namespace pulse::test
