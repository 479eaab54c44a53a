#pragma once

#include "pulse/core/event.hpp"

#include "simulation/checker/findings.hpp"
#include "simulation/world/trace.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pulse::simulation {

using instance_id = uint32_t;
using worker_id = uint32_t;

/// What the options of a sink promise about its deliveries.
struct sink_rules {
  std::chrono::milliseconds lease{0};
  std::chrono::milliseconds ack_wait{0};
  std::chrono::milliseconds drain_timeout{0};
  uint32_t max_deliveries = 0;
  uint32_t max_crashes = 0;
  uint32_t max_in_flight = 0;
  uint32_t credit = 0;
  bool keyed = false;
  bool manual = false;
};

/// How a worker ended an event.
enum class ending : uint8_t { acknowledged, failed, rejected };

/// Judges what workers get: no event is at two workers at once without a reason
/// that docs/delivery-guarantees.md names; deliveries are counted and limited;
/// first deliveries come in order; with `keyed`, a topic has one event at work.
class delivery_rules {
public:
  delivery_rules(const time_point& now, findings& out) : now_(now), out_(out) {
    // nop
  }

  // -- what happens -----------------------------------------------------------

  void instance_opens(instance_id id, std::string sink,
                      const sink_rules& rules);
  /// It was asked to close: in the end it may leave handlers behind.
  void instance_closes(instance_id id);
  /// It was closed, or its node died. Its workers are gone, too.
  void instance_ends(instance_id id);

  void worker_joins(worker_id id, instance_id at);
  void worker_dies(worker_id id);

  /// An event is in the worker's mailbox.
  void arrives(worker_id at, const event& what);
  /// The worker's handler begins with it.
  void starts(worker_id at, const event& what);
  void ends(worker_id at, const event& what, ending how);

  /// The worker got more time for an event.
  void extends(worker_id at, const event& what);

  /// The consumer group is gone, and what it knew of deliveries up to an ID:
  /// they may come again, as new ones.
  void forgets(const std::string& sink, const std::string& stream,
               event_id up_to);

  /// Redis says that the event belongs to another consumer from now on.
  void moves(const delivery_key& what, instance_id to);

  // -- what is known ----------------------------------------------------------

  /// @returns whether a worker acknowledged the event.
  [[nodiscard]] bool was_acknowledged(const delivery_key& what) const;
  /// @returns whether a worker got the event at any time.
  [[nodiscard]] bool was_delivered(const delivery_key& what) const {
    const auto i = deliveries_.find(what);
    return i != deliveries_.end() && !i->second.empty();
  }
  /// @returns whether workers got the event, and all of them have ended.
  [[nodiscard]] bool has_ended(const delivery_key& what) const;
  [[nodiscard]] bool was_rejected(const delivery_key& what) const;
  /// @returns the worker that works on the event, unless the sink may have
  /// given that worker up.
  [[nodiscard]] std::optional<worker_id>
  at_work(const delivery_key& what) const;
  [[nodiscard]] const std::string& sink_of(worker_id x) const {
    return instances_.at(workers_.at(x).at).sink;
  }
  [[nodiscard]] const sink_rules* rules_of(instance_id id) const;
  [[nodiscard]] const sink_rules* rules_of(const std::string& sink) const;
  [[nodiscard]] bool is_alive(instance_id id) const;
  /// @returns whether it was delivered by a group that was deleted.
  [[nodiscard]] bool is_forgotten(const delivery_key& what) const;

private:
  enum class phase : uint8_t { waits, started, acknowledged, failed };

  struct instance {
    std::string sink;
    sink_rules rules;
    bool is_alive = true;
    std::optional<time_point> closes_since;
    // Highest first delivery per worker and stream.
    std::map<std::pair<worker_id, std::string>, event_id> last_first;
  };

  struct worker {
    instance_id at = 0;
    bool is_alive = true;
    // What it has not ended yet. If it ends nothing for ack_wait, the sink may
    // give up all of that, and whatever comes until the worker is done with it.
    uint32_t held = 0;
    // What of this the sink expects it to answer.
    uint32_t expected = 0;
    time_point quiet_since;
  };

  struct holding {
    worker_id by = 0;
    phase at = phase::waits;
    // The sink may give it to another worker, as far as the rules go.
    bool is_forfeited = false;
    std::string topic;
  };

  [[nodiscard]] delivery_key key_of(worker_id at, const event& what) const;
  void add(worker_id at, const delivery_key& key, const event& what,
           bool is_forfeited);
  void forfeit_all(worker_id of);
  void forfeit(const delivery_key& what);
  void expect_no_more(const delivery_key& what);
  [[nodiscard]] bool is_quiet_for_too_long(const worker& x) const;
  [[nodiscard]] bool may_leave_handlers(const instance& x) const;
  [[nodiscard]] bool may_be_repeated(const holding& x) const;
  holding* last_of(worker_id at, const event& what);
  void check_copies(worker_id at, const delivery_key& key);
  void check_counts(const delivery_key& key, const event& what);
  void check_order(worker_id at, const delivery_key& key, const event& what);
  void check_topic(worker_id at, const delivery_key& key, const event& what);

  const time_point& now_;
  findings& out_;
  std::map<instance_id, instance> instances_;
  std::map<worker_id, worker> workers_;
  std::map<delivery_key, std::vector<holding>> deliveries_;
  std::set<delivery_key> rejected_;
  // Those that had another consumer before, and whose they are now.
  std::map<delivery_key, instance_id> owners_;
  // By sink and stream: up to where deliveries may come again.
  std::map<std::pair<std::string, std::string>, event_id> forgotten_;
};

} // namespace pulse::simulation
