#pragma once

#include "simulation/checker/deliveries.hpp"
#include "simulation/model/redis_model.hpp"

namespace pulse::simulation {

/// Judges what happens to the consumer groups in Redis: nothing leaves a
/// pending list before a worker acknowledged it or it is a dead letter; nobody
/// takes over what its owner keeps; nobody holds more than it may.
class group_rules {
public:
  group_rules(const redis_model& redis, delivery_rules& deliveries,
              findings& out)
    : redis_(redis), deliveries_(deliveries), out_(out) {
    // nop
  }

  void watch(std::string stream, std::string sink);

  /// To be called after each command that Redis ran.
  void look();

  /// A fault removes the group: it will come again, at a position that leaves
  /// nothing out, and with what was not acknowledged as if it were new.
  void forget(const std::string& stream, const std::string& sink);

  /// @returns the consumers of live instances.
  [[nodiscard]] std::vector<std::string>
  consumers_of(const std::string& stream, const std::string& sink) const;

  /// A fault deletes the consumer of a live instance, with what is pending for
  /// it. These events may be pending again, and must be settled in the end.
  void forget_consumer(const std::string& stream, const std::string& sink,
                       const std::string& consumer);

  /// A worker gets an event: with `keyed`, no earlier event of its topic may
  /// still wait for its first delivery, on whatever node.
  void arrives(const std::string& sink, const event& what);

  /// A worker heard that its ack is stored.
  void confirm(const delivery_key& what);

  /// @returns what is left to do, if anything: for the end of a run, when all
  /// events must be settled and no dead consumers be left.
  [[nodiscard]] std::string unfinished() const;

private:
  struct watched {
    std::string stream;
    std::string key;
    std::string sink;
    event_id last_delivered;
    std::map<event_id, pending_entry> pending;
    // What was pending for consumers that were deleted.
    std::set<event_id> deleted;
    // The last dead letter that was judged.
    event_id last_letter;
  };

  void look_at(watched& x, const group& now);
  void entry_left(const watched& x, event_id id);
  void owner_changed(const watched& x, event_id id, const pending_entry& before,
                     const pending_entry& now);
  void look_at_new(const watched& x, const group& now);
  void look_at_letters(watched& x);
  void check_windows(const watched& x, const group& now);
  [[nodiscard]] bool is_dead_letter(const watched& x, event_id id) const;
  [[nodiscard]] static std::string field_of(const entry_fields& fields,
                                            const std::string& name);

  const redis_model& redis_;
  delivery_rules& deliveries_;
  findings& out_;
  std::vector<watched> all_;
};

/// @returns the instance that a consumer's name names; 0: none.
instance_id instance_of(const std::string& consumer);

} // namespace pulse::simulation
