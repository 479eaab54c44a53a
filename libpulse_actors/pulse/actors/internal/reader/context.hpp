#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/actors/internal/runtime/notice_board.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/reading/page_limit.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace pulse::internal {

/// The interface of a reader with the messages that only the reader itself
/// sends.
using reader_self = reader_actor::extend<
  // A timer of `reader_timers` is due.
  caf::reacts_to<caf::tick_atom, uint64_t>>;

using reader_ptr = reader_self::pointer;

/// Delayed calls. CAF 0.17.6 cannot cancel a delayed message, so the message of
/// a cancelled timer arrives and has no effect.
class reader_timers {
public:
  explicit reader_timers(reader_ptr self) noexcept : self_(self) {
    // nop
  }

  /// @returns a number for `cancel`, never 0.
  uint64_t start(milliseconds delay, std::function<void()> fn) {
    const auto id = ++last_;
    pending_.emplace(id, std::move(fn));
    self_->delayed_send(self_, delay, caf::tick_atom_v, id);
    return id;
  }

  void cancel(uint64_t id) {
    pending_.erase(id);
  }

  void fire(uint64_t id) {
    if (auto call = pending_.extract(id))
      call.mapped()();
  }

private:
  reader_ptr self_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::function<void()>> pending_;
};

/// What the parts of a reader share.
struct reader_context {
  reader_ptr self;
  reader_options options;
  event_filter filter;
  connection_actor commands;
  supervision supervisor;
  notice_board notices;
  reader_timers timers;
  /// The counters. Name, streams and subscribers are filled in for each reply.
  reader_info counters;
  random_engine random;
  /// For the log.
  std::string component;
  page_limit pages;

  /// Counts, logs and reports to the listeners that events were removed before
  /// they were read.
  void report_gap(const std::string& stream, event_id after,
                  event_id first_available, uint64_t lost, bool exact);
};

/// Pauses between attempts after failures, ±25 %. Under a lasting fault there
/// is less than one attempt per second.
inline reconnect_backoff retry_backoff() noexcept {
  return {milliseconds{100}, milliseconds{1'500}};
}

/// Sends a batch on a connection, and calls `fn` with the replies or a failure.
/// A connection always replies, so the request needs no timeout.
template <class F>
void run_on(reader_ptr self, const connection_actor& redis, command_ptr batch,
            F fn) {
  self->request(redis, caf::infinite, atom::run_v, std::move(batch))
    .then([fn](reply_ptr& x) { fn(outcome<reply_ptr>{std::move(x)}); },
          [fn](caf::error& why) { fn(outcome<reply_ptr>{to_failure(why)}); });
}

} // namespace pulse::internal
