#pragma once

#include "chaos/runner/node_process.hpp"
#include "chaos/runner/proxy.hpp"
#include "chaos/runner/run_options.hpp"

#include <string>
#include <vector>

namespace pulse::chaos {

/// The processes of a run. A slot is the place of one; when it is killed, the
/// next incarnation takes it. Kills them all with this object.
class fleet {
public:
  struct slot {
    std::string name;
    /// "role=… sink=…", as pulse-chaos-node takes them.
    std::vector<std::string> args;
    slot_facts facts;
    int incarnation = 0;
    node_process process;
    /// To be told as soon as it is open.
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

  /// Waits until each has begun its work. @returns false, and says who has not,
  /// if that takes too long.
  bool wait_until_open();

  void pause(size_t index) const;
  void resume(size_t index) const;

  /// Lets it close its sink and open it again, when it has one open. Forgotten
  /// if it is killed before.
  void reopen(size_t index);

  /// Kills it and waits for its end, whether or not it was ready.
  void kill(size_t index);

  /// Starts anew what ended without being told to, and what does not get ready;
  /// notes either. Tells others what they are to be told.
  void look_after(const proxy& links);

  /// Tells those whose name begins so to end, and waits. Notes who does not.
  void stop(const std::string& prefix);

  /// Unexpected ends: "<slot> <how>".
  [[nodiscard]] const std::vector<std::string>& bad_ends() const noexcept {
    return bad_ends_;
  }

  [[nodiscard]] std::string journal_of(const slot& x) const;

private:
  void add(const std::string& group, size_t index,
           std::vector<std::string> args, slot_facts facts);
  [[nodiscard]] std::vector<std::string>
  sink_args(const std::string& name, const std::string& dispatch) const;
  void wait_for_end(slot& x, node_process::clock::time_point deadline);

  const run_options& how_;
  std::string directory_;
  std::vector<slot> slots_;
  std::vector<std::string> bad_ends_;
};

} // namespace pulse::chaos
