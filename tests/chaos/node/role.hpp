#pragma once

#include "pulse/actors/system.hpp"

#include "chaos/node/journal.hpp"
#include "chaos/node/node_args.hpp"
#include "chaos/node/protocol.hpp"

#include <memory>

namespace pulse::chaos {

/// What a node is for.
class role {
public:
  virtual ~role() = default;

  /// Opens what it needs. @returns false if Redis is not there: try again.
  virtual bool open() = 0;

  /// Closes its sink and opens it again.
  virtual void reopen() {
    // nop
  }

  /// Ends its work; the caller closes the library then.
  /// @returns false if that did not work.
  virtual bool finish() = 0;
};

/// What roles are made of.
struct role_context {
  caf::actor_system& sys;
  pulse::system& pulse;
  const node_args& args;
  journal& log;
};

/// Adds events at a steady rate, as long as not too many are unanswered.
std::unique_ptr<role> make_producer(role_context ctx);

/// A sink with workers that misbehave now and then.
std::unique_ptr<role> make_sink(role_context ctx);

std::unique_ptr<role> make_reader(role_context ctx);

} // namespace pulse::chaos
