#pragma once

#include "pulse/core/delivery/crash_isolation.hpp"
#include "pulse/core/delivery/entry_table.hpp"
#include "pulse/core/delivery/key_queues.hpp"
#include "pulse/core/delivery/worker_table.hpp"
#include "pulse/core/options.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace pulse {

/// Decides which event is dispatched next, and to which workers. Holds the
/// queues of the ledger for each mode of dispatch. The ledger then does what
/// the dispatcher has decided.
class dispatcher {
public:
  /// What is to be done next.
  enum class step_kind : uint8_t {
    /// No worker can take an event, or no event is queued.
    none,
    /// The targets get the event.
    dispatch,
    /// The event is a crash candidate, which must be marked first.
    mark,
    /// Broadcast: the workers that failed have left, and all others have
    /// processed the event.
    acknowledge,
  };

  struct step {
    step_kind kind = step_kind::none;
    /// The event of this step, which was removed from its queue.
    ledger_entry* entry = nullptr;
  };

  /// @param entries, workers Must outlive the dispatcher.
  dispatcher(dispatch_mode mode, uint32_t max_crashes, entry_table& entries,
             worker_table& workers) noexcept
    : mode_(mode),
      entries_(entries),
      workers_(workers),
      isolation_(max_crashes) {
    // nop
  }

  // -- what is queued ---------------------------------------------------------

  /// Adds a new event. In keyed mode the event is queued when all earlier
  /// events of its topic are decided, otherwise at once.
  /// @param in_front Without effect in keyed mode.
  void add(ledger_entry& x, bool in_front);

  /// Queues an event that has the turn of its key. If its content is not here,
  /// the content becomes wanted, and the event is queued by unpark().
  void enqueue(ledger_entry& x, bool in_front);

  /// Call this when an event is decided or dropped: it queues the next event of
  /// the same key.
  void end_turn(ledger_entry& x);

  // -- contents ---------------------------------------------------------------

  /// Drops the content of an event that waits for its next attempt, and of the
  /// events behind it: in keyed mode the later ones of its key.
  void park(ledger_entry& x);

  /// Gives an event its content back.
  void unpark(ledger_entry& x, event content);

  /// The content of a parked event is needed: soon, or at once if the event has
  /// the turn.
  void want(ledger_entry& x);

  /// @returns whether contents may be wanted; false if none is.
  [[nodiscard]] bool may_want() const noexcept {
    return !wanted_.empty() || !wanted_soon_.empty();
  }

  /// @returns the next event whose content is wanted, those that have the turn
  /// first; null if there is none.
  ledger_entry* next_wanted();

  // -- workers ----------------------------------------------------------------

  /// Call this after the workers have changed: in keyed mode it assigns all
  /// queued events to workers again.
  void reassign();

  /// Takes back the events that were assigned to a removed worker. The caller
  /// must call reassign() afterwards.
  void unassign(const std::deque<delivery_ticket>& assigned);

  /// Lays the queued events of a stream aside, until resume(). In keyed mode
  /// they keep the turn of their keys.
  void hold(uint32_t stream) {
    held_.try_emplace(stream);
  }

  /// Queues the events that were laid aside, before all others.
  void resume(uint32_t stream);

  // -- what goes to work ------------------------------------------------------

  /// @returns the next step. The caller repeats the call until there is nothing
  /// to do.
  step next();

  /// @returns the workers that get the event of the last step.
  [[nodiscard]] const std::vector<worker_table::worker*>&
  targets() const noexcept {
    return targets_;
  }

  /// Notes that a crash candidate waits for its mark.
  /// @returns whether to ask for the mark now. If not, the event waits until
  /// the isolated candidates before it are decided.
  bool begin_marking(ledger_entry& x);

  /// @returns the next crash candidate that must be isolated, if it gets the
  /// turn now.
  ledger_entry* next_isolated();

private:
  ledger_entry* first_of(std::deque<delivery_ticket>& queue);
  step next_of(std::deque<delivery_ticket>& queue, worker_table::worker* owner);
  void choose_targets(const ledger_entry& x,
                      const worker_table::candidate& what,
                      worker_table::worker* owner);
  [[nodiscard]] bool all_take(const worker_table::candidate& x) const noexcept;
  void choose_broadcast_targets(const broadcast_copies& copies);
  [[nodiscard]] bool may_mark(const ledger_entry& x) const noexcept;
  void want_next_of(uint64_t key);
  ledger_entry* first_wanted(std::deque<delivery_ticket>& queue);

  dispatch_mode mode_;
  entry_table& entries_;
  worker_table& workers_;
  // In balanced and broadcast mode all queued events; in keyed mode those that
  // have no worker yet.
  std::deque<delivery_ticket> ready_;
  // The streams that are held, with the events that were laid aside.
  std::map<uint32_t, std::deque<delivery_ticket>> held_;
  key_queues keys_;
  // The events whose contents are wanted at once, and soon. Some may not be
  // wanted any more.
  std::deque<delivery_ticket> wanted_;
  std::deque<delivery_ticket> wanted_soon_;
  crash_isolation isolation_;
  std::vector<worker_table::worker*> targets_;
};

} // namespace pulse
