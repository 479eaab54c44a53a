#pragma once

#include "pulse/actors/system.hpp"

#include "chaos/node/journal.hpp"
#include "chaos/node/node_args.hpp"
#include "chaos/node/protocol.hpp"

#include <memory>

namespace pulse::chaos {

/// The task of a node.
class role {
public:
  virtual ~role() = default;

  /// Opens the stream, sink or reader of the node.
  /// @returns false if Redis is away; then the caller must try again.
  virtual bool open() = 0;

  /// Closes its sink and opens it again.
  virtual void reopen() {
    // nop
  }

  /// Ends the work. The caller closes the library afterwards.
  /// @returns false if that failed.
  virtual bool finish() = 0;
};

/// The things that roles need.
struct role_context {
  caf::actor_system& sys;
  pulse::system& pulse;
  const node_args& args;
  journal& log;
};

/// Adds events at a steady rate, as long as not too many are unanswered.
std::unique_ptr<role> make_producer(role_context ctx);

/// A sink with workers that sometimes misbehave.
std::unique_ptr<role> make_sink(role_context ctx);

std::unique_ptr<role> make_reader(role_context ctx);

} // namespace pulse::chaos
