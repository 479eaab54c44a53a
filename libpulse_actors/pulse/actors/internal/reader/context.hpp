#pragma once

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/reader/actor.hpp"
#include "pulse/actors/internal/runtime/delayed_calls.hpp"
#include "pulse/actors/internal/runtime/notice_publisher.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/actors/internal/runtime/retry_backoff.hpp"
#include "pulse/core/backoff.hpp"
#include "pulse/core/reading/page_limit.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <string>
#include <utility>

namespace pulse::internal {

/// A reader with the message that only the reader itself sends.
using reader_self
  = extended_interface<reader_actor, caf::result<void>(caf::tick_atom)>;

using reader_ptr = reader_self::pointer;

using reader_timers = delayed_calls<reader_ptr>;

/// What the parts of a reader share.
struct reader_context {
  reader_ptr self;
  reader_options options;
  event_filter filter;
  connection_actor commands;
  supervision supervisor;
  notice_publisher notices;
  reader_timers timers;
  death_watch<reader_ptr> deaths;
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

} // namespace pulse::internal
