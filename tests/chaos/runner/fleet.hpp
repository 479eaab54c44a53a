#pragma once

#include "chaos/runner/node_process.hpp"
#include "chaos/runner/proxy.hpp"
#include "chaos/runner/run_options.hpp"

#include <string>
#include <vector>

namespace pulse::chaos {

/// The processes of a run. Each process has a slot; when it is killed, the next
/// incarnation takes the slot. The destructor kills all processes.
class fleet {
public:
  struct slot {
    std::string name;
    /// The arguments of pulse-chaos-node: "role=… sink=…".
    std::vector<std::string> args;
    slot_facts facts;
    int incarnation = 0;
    node_process process;
    /// Whether to tell the process to reopen its sink as soon as it is open.
    bool must_reopen = false;
  };

  fleet(const run_options& how, std::string directory);
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;

  [[nodiscard]] const std::vector<slot>& slots() const noexcept {
    return slots_;
  }

  /// Starts the next incarnation. @returns false if that is impossible.
  bool start(size_t index, const proxy& links);

  /// Waits until all processes have begun their work. If that takes too long,
  /// it prints the names of those that have not. @returns false then.
  bool wait_until_open();

  void pause(size_t index) const;
  void resume(size_t index) const;

  /// Tells a process to close its sink and open it again, as soon as the sink
  /// is open. This is forgotten if the process is killed before.
  void reopen(size_t index);

  /// Blocks all threads of a process that handle actors, if it is open.
  void starve(size_t index, int64_t ms);

  /// Kills a process, ready or not, and waits for its end.
  void kill(size_t index);

  /// Restarts processes that ended without being told to, and those that do not
  /// become ready, and notes both. Sends the waiting requests to the others.
  void look_after(const proxy& links);

  /// Tells the processes whose names begin with `prefix` to end, and waits for
  /// them. Notes those that do not end.
  void stop(const std::string& prefix);

  /// Unexpected ends: "<slot> <how>".
  [[nodiscard]] const std::vector<std::string>& bad_ends() const noexcept {
    return bad_ends_;
  }

  [[nodiscard]] std::string journal_of(const slot& x) const;

private:
  void add(const std::string& group, size_t index,
           std::vector<std::string> args, slot_facts facts);
  [[nodiscard]] std::vector<std::string> sink_args(const std::string& name,
                                                   const std::string& dispatch,
                                                   size_t index) const;
  void wait_for_end(slot& x, node_process::clock::time_point deadline);

  const run_options& how_;
  std::string directory_;
  std::vector<slot> slots_;
  std::vector<std::string> bad_ends_;
};

} // namespace pulse::chaos
