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

// What users send and receive: structs with their inspect functions, atoms, and
// the types of subscribers. The interfaces of the actors are in
// stream_actor.hpp, reader_actor.hpp, sink_actor.hpp and root_actor.hpp;
// type_ids.hpp registers all of it with CAF.

namespace pulse {

// -- structs that exist only as messages --------------------------------------

/// What an add of several events answers, one per event, in order.
struct add_result {
  /// Valid if `code` is `errc::none`.
  event_id id;
  errc code = errc::none;
  /// Why it failed.
  std::string what;
};

/// A consumer group of a stream, that is: a sink on all nodes.
struct group_info {
  std::string name;
  uint64_t consumers = 0;
  /// Delivered, not acknowledged.
  uint64_t pending = 0;
  /// Not delivered yet; -1: unknown (Redis lost count, e.g. by a removal).
  int64_t lag = -1;
  event_id last_delivered;
};

/// What a stream actor did since it was opened.
struct stream_counters {
  /// Events added and confirmed.
  uint64_t added = 0;
  /// Adds whose connection died under them, so that they were looked for.
  uint64_t retried = 0;
  /// Of them: found in the stream, so not added again.
  uint64_t found = 0;
  /// Adds refused since the stream was full.
  uint64_t rejected = 0;
  /// Events that made room for others (`full_policy::drop_oldest`).
  uint64_t dropped = 0;
  /// Events removed by max_len (if acknowledged ones are spared) and max_age.
  uint64_t trimmed = 0;
};

/// What Redis and the stream actor know about a stream.
struct stream_info {
  std::string name;
  /// Events in the stream.
  uint64_t length = 0;
  /// Events ever added.
  uint64_t added = 0;
  /// `event_id::min()` if there is none.
  event_id first;
  event_id last;
  std::vector<group_info> groups;
  /// What the actor that answers did since it was opened.
  stream_counters counters;
};

/// Asks a stream for stored events.
struct range_query {
  /// Inclusive.
  event_id from = event_id::min();
  /// Inclusive.
  event_id to = event_id::max();
  /// Most events in the answer, 1 to 10 000.
  uint32_t limit = 100;
};

/// One subscription to a reader or a sink.
struct subscription {
  /// Events that the subscriber may hold at a time; 0: the default of the
  /// reader or sink. Sinks: how many a handler may work on in parallel
  /// (promises) or have waiting in its mailbox.
  uint32_t credit = 0;
};

/// Counters of a reader since it was opened.
struct reader_info {
  std::string name;
  std::vector<std::string> streams;
  uint64_t subscribers = 0;
  /// Events that came from Redis.
  uint64_t received = 0;
  /// Events handed to subscribers, each counted once per subscriber.
  uint64_t delivered = 0;
  /// Events that the filter kept back.
  uint64_t filtered = 0;
  /// Entries without the field n or p, skipped and logged.
  uint64_t malformed = 0;
  /// Events dropped by `overflow_policy::drop_oldest`.
  uint64_t dropped = 0;
  /// Times a subscriber left the live tail to catch up.
  uint64_t caught_up = 0;
  /// Times events were gone before they were read, and how many at most.
  uint64_t gaps = 0;
  uint64_t lost = 0;
  /// Times a stream was deleted or replaced, or its IDs went back.
  uint64_t stream_resets = 0;
  /// Reads that failed and were repeated.
  uint64_t read_failures = 0;
};

/// Counters of a sink instance since it was opened.
struct sink_info {
  std::string name;
  std::string consumer;
  std::vector<std::string> streams;
  uint64_t subscribers = 0;
  /// Held now, of them dispatched to subscribers, of them waiting (backoff).
  uint64_t held = 0;
  uint64_t dispatched = 0;
  uint64_t waiting = 0;
  /// Events that came from Redis as new.
  uint64_t fetched = 0;
  /// Events taken over from dead or closed nodes.
  uint64_t taken_over = 0;
  /// Own pending events found again after a lost connection.
  uint64_t adopted = 0;
  /// Acknowledged in Redis.
  uint64_t acked = 0;
  /// Kept back by the filter, and acknowledged.
  uint64_t filtered = 0;
  /// Entries without the field n or p, made dead letters.
  uint64_t malformed = 0;
  /// Dispatches after the first one in this sink.
  uint64_t redelivered = 0;
  uint64_t nacks = 0;
  uint64_t timeouts = 0;
  uint64_t crashes = 0;
  uint64_t dead_letters = 0;
  /// Older dead letters that made room for new ones.
  uint64_t dead_letters_removed = 0;
  /// Held events that another node took over, because this one was silent.
  uint64_t lost_leases = 0;
  /// Pending events that were trimmed from the stream before they were acked.
  uint64_t trimmed = 0;
  /// Times events were trimmed before the sink (on any node) had them, and how
  /// many at most. The node that finds out counts.
  uint64_t gaps = 0;
  uint64_t lost = 0;
  /// Consumer groups created again after they had vanished.
  uint64_t groups_recovered = 0;
  /// Times a stream was deleted or replaced, or its IDs went back.
  uint64_t stream_resets = 0;
  uint64_t read_failures = 0;
};

/// What the root has open.
struct system_info {
  std::string url;
  std::vector<std::string> streams;
  std::vector<std::string> readers;
  std::vector<std::string> sinks;
  /// Children restarted after they died of a defect.
  uint64_t restarts = 0;
};

// -- inspection ---------------------------------------------------------------

// CAF serializes what these list; a peer of another version must agree.

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

/// The wire form of an event: only made when it leaves the process.
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

/// A predicate is code of this process: it stays here.
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

/// A subscriber: any actor that handles an event. With
/// `ack_mode::on_return`, returning acknowledges and an error is a nack.
using event_listener = caf::typed_actor<caf::reacts_to<event>>;

/// Hears the notices of readers and sinks: any actor that handles a notice.
using notice_listener = caf::typed_actor<caf::reacts_to<notice>>;

} // namespace pulse

CAF_ERROR_CODE_ENUM(pulse::errc, "pulse")

// At most 10 characters of [0-9A-Za-z_ ] in CAF 0.17.6. CAF's own atoms are
// used where they fit: add, get, delete, close, subscribe, unsubscribe …
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
