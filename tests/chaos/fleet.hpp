#pragma once

#include "chaos/proxy.hpp"
#include "chaos/run_options.hpp"
#include <sys/types.h>

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
    pid_t pid = 0;
  };

  fleet(const run_options& how, std::string directory);
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;
  ~fleet();

  [[nodiscard]] const std::vector<slot>& slots() const noexcept {
    return slots_;
  }

  /// Starts the next incarnation. @returns false if that is impossible.
  bool start(size_t index, const proxy& links);

  void signal(size_t index, int number) const;

  /// Kills it and waits for its end.
  void kill(size_t index);

  /// Starts anew what ended without being told to, and notes it.
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

  const run_options& how_;
  std::string directory_;
  std::vector<slot> slots_;
  std::vector<std::string> bad_ends_;
};

} // namespace pulse::chaos
