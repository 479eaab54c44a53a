#pragma once

#include "pulse/actors/batch_outcome.hpp"
#include "pulse/actors/caf_version.hpp"
#include "pulse/core/dead_letter.hpp"
#include "pulse/core/errc.hpp"
#include "pulse/core/event.hpp"
#include "pulse/core/event_batch.hpp"
#include "pulse/core/notice.hpp"
#include "pulse/core/options.hpp"
#include "pulse/core/outcome.hpp"

#include <caf/error.hpp>
#include <caf/type_id.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

// The messages that users send and receive: structs with their inspect
// functions, atoms, and the types of listeners. The interfaces of the actors
// are in stream_actor.hpp, reader_actor.hpp, sink_actor.hpp and root_actor.hpp.
// type_ids.hpp registers all types with CAF.
//
// These actors reply to requests only. A plain message (send) has its effect as
// well, but nobody hears whether it failed: in CAF, an error that comes back
// for a message that was no request ends the actor that sent the message.
// Errors that nobody gets are counted and logged.

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

/// An event that a producer could not add, and why.
struct failed_add {
  /// The event as it was given to the producer; its `payload` can be moved.
  new_event event;
  /// `connection_lost` and `timed_out` mean that the event may be stored. To
  /// add such an event again without a duplicate, give it a `dedup_id` from the
  /// beginning.
  failure why;
};

/// Counters of a producer since it was made.
struct producer_info {
  /// Adds that are open, and the size of their events in bytes. Both include
  /// those that failed and that nobody has taken.
  uint64_t open = 0;
  uint64_t open_bytes = 0;
  /// The highest values of both so far.
  uint64_t most_open = 0;
  uint64_t most_open_bytes = 0;
  /// Adds that wait for room.
  uint64_t waiting = 0;
  /// Adds that Redis has confirmed.
  uint64_t added = 0;
  /// Adds that failed, and how many of them nobody has taken.
  uint64_t failed = 0;
  uint64_t untaken = 0;
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
  /// Events that this actor trimmed because of max_age or max_len, or because
  /// the stream was full and all sinks had acknowledged them.
  uint64_t trimmed = 0;
  /// Events that this actor removed although no sink, or not every sink, had
  /// acknowledged them: trimmed events of a stream that has no sink or no
  /// `protect_unacked`, at most; and dropped events.
  uint64_t lost = 0;
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
  /// What the stream keeps: the stored values, or the defaults if nothing is
  /// stored.
  stream_retention retention;
  bool retention_stored = false;
  /// Events that any process removed although no sink, or not every sink, had
  /// acknowledged them; see stream_counters::lost.
  uint64_t lost = 0;
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
  /// parallel (with promises). A promise that is not fulfilled within
  /// `ack_wait` may be lost, so it does not count any more then, as long as the
  /// subscriber still handles its messages.
  uint32_t credit = 0;
  /// 0: each event is a message of its own, an `event`. Otherwise the events
  /// come in messages of type `event_batch`, with so many events at most, and
  /// never more than the credit allows; at most 100 000. If `credit` is 0, it
  /// is twice this number then, or the default of the reader or sink if that is
  /// more. For a `batch_listener` 0 means 100.
  ///
  /// A sink does not wait until a batch is full. A subscriber that holds no
  /// events gets those that have arrived. A subscriber that holds some gets the
  /// next batch when at least as many wait, or when a batch is full. A reader
  /// sends what it has read.
  ///
  /// An event that a sink delivers again comes alone, as a batch of one: if one
  /// event makes its batch fail, or kills the worker, the others do not become
  /// dead letters with it. With `dispatch_mode::keyed` a batch has at most one
  /// event of each topic.
  uint32_t max_batch = 0;
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
  /// Answers of subscribers that did not come within `answer_wait`.
  uint64_t unanswered = 0;
};

/// Counters of a sink instance since it was opened.
struct sink_info {
  std::string name;
  std::string consumer;
  std::vector<std::string> streams;
  /// See sink_options. 0: with `ack_mode::none`.
  milliseconds ack_wait{0};
  uint64_t subscribers = 0;
  /// Events that the sink holds now; how many of them were dispatched to
  /// subscribers.
  uint64_t held = 0;
  uint64_t dispatched = 0;
  /// Events that failed and wait for their next attempt. In balanced dispatch
  /// they wait in Redis and no node holds them, so this is the number of all
  /// nodes together, as this instance saw it last. In keyed dispatch the later
  /// events of their topics are included.
  uint64_t waiting = 0;
  /// New events that came from Redis. In keyed dispatch an event that was given
  /// back before a worker had it counts again when it comes again.
  uint64_t fetched = 0;
  /// Events taken over from dead or closed nodes.
  uint64_t taken_over = 0;
  /// Pending events of this instance that it found again after a lost
  /// connection.
  uint64_t adopted = 0;
  /// Acks that Redis confirmed. After a fault an event can be acknowledged more
  /// than once, as it can be delivered more than once.
  uint64_t acked = 0;
  /// Events that did not match the filter, and were acknowledged for that
  /// reason.
  uint64_t filtered = 0;
  /// Entries without the field n or p. They became dead letters.
  uint64_t malformed = 0;
  /// Deliveries by this instance that were not the first one of their event.
  uint64_t redelivered = 0;
  uint64_t nacks = 0;
  uint64_t timeouts = 0;
  uint64_t crashes = 0;
  /// Milliseconds that this instance waited for a thread of CAF's scheduler, or
  /// stood still with its process. They count for no `ack_wait`.
  uint64_t stalled_ms = 0;
  /// What the last failure of a subscriber was; empty: none has failed.
  std::string last_failure;
  uint64_t dead_letters = 0;
  /// Old dead letters that were removed because of `dead_letter_max_len`.
  uint64_t dead_letters_removed = 0;
  /// Events that this instance held and that were not its own any more: another
  /// node took them over, because this node did not contact Redis for too long,
  /// or acknowledged them.
  uint64_t lost_leases = 0;
  /// Pending events that were trimmed from the stream before they were
  /// acknowledged.
  uint64_t trimmed = 0;
  /// How often events were trimmed before any node of the sink read them, and
  /// how many events that were at most. Only the node that finds a gap counts
  /// it.
  uint64_t gaps = 0;
  uint64_t lost = 0;
  /// Times somebody deleted the consumer of this instance. It kept the events
  /// that it held.
  uint64_t consumers_deleted = 0;
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
inspected<Inspector> inspect(Inspector& f, event_id& x) {
  return fields(f, x, "event_id", field("ms", x.ms), field("seq", x.seq));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, delivery_id& x) {
  return fields(f, x, "delivery_id", field("stream", x.stream),
                field("id", x.id), field("attempt", x.attempt));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, delivery_counts& x) {
  return fields(f, x, "delivery_counts", field("deliveries", x.deliveries),
                field("failures", x.failures), field("crashes", x.crashes));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, new_event& x) {
  return fields(f, x, "new_event", field("name", x.name),
                field("payload", x.payload), field("topic", x.topic),
                field("dedup_id", x.dedup_id));
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
inspected<Inspector> inspect(Inspector& f, event_data& x) {
  return fields(f, x, "event", field("from", x.from), field("sink", x.sink),
                field("name", x.name), field("topic", x.topic),
                field("payload", x.payload), field("counts", x.counts));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, event& x) {
  auto image = [](const event& y) {
    return event_data{
      y.delivery(),           std::string{y.sink()},    std::string{y.name()},
      std::string{y.topic()}, std::string{y.payload()}, y.counts()};
  };
  auto load = [](const event_data& y) {
    return event::make(y.from, y.name, y.payload, y.topic, y.sink, y.counts);
  };
  return inspect_as<event_data>(f, x, image, load);
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, event_batch& x) {
  return inspect_as<std::vector<event>>(
    f, x, [](const event_batch& y) { return y.events(); },
    [](std::vector<event> y) { return event_batch{std::move(y)}; });
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, start_position& x) {
  return fields(f, x, "start_position", field("kind", x.kind),
                field("id", x.id));
}

/// The form in which a filter is sent to another node. A predicate is code of
/// this process, so only the fact that there is one is sent.
struct filter_data {
  std::string topic;
  std::string topic_pattern;
  bool has_predicate = false;
};

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, filter_data& x) {
  return fields(f, x, "filter_options", field("topic", x.topic),
                field("topic_pattern", x.topic_pattern),
                field("has_predicate", x.has_predicate));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, filter_options& x) {
  auto image = [](const filter_options& y) {
    return filter_data{y.topic, y.topic_pattern,
                       static_cast<bool>(y.predicate)};
  };
  auto load = [](filter_data y) {
    filter_options result{std::move(y.topic), std::move(y.topic_pattern), {}};
    if (y.has_predicate)
      result.predicate = event_predicate::of_other_process();
    return result;
  };
  return inspect_as<filter_data>(f, x, image, load);
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, stream_retention& x) {
  return fields(f, x, "stream_retention", field("max_len", x.max_len),
                field("protect_unacked", x.protect_unacked),
                field("max_age", x.max_age),
                field("hard_max_len", x.hard_max_len),
                field("on_full", x.on_full), field("ttl", x.ttl),
                field("ttl_kind", x.ttl_kind));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, stream_options& x) {
  return fields(
    f, x, "stream_options", field("name", x.name), field("max_len", x.max_len),
    field("protect_unacked", x.protect_unacked), field("max_age", x.max_age),
    field("hard_max_len", x.hard_max_len), field("on_full", x.on_full),
    field("ttl", x.ttl), field("ttl_kind", x.ttl_kind),
    field("retention", x.retention), field("idempotent", x.idempotent),
    field("retry_timeout", x.retry_timeout),
    field("dedup_window", x.dedup_window),
    field("group_expiry", x.group_expiry), field("max_payload", x.max_payload),
    field("max_queued", x.max_queued),
    field("max_queued_bytes", x.max_queued_bytes));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, reader_options& x) {
  return fields(f, x, "reader_options", field("name", x.name),
                field("streams", x.streams), field("start", x.start),
                field("filter", x.filter), field("overflow", x.overflow),
                field("buffer", x.buffer), field("max_batch", x.max_batch),
                field("answer_wait", x.answer_wait));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, sink_options& x) {
  return fields(
    f, x, "sink_options", field("name", x.name), field("streams", x.streams),
    field("start", x.start), field("filter", x.filter), field("ack", x.ack),
    field("dispatch", x.dispatch), field("lease", x.lease),
    field("ack_wait", x.ack_wait), field("max_deliveries", x.max_deliveries),
    field("max_crashes", x.max_crashes), field("backoff", x.backoff),
    field("max_in_flight", x.max_in_flight),
    field("max_in_flight_bytes", x.max_in_flight_bytes),
    field("credit", x.credit), field("sweep_interval", x.sweep_interval),
    field("drain_timeout", x.drain_timeout),
    field("dead_letter", x.dead_letter),
    field("dead_letter_max_len", x.dead_letter_max_len));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, add_result& x) {
  return fields(f, x, "add_result", field("id", x.id), field("code", x.code),
                field("what", x.what));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, group_info& x) {
  return fields(f, x, "group_info", field("name", x.name),
                field("consumers", x.consumers), field("pending", x.pending),
                field("lag", x.lag), field("last_delivered", x.last_delivered));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, stream_counters& x) {
  return fields(f, x, "stream_counters", field("added", x.added),
                field("retried", x.retried), field("found", x.found),
                field("rejected", x.rejected), field("dropped", x.dropped),
                field("trimmed", x.trimmed), field("lost", x.lost));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, stream_info& x) {
  return fields(f, x, "stream_info", field("name", x.name),
                field("length", x.length), field("added", x.added),
                field("first", x.first), field("last", x.last),
                field("groups", x.groups), field("retention", x.retention),
                field("retention_stored", x.retention_stored),
                field("lost", x.lost), field("counters", x.counters));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, failed_add& x) {
  return fields(f, x, "failed_add", field("event", x.event),
                field("code", x.why.code), field("what", x.why.what));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, producer_info& x) {
  return fields(f, x, "producer_info", field("open", x.open),
                field("open_bytes", x.open_bytes),
                field("most_open", x.most_open),
                field("most_open_bytes", x.most_open_bytes),
                field("waiting", x.waiting), field("added", x.added),
                field("failed", x.failed), field("untaken", x.untaken));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, range_query& x) {
  return fields(f, x, "range_query", field("from", x.from), field("to", x.to),
                field("limit", x.limit));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, dead_letter& x) {
  return fields(f, x, "dead_letter", field("id", x.id),
                field("origin", x.origin), field("sink", x.sink),
                field("node", x.node), field("reason", x.reason),
                field("counts", x.counts), field("time", x.time),
                field("redrives", x.redrives), field("history", x.history),
                field("name", x.name), field("payload", x.payload),
                field("topic", x.topic));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, dead_query& x) {
  return fields(f, x, "dead_query", field("sink", x.sink),
                field("from", x.from), field("to", x.to),
                field("limit", x.limit));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, redrive_request& x) {
  return fields(f, x, "redrive_request", field("sink", x.sink),
                field("letters", x.letters), field("rate", x.rate),
                field("max_redrives", x.max_redrives));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, redrive_result& x) {
  return fields(f, x, "redrive_result", field("redriven", x.redriven),
                field("skipped_limit", x.skipped_limit),
                field("skipped_missing", x.skipped_missing));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, purge_request& x) {
  return fields(f, x, "purge_request", field("sink", x.sink),
                field("letters", x.letters), field("before", x.before));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, subscription& x) {
  return fields(f, x, "subscription", field("credit", x.credit),
                field("max_batch", x.max_batch));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, reader_info& x) {
  return fields(
    f, x, "reader_info", field("name", x.name), field("streams", x.streams),
    field("subscribers", x.subscribers), field("received", x.received),
    field("delivered", x.delivered), field("filtered", x.filtered),
    field("malformed", x.malformed), field("dropped", x.dropped),
    field("caught_up", x.caught_up), field("gaps", x.gaps),
    field("lost", x.lost), field("stream_resets", x.stream_resets),
    field("read_failures", x.read_failures), field("unanswered", x.unanswered));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, sink_info& x) {
  return fields(
    f, x, "sink_info", field("name", x.name), field("consumer", x.consumer),
    field("streams", x.streams), field("ack_wait", x.ack_wait),
    field("subscribers", x.subscribers), field("held", x.held),
    field("dispatched", x.dispatched), field("waiting", x.waiting),
    field("fetched", x.fetched), field("taken_over", x.taken_over),
    field("adopted", x.adopted), field("acked", x.acked),
    field("filtered", x.filtered), field("malformed", x.malformed),
    field("redelivered", x.redelivered), field("nacks", x.nacks),
    field("timeouts", x.timeouts), field("crashes", x.crashes),
    field("stalled_ms", x.stalled_ms), field("last_failure", x.last_failure),
    field("dead_letters", x.dead_letters),
    field("dead_letters_removed", x.dead_letters_removed),
    field("lost_leases", x.lost_leases), field("trimmed", x.trimmed),
    field("gaps", x.gaps), field("lost", x.lost),
    field("consumers_deleted", x.consumers_deleted),
    field("groups_recovered", x.groups_recovered),
    field("stream_resets", x.stream_resets),
    field("read_failures", x.read_failures));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, notice& x) {
  return fields(f, x, "notice", field("kind", x.kind),
                field("stream", x.stream), field("sink", x.sink),
                field("after", x.after),
                field("first_available", x.first_available),
                field("lost_at_most", x.lost_at_most), field("exact", x.exact),
                field("data_loss", x.data_loss), field("text", x.text));
}

template <class Inspector>
inspected<Inspector> inspect(Inspector& f, system_info& x) {
  return fields(f, x, "system_info", field("url", x.url),
                field("streams", x.streams), field("readers", x.readers),
                field("sinks", x.sinks), field("restarts", x.restarts));
}

// -- handles that travel in messages ------------------------------------------

/// A subscriber: any actor that handles `event`. With `ack_mode::on_return`,
/// the return of the handler acknowledges the event, and an error is a nack.
using event_listener = actor_interface<caf::result<void>(event)>;

/// A subscriber that gets its events in batches, see subscription::max_batch.
/// With `ack_mode::on_return`, the return of the handler acknowledges the
/// events of the batch, except those that failed by the batch_outcome; an error
/// is a nack for all of them. A dynamically typed actor may also return
/// nothing, which acknowledges all.
using batch_listener = actor_interface<caf::result<batch_outcome>(event_batch)>;

/// Receives the events that a producer could not add, one at a time: any actor
/// that handles `failed_add`. The return of its handler says that it has taken
/// the event.
using failure_listener = actor_interface<caf::result<void>(failed_add)>;

/// Receives the notices of readers and sinks: any actor that handles `notice`.
using notice_listener = actor_interface<caf::result<void>(notice)>;

} // namespace pulse

PULSE_ERROR_CODE_ENUM(pulse::errc, "pulse")

// In CAF 0.17.6 an atom has at most 10 characters of [0-9A-Za-z_ ]. The library
// uses CAF's own atoms where there is one: add, get, delete, close, subscribe,
// unsubscribe …
//
// In CAF 1.x an atom has a type ID. The atoms are a block of their own, since
// the interfaces of the actors need them, and the IDs of those come later. New
// atoms are appended at the end, so that the IDs of the others stay the same.
CAF_BEGIN_TYPE_ID_BLOCK(pulse_atoms, caf::first_custom_type_id + 1100)

  CAF_ADD_ATOM(pulse_atoms, pulse::atom, ack, "ack")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, nack, "nack")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, extend, "extend")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, term, "term")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, info, "info")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, range, "range")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, trim, "trim")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, remove, "remove")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, destroy, "destroy")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, add_exist, "addExist")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, add_stream, "addStream")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, rem_stream, "remStream")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, stream, "stream")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, reader, "reader")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, sink, "sink")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, dead, "dead")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, redrive, "redrive")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, purge, "purge")
  CAF_ADD_ATOM(pulse_atoms, pulse::atom, retention, "retention")

CAF_END_TYPE_ID_BLOCK(pulse_atoms)
