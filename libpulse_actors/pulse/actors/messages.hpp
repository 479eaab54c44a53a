#pragma once

#include "pulse/core/dead_letter.hpp"
#include "pulse/core/errc.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/notice.hpp"
#include "pulse/core/options.hpp"

#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <memory>
#include <string>
#include <vector>

// The messages that users send and receive: structs with their inspect
// functions, atoms, and the types of listeners. The interfaces of the actors
// are in stream_actor.hpp, reader_actor.hpp, sink_actor.hpp and root_actor.hpp.
// type_ids.hpp registers all types with CAF.

namespace pulse {

// -- structs that exist only as messages --------------------------------------

/// The result for one event of an add of several events. The reply has one
/// result per event, in the order of the events.
struct add_result {
  /// ID of the event; valid if `code` is `errc::none`.
  event_id id;
  errc code = errc::none;
  /// Why the add failed; empty if it succeeded.
  std::string what;
};

/// A consumer group of a stream: a sink, on all nodes together.
struct group_info {
  std::string name;
  uint64_t consumers = 0;
  /// Events that were delivered and not acknowledged yet.
  uint64_t pending = 0;
  /// Events that were not delivered yet; -1: unknown, because Redis cannot tell
  /// the number, e.g. after an event was removed.
  int64_t lag = -1;
  event_id last_delivered;
};

/// Counters of a stream actor since it was opened.
struct stream_counters {
  /// Events added and confirmed.
  uint64_t added = 0;
  /// Adds that lost their connection, so that the actor searched the stream for
  /// their events.
  uint64_t retried = 0;
  /// How many of these events were in the stream, so that they were not added
  /// again.
  uint64_t found = 0;
  /// Adds that failed because the stream was full.
  uint64_t rejected = 0;
  /// Events that were removed to make room for new ones
  /// (`full_policy::drop_oldest`).
  uint64_t dropped = 0;
  /// Events that this actor trimmed because of max_age, or because of max_len
  /// while `protect_unacked` is on.
  uint64_t trimmed = 0;
};

/// What Redis and the stream actor know about a stream.
struct stream_info {
  std::string name;
  /// Events in the stream.
  uint64_t length = 0;
  /// Number of events ever added.
  uint64_t added = 0;
  /// ID of the first event; `event_id::min()` if the stream is empty.
  event_id first;
  event_id last;
  std::vector<group_info> groups;
  /// Counters of the actor that sends this reply.
  stream_counters counters;
};

/// Selects stored events of a stream, oldest first.
struct range_query {
  /// Inclusive.
  event_id from = event_id::min();
  /// Inclusive.
  event_id to = event_id::max();
  /// Maximum number of events in the reply, 1 to 10 000.
  uint32_t limit = 100;
};

/// Options of a subscription to a reader or a sink.
struct subscription {
  /// Maximum number of events that the subscriber holds at a time; 0: the
  /// default of the reader or sink. At a sink these are the events that wait in
  /// the mailbox of the subscriber, and those that its handler works on in
  /// parallel (with promises).
  uint32_t credit = 0;
};

/// Counters of a reader since it was opened.
struct reader_info {
  std::string name;
  std::vector<std::string> streams;
  uint64_t subscribers = 0;
  /// Events that came from Redis.
  uint64_t received = 0;
  /// Events sent to subscribers. An event counts once per subscriber.
  uint64_t delivered = 0;
  /// Events that did not match the filter.
  uint64_t filtered = 0;
  /// Entries without the field n or p. They are skipped and logged.
  uint64_t malformed = 0;
  /// Events dropped by `overflow_policy::drop_oldest`.
  uint64_t dropped = 0;
  /// How often a subscriber was too slow, so that the reader had to fetch the
  /// events that it missed again.
  uint64_t caught_up = 0;
  /// How often events were removed before they were read, and how many events
  /// that were at most.
  uint64_t gaps = 0;
  uint64_t lost = 0;
  /// Times a stream was deleted or replaced, or its IDs went back.
  uint64_t stream_resets = 0;
  /// Reads that failed. Each was repeated.
  uint64_t read_failures = 0;
};

/// Counters of a sink instance since it was opened.
struct sink_info {
  std::string name;
  std::string consumer;
  std::vector<std::string> streams;
  uint64_t subscribers = 0;
  /// Events that the sink holds now; how many of them were dispatched to
  /// subscribers; how many of them wait for the end of a pause (backoff).
  uint64_t held = 0;
  uint64_t dispatched = 0;
  uint64_t waiting = 0;
  /// New events that came from Redis.
  uint64_t fetched = 0;
  /// Events taken over from dead or closed nodes.
  uint64_t taken_over = 0;
  /// Pending events of this instance that it found again after a lost
  /// connection.
  uint64_t adopted = 0;
  /// Events that were acknowledged in Redis.
  uint64_t acked = 0;
  /// Events that did not match the filter, and were acknowledged for that
  /// reason.
  uint64_t filtered = 0;
  /// Entries without the field n or p. They became dead letters.
  uint64_t malformed = 0;
  /// Dispatches of events that this instance had dispatched before.
  uint64_t redelivered = 0;
  uint64_t nacks = 0;
  uint64_t timeouts = 0;
  uint64_t crashes = 0;
  uint64_t dead_letters = 0;
  /// Old dead letters that were removed because of `dead_letter_max_len`.
  uint64_t dead_letters_removed = 0;
  /// Events that this instance held and another node took over, because this
  /// node did not contact Redis for too long.
  uint64_t lost_leases = 0;
  /// Pending events that were trimmed from the stream before they were
  /// acknowledged.
  uint64_t trimmed = 0;
  /// How often events were trimmed before any node of the sink read them, and
  /// how many events that were at most. Only the node that finds a gap counts
  /// it.
  uint64_t gaps = 0;
  uint64_t lost = 0;
  /// Consumer groups that had vanished and were created again.
  uint64_t groups_recovered = 0;
  /// Times a stream was deleted or replaced, or its IDs went back.
  uint64_t stream_resets = 0;
  uint64_t read_failures = 0;
};

/// What the root has open: the names of its streams, readers and sinks.
struct system_info {
  std::string url;
  std::vector<std::string> streams;
  std::vector<std::string> readers;
  std::vector<std::string> sinks;
  /// Streams, readers and sinks that were restarted after they died of a
  /// defect.
  uint64_t restarts = 0;
};

// -- inspection ---------------------------------------------------------------

// CAF serializes the fields that these functions list. All nodes must have a
// version of the library with the same fields.

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event_id& x) {
  return f(caf::meta::type_name("event_id"), x.ms, x.seq);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, delivery_id& x) {
  return f(caf::meta::type_name("delivery_id"), x.stream, x.id);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, delivery_counts& x) {
  return f(caf::meta::type_name("delivery_counts"), x.deliveries, x.failures,
           x.crashes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, new_event& x) {
  return f(caf::meta::type_name("new_event"), x.name, x.payload, x.topic,
           x.dedup_id);
}

/// The form in which an event is sent to another node. Within a process no
/// event is ever converted to it.
struct event_data {
  delivery_id from;
  std::string sink;
  std::string name;
  std::string topic;
  std::string payload;
  delivery_counts counts;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event_data& x) {
  return f(caf::meta::type_name("event"), x.from, x.sink, x.name, x.topic,
           x.payload, x.counts);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event& x) {
  if constexpr (Inspector::reads_state) {
    event_data image{
      x.delivery(),           std::string{x.sink()},    std::string{x.name()},
      std::string{x.topic()}, std::string{x.payload()}, x.counts()};
    return f(image);
  } else {
    event_data image;
    auto load = [&]() -> caf::error {
      x = event::make(image.from, image.name, image.payload, image.topic,
                      image.sink, image.counts);
      return caf::none;
    };
    return f(image, caf::meta::load_callback(load));
  }
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, start_position& x) {
  return f(caf::meta::type_name("start_position"), x.kind, x.id);
}

/// The predicate is not sent: it is code of this process.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, filter_options& x) {
  return f(caf::meta::type_name("filter_options"), x.topic, x.topic_pattern);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stream_options& x) {
  return f(caf::meta::type_name("stream_options"), x.name, x.max_len,
           x.protect_unacked, x.max_age, x.hard_max_len, x.on_full, x.ttl,
           x.ttl_kind, x.idempotent, x.retry_timeout, x.dedup_window,
           x.group_expiry, x.max_payload, x.max_queued, x.max_queued_bytes);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reader_options& x) {
  return f(caf::meta::type_name("reader_options"), x.name, x.streams, x.start,
           x.filter, x.overflow, x.buffer, x.max_batch);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sink_options& x) {
  return f(caf::meta::type_name("sink_options"), x.name, x.streams, x.start,
           x.filter, x.ack, x.dispatch, x.lease, x.ack_wait, x.max_deliveries,
           x.max_crashes, x.backoff, x.max_in_flight, x.credit,
           x.sweep_interval, x.drain_timeout, x.dead_letter,
           x.dead_letter_max_len);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, add_result& x) {
  return f(caf::meta::type_name("add_result"), x.id, x.code, x.what);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, group_info& x) {
  return f(caf::meta::type_name("group_info"), x.name, x.consumers, x.pending,
           x.lag, x.last_delivered);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stream_counters& x) {
  return f(caf::meta::type_name("stream_counters"), x.added, x.retried, x.found,
           x.rejected, x.dropped, x.trimmed);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stream_info& x) {
  return f(caf::meta::type_name("stream_info"), x.name, x.length, x.added,
           x.first, x.last, x.groups, x.counters);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, range_query& x) {
  return f(caf::meta::type_name("range_query"), x.from, x.to, x.limit);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dead_letter& x) {
  return f(caf::meta::type_name("dead_letter"), x.id, x.origin, x.sink, x.node,
           x.reason, x.counts, x.time, x.redrives, x.history, x.name, x.payload,
           x.topic);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dead_query& x) {
  return f(caf::meta::type_name("dead_query"), x.sink, x.from, x.to, x.limit);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, redrive_request& x) {
  return f(caf::meta::type_name("redrive_request"), x.sink, x.letters, x.rate,
           x.max_redrives);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, redrive_result& x) {
  return f(caf::meta::type_name("redrive_result"), x.redriven, x.skipped_limit,
           x.skipped_missing);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, purge_request& x) {
  return f(caf::meta::type_name("purge_request"), x.sink, x.letters, x.before);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, subscription& x) {
  return f(caf::meta::type_name("subscription"), x.credit);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reader_info& x) {
  return f(caf::meta::type_name("reader_info"), x.name, x.streams,
           x.subscribers, x.received, x.delivered, x.filtered, x.malformed,
           x.dropped, x.caught_up, x.gaps, x.lost, x.stream_resets,
           x.read_failures);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sink_info& x) {
  return f(caf::meta::type_name("sink_info"), x.name, x.consumer, x.streams,
           x.subscribers, x.held, x.dispatched, x.waiting, x.fetched,
           x.taken_over, x.adopted, x.acked, x.filtered, x.malformed,
           x.redelivered, x.nacks, x.timeouts, x.crashes, x.dead_letters,
           x.dead_letters_removed, x.lost_leases, x.trimmed, x.gaps, x.lost,
           x.groups_recovered, x.stream_resets, x.read_failures);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, notice& x) {
  return f(caf::meta::type_name("notice"), x.kind, x.stream, x.sink, x.after,
           x.first_available, x.lost_at_most, x.exact, x.data_loss, x.text);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, system_info& x) {
  return f(caf::meta::type_name("system_info"), x.url, x.streams, x.readers,
           x.sinks, x.restarts);
}

// -- handles that travel in messages ------------------------------------------

/// A subscriber: any actor that handles `event`. With `ack_mode::on_return`,
/// the return of the handler acknowledges the event, and an error is a nack.
using event_listener = caf::typed_actor<caf::reacts_to<event>>;

/// Receives the notices of readers and sinks: any actor that handles `notice`.
using notice_listener = caf::typed_actor<caf::reacts_to<notice>>;

} // namespace pulse

CAF_ERROR_CODE_ENUM(pulse::errc, "pulse")

// In CAF 0.17.6 an atom has at most 10 characters of [0-9A-Za-z_ ]. The library
// uses CAF's own atoms where there is one: add, get, delete, close, subscribe,
// unsubscribe …
CAF_ADD_ATOM(pulse, pulse::atom, ack, "ack")
CAF_ADD_ATOM(pulse, pulse::atom, nack, "nack")
CAF_ADD_ATOM(pulse, pulse::atom, extend, "extend")
CAF_ADD_ATOM(pulse, pulse::atom, term, "term")
CAF_ADD_ATOM(pulse, pulse::atom, info, "info")
CAF_ADD_ATOM(pulse, pulse::atom, range, "range")
CAF_ADD_ATOM(pulse, pulse::atom, trim, "trim")
CAF_ADD_ATOM(pulse, pulse::atom, remove, "remove")
CAF_ADD_ATOM(pulse, pulse::atom, destroy, "destroy")
CAF_ADD_ATOM(pulse, pulse::atom, add_exist, "addExist")
CAF_ADD_ATOM(pulse, pulse::atom, add_stream, "addStream")
CAF_ADD_ATOM(pulse, pulse::atom, rem_stream, "remStream")
CAF_ADD_ATOM(pulse, pulse::atom, stream, "stream")
CAF_ADD_ATOM(pulse, pulse::atom, reader, "reader")
CAF_ADD_ATOM(pulse, pulse::atom, sink, "sink")
CAF_ADD_ATOM(pulse, pulse::atom, dead, "dead")
CAF_ADD_ATOM(pulse, pulse::atom, redrive, "redrive")
CAF_ADD_ATOM(pulse, pulse::atom, purge, "purge")
