#pragma once

#include "pulse/core/delivery/crash_isolation.hpp"
#include "pulse/core/delivery/entry_table.hpp"
#include "pulse/core/delivery/key_queues.hpp"
#include "pulse/core/delivery/worker_table.hpp"
#include "pulse/core/options.hpp"

#include <deque>
#include <vector>

namespace pulse {

/// Which event goes to work next, and at which workers: the queues of the
/// ledger in each mode of dispatch. It decides, and the ledger acts on that.
class dispatcher {
public:
  /// What is to be done next.
  enum class step_kind : uint8_t {
    /// Nobody can take an event, or none is queued.
    none,
    /// The targets get the event.
    dispatch,
    /// The event is a crash candidate, which must be marked first.
    mark,
    /// Broadcast: who failed at it has left, and all others processed it.
    acknowledge,
  };

  struct step {
    step_kind kind = step_kind::none;
    /// Not queued any more.
    ledger_entry* entry = nullptr;
  };

  /// Uses both tables, which must outlive it.
  dispatcher(dispatch_mode mode, uint32_t max_crashes, entry_table& entries,
             worker_table& workers) noexcept
    : mode_(mode),
      entries_(entries),
      workers_(workers),
      isolation_(max_crashes) {
    // nop
  }

  // -- what is queued ---------------------------------------------------------

  /// A new event: it is queued now, or when those of its key before it are
  /// decided.
  void add(ledger_entry& x);

  void enqueue(ledger_entry& x, bool in_front);

  /// The event is decided or dropped: the next one of its key is queued.
  void end_turn(ledger_entry& x);

  /// Keyed: workers changed, so everything that no worker has is assigned anew.
  void reassign();

  /// A worker is gone; reassign() is still to come.
  void unassign(const std::deque<delivery_ticket>& assigned);

  // -- what goes to work ------------------------------------------------------

  /// Call it until there is nothing to do.
  step next();

  /// Who gets the event of the last step.
  [[nodiscard]] const std::vector<worker_table::worker*>&
  targets() const noexcept {
    return targets_;
  }

  /// The crash candidate waits for its mark from now on.
  /// @returns whether to ask for it now; else it waits until those that must be
  /// isolated before it are decided.
  bool begin_marking(ledger_entry& x);

  /// The next crash candidate that must be isolated, if it has its turn now.
  ledger_entry* next_isolated();

private:
  ledger_entry* first_of(std::deque<delivery_ticket>& queue);
  step next_of(std::deque<delivery_ticket>& queue, worker_table::worker* owner);
  void choose_targets(const ledger_entry& x, worker_table::worker* owner);
  void choose_broadcast_targets(const broadcast_copies& x);
  [[nodiscard]] bool may_mark(const ledger_entry& x) const noexcept;

  dispatch_mode mode_;
  entry_table& entries_;
  worker_table& workers_;
  // Balanced and broadcast: what is queued. Keyed: what has no worker yet.
  std::deque<delivery_ticket> ready_;
  key_queues keys_;
  crash_isolation isolation_;
  std::vector<worker_table::worker*> targets_;
};

} // namespace pulse
