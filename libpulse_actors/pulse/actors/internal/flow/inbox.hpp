#pragma once

#include "pulse/flow.hpp"

#include <caf/actor.hpp>
#include <caf/flow/coordinator.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace pulse::internal {

/// @returns whether an actor with this exit reason died of something.
bool is_failure(const caf::error& reason);

/// What waits between the source of a flow, which is an actor, and the flow,
/// which runs in the actor of the user. The credit bounds it.
class flow_inbox : public std::enable_shared_from_this<flow_inbox> {
public:
  /// The end of the flow: a class that runs in the actor of the user.
  class consumer {
  public:
    virtual ~consumer() = default;

    /// There are deliveries, or an end, where there was nothing before.
    virtual void wake() = 0;
  };

  // -- for the source ---------------------------------------------------------

  /// @param source Hears when the flow begins (`caf::subscribe_atom`) and when
  /// it is cancelled (`caf::unsubscribe_atom`).
  void begin(caf::actor source);

  /// Drops the delivery if the flow was cancelled.
  void push(delivery x);

  /// The source ends: the flow completes, or fails with `why`.
  /// @param drop_rest Whether to drop the deliveries that wait.
  void end(caf::error why, bool drop_rest);

  // -- for the flow, on the thread of its actor -------------------------------

  /// Begins the flow. Call this once.
  void open(caf::flow::coordinator_ptr on, consumer* who);

  /// The source leaves its reader or sink. Call this in the end also if there
  /// was no consumer.
  /// @param reason An error: the actor of the flow dies, so the source dies.
  void cancel(const caf::error& reason = {});

  /// @returns the next delivery, if there is one. Keeps a copy until done(): if
  /// the actor dies of the event, the source shall die while it holds it.
  std::optional<delivery> next();
  void done();

  /// @returns the error (an empty one if the flow completes) when the source
  /// has ended and all deliveries were taken.
  std::optional<caf::error> ended() const;

private:
  void wake_unlocked();

  mutable std::mutex mutex_;
  std::deque<delivery> waiting_;
  std::optional<delivery> current_;
  std::optional<caf::error> end_;
  bool cancelled_ = false;
  // Strong, until the source or the flow ends.
  caf::actor source_;
  caf::flow::coordinator_ptr runs_on_;
  // Only used on the thread of the actor.
  consumer* consumer_ = nullptr;
};

} // namespace pulse::internal
