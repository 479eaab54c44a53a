#pragma once

#include "pulse/core/event_filter.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/core/start_position.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// All options with their units and defaults; no other file has defaults. The
// names are the same in TOML. To use them: copy a struct, change what you need
// and pass it on. An actor validates its options once, when it is opened.

namespace pulse {

using std::chrono::milliseconds;

/// How to connect to Redis. Each actor system needs one per endpoint.
struct redis_options {
  /// redis://user:password@host:port/db, rediss://… for TLS, or
  /// unix:///path?db=n
  std::string url = "redis://127.0.0.1:6379/0";
  /// If not empty, used instead of `password_file` and of the password in the
  /// URL. Never logged.
  std::string password;
  /// Regular file (no pipe) whose first line is the password; if not empty,
  /// used instead of the password in the URL. Each new connection reads it
  /// again, so that a changed password takes effect.
  std::string password_file;
  /// For rediss://: PEM file with the certificate authorities to trust; empty:
  /// those of the operating system.
  std::string tls_ca_file;
  /// PEM files with the certificate (chain) of this client and its key: set
  /// both or none. The key must not be encrypted. They are read again after
  /// each failed attempt to connect.
  std::string tls_cert_file;
  std::string tls_key_file;
  /// Name that the certificate of the server must have; empty: the host in the
  /// URL.
  std::string tls_server_name;
  /// Maximum time from the start of an attempt to connect to the end of the
  /// handshake.
  milliseconds connect_timeout{5'000};
  /// Maximum time from the moment at which the connection gets a command to its
  /// reply. The time that the command waits for a connection counts, too. A
  /// blocking read may take its block time in addition. A large command or
  /// reply may take longer, as long as its bytes keep moving, at least 4 KiB
  /// per second.
  milliseconds command_timeout{5'000};
  /// Pauses between attempts to connect. They double from `reconnect_first` to
  /// `reconnect_last`, ±25 %. With the default, a Redis that is reachable again
  /// is used within two seconds, and while it is away there is less than one
  /// attempt per second.
  milliseconds reconnect_first{100};
  milliseconds reconnect_last{1'500};
  /// Maximum number of commands that wait for a connection or a reply. Further
  /// calls fail with `errc::overloaded`.
  uint32_t max_queued = 100'000;
  /// Maximum size of all these commands together, in bytes.
  uint64_t max_queued_bytes = 256ull << 20;
  /// Largest reply that is accepted, in bytes; a larger one is a protocol
  /// error.
  uint64_t max_reply_bytes = 1ull << 30;
  /// While events flow, the thread that does the input and output looks for
  /// the next ones at most this long, in microseconds, before it sleeps: then
  /// an add or a delivery has a third to a half of the latency, and the thread
  /// uses up to a whole processor. It looks only as long as that pays off, and
  /// not at all while little happens. 0: it sleeps at once, which may be better
  /// if a process gets less than two processors, or on battery.
  uint32_t busy_poll_us = 100;
  /// Threads for input and output, 1 to 64. Streams and sinks are spread over
  /// them by their names, readers by the name of their first stream; each
  /// thread has connections of its own. More than one pays off if such a thread
  /// ("pulse.io") is busy all the time while other processors and Redis are
  /// not.
  uint32_t io_threads = 1;
  /// Name of the connections in the output of CLIENT LIST (set by CLIENT
  /// SETNAME).
  std::string client_name = "pulse";
};

/// When `stream_options::ttl` begins.
enum class ttl_mode : uint8_t {
  /// The stream expires `ttl` after its first event.
  absolute,
  /// The stream expires `ttl` after its last event.
  sliding,
};

/// What happens to an add if the stream has `hard_max_len` events already.
enum class full_policy : uint8_t {
  /// The add fails with `errc::stream_full`.
  reject,
  /// The oldest event is removed, even if sinks have not acknowledged it. The
  /// stream actor counts and logs that.
  drop_oldest,
};

/// What a stream keeps. Redis stores these values beside the stream, so that
/// they are the same for all processes; see `stream_options`.
struct stream_retention {
  /// Approximate number of events that the stream keeps; older events are
  /// trimmed. 0: no limit.
  uint64_t max_len = 0;
  /// On: trimming keeps each event that some sink has not acknowledged yet,
  /// even if the stream then exceeds `max_len`. Off: slow sinks lose events.
  /// Events of a stream without any sink are not protected.
  bool protect_unacked = true;
  /// Events older than this, by the clock of Redis, are trimmed, unless
  /// `protect_unacked` keeps them. At least 1 s; 0: no limit. Only while a
  /// stream actor of the stream is open.
  milliseconds max_age{0};
  /// Maximum number of events, even if a sink does not keep up. 0: no maximum;
  /// with `protect_unacked` the stream may then grow without bound. A full
  /// stream first removes events that all sinks have acknowledged.
  uint64_t hard_max_len = 0;
  full_policy on_full = full_policy::reject;
  /// Time to live of the whole stream with its consumer groups; 0: no end.
  milliseconds ttl{0};
  ttl_mode ttl_kind = ttl_mode::absolute;
};

/// What happens if a stream is opened with another retention than the one that
/// Redis stores for it.
enum class retention_mode : uint8_t {
  /// The open fails with `errc::retention_conflict`.
  check,
  /// The options that are set replace the stored ones, for all processes. A
  /// process that has the stream open follows within 5 s while it adds.
  change,
};

/// How to add to a stream, and what the stream keeps.
struct stream_options {
  /// Name of the stream, 1 to 512 bytes; see names.hpp.
  std::string name;
  /// What the stream keeps: see `stream_retention`. An option that is not set
  /// takes the value that Redis stores for the stream, or else the default in
  /// `stream_retention`: without a choice a stream keeps everything. The first
  /// process that sets one of these options stores all of them.
  std::optional<uint64_t> max_len;
  std::optional<bool> protect_unacked;
  std::optional<milliseconds> max_age;
  /// If `max_len` is set and not 0, it must not be higher.
  std::optional<uint64_t> hard_max_len;
  std::optional<full_policy> on_full;
  std::optional<milliseconds> ttl;
  std::optional<ttl_mode> ttl_kind;
  /// What happens if these options differ from the stored ones. `check` also
  /// protects a stream for which nothing is stored yet: the first options must
  /// not remove events that were added while nothing limited the stream.
  retention_mode retention = retention_mode::check;
  /// On: each event has a short unique field (u). If the connection is lost
  /// during an add, the stream actor searches the stream for that field, and
  /// repeats the add only if the event is not there. Off: such an add fails
  /// with `errc::connection_lost`.
  bool idempotent = true;
  /// How long the stream actor tries to finish such an add, counted from the
  /// moment at which it was sent. After that, the add fails with
  /// `errc::connection_lost`, and its outcome is unknown.
  milliseconds retry_timeout{15'000};
  /// How long a `new_event::dedup_id` is remembered.
  milliseconds dedup_window{120'000};
  /// A warning is logged if a sink has had events pending for this long and
  /// none of its nodes is alive, because its events keep the stream from being
  /// trimmed. 0: never.
  milliseconds group_expiry{86'400'000};
  /// Maximum size of a payload, in bytes; at most 512 MiB (a limit of Redis).
  uint64_t max_payload = 8ull << 20;
  /// Maximum number of adds that wait in the actor. Further adds fail with
  /// `errc::overloaded`.
  uint32_t max_queued = 100'000;
  /// Maximum size of all these adds together, in bytes; at least `max_payload`.
  uint64_t max_queued_bytes = 128ull << 20;
};

/// How far a producer may be ahead of Redis, and how long it waits.
struct producer_options {
  /// Maximum number of open adds: given to the producer, and neither confirmed
  /// nor taken as failed. 1 to 1 000 000.
  uint32_t max_open = 1'000;
  /// Maximum size of the events of all open adds together, in bytes. An event
  /// that is larger than this is added while no other add is open.
  uint64_t max_open_bytes = 16ull << 20;
  /// How long an add waits for room, at most.
  milliseconds max_wait{30'000};
  /// Maximum number of adds that actors sent and that wait for room. Further
  /// ones fail with `errc::overloaded`. Their events may have `max_open_bytes`
  /// together.
  uint32_t max_waiting = 1'000;
  /// How long a producer that is closed or destroyed waits for its open adds.
  milliseconds close_timeout{10'000};
};

/// What a reader does with a subscriber that is too slow.
enum class overflow_policy : uint8_t {
  /// The subscriber gets all events, but later: the reader stops sending it new
  /// events, and fetches the events that it missed from the stream again. No
  /// event is lost, unless the stream is trimmed before that.
  pause,
  /// The oldest events in the buffer of the subscriber are dropped. The reader
  /// counts and logs that.
  drop_oldest,
  /// The reader unsubscribes the subscriber and sends it, as the last message,
  /// an exit message with `errc::subscriber_overflow`.
  fail,
};

/// What a reader reads, and how it treats its subscribers.
struct reader_options {
  /// Name for logs, and for opening the same reader again through the root;
  /// empty: each open creates a new reader.
  std::string name;
  /// Names of the streams, at least one.
  std::vector<std::string> streams;
  /// Where the reader begins in each stream.
  start_position start;
  filter_options filter;
  overflow_policy overflow = overflow_policy::pause;
  /// Maximum number of events that wait for one subscriber, without those that
  /// the subscriber has received but not handled yet.
  uint32_t buffer = 1'000;
  /// Maximum number of events per read command.
  uint32_t max_batch = 1'000;
  /// How long the reader waits for the answer to an event: for the return of
  /// the handler, or for its promise. Then the reader takes that answer for
  /// lost, counts and logs it, and sends the subscriber further events, if the
  /// subscriber still handles its messages. A handler that fulfils its promises
  /// later than this gets more events than its credit.
  milliseconds answer_wait{60'000};
};

/// Who decides that an event has been handled.
enum class ack_mode : uint8_t {
  /// The handler of the subscriber: if it returns (or fulfils its promise), the
  /// event is acknowledged; an error is a nack; the death of the subscriber is
  /// a crash.
  on_return,
  /// The subscriber: it sends ack, nack, extend and term messages to the sink.
  manual,
  /// Nobody: each event is delivered at most once and never again (XREADGROUP
  /// NOACK).
  none,
};

/// Which subscribers of a sink get an event.
enum class dispatch_mode : uint8_t {
  /// The one that holds the fewest events.
  balanced,
  /// All of them. The event is acknowledged once all of them have acknowledged
  /// it.
  broadcast,
  /// One of them, and the same one for all events of a topic of a stream; only
  /// one event of such a topic is delivered at a time, and in the order of the
  /// stream. The same topic in two streams is two topics. An event without a
  /// topic goes to any. This holds for all nodes of the sink together if it
  /// acknowledges events: each node owns a part of the topics, and nodes that
  /// join, leave or die hand topics over. All nodes of the sink need this mode.
  /// The topics of a node that died wait for its lease. At most 64 nodes share
  /// a stream.
  keyed,
};

/// What a sink reads, how it delivers events, and when it gives them up.
struct sink_options {
  /// Name of the sink and of its consumer group in Redis. Sinks with the same
  /// name share the events; sinks with different names each get all events.
  std::string name;
  /// Names of the streams, at least one.
  std::vector<std::string> streams;
  /// Where the sink begins if its consumer group does not exist yet. An
  /// existing group goes on where it is.
  start_position start;
  /// The sink acknowledges events that do not match at once, without a
  /// delivery.
  filter_options filter;
  ack_mode ack = ack_mode::on_return;
  dispatch_mode dispatch = dispatch_mode::balanced;
  /// A node that does not contact Redis for this long counts as dead, and other
  /// nodes take over its events. At least 500 ms.
  milliseconds lease{15'000};
  /// A handler that works on one event for this long counts as stuck. That is a
  /// failure of the event: after the pause of `backoff` it goes to another
  /// subscriber, if one is ready. If the subscriber answered nothing in this
  /// time, the other events that it holds go to other subscribers at once. The
  /// time counts while the subscriber works on the event, not while the event
  /// waits for the subscriber. All events of a batch have the same time. For a
  /// subscriber that answers later events before earlier ones it counts from
  /// the dispatch, because such a subscriber works on all its events at the
  /// same time.
  milliseconds ack_wait{30'000};
  /// An event becomes a dead letter after this many deliveries that ended
  /// badly: with an error, a nack, the end of `ack_wait`, or a crash; 0: never.
  /// Deliveries that ended without a fault of the event do not count, such as
  /// those to a worker that another event killed, or that quit. What several
  /// events of a batch have in common, such as an error for the whole batch, is
  /// never the last one of these: each event is delivered once more, alone.
  /// The same holds for `max_crashes`.
  uint32_t max_deliveries = 20;
  /// An event becomes a dead letter after this many crashes; 0: never. A crash
  /// is the death of a worker that worked on the event, or the death of a node
  /// whose workers may have worked on it.
  uint32_t max_crashes = 3;
  /// Pauses before the second, third … delivery of an event after a failure,
  /// ±25 %; the last pause repeats. The end of `ack_wait` is a failure, too.
  /// After the death of a worker there is no pause.
  std::vector<milliseconds> backoff{milliseconds{1'000}, milliseconds{5'000},
                                    milliseconds{30'000}, milliseconds{120'000},
                                    milliseconds{600'000}};
  /// Maximum number of events that the sink holds with their payloads. Events
  /// that failed do not count while they wait for their next attempt. In keyed
  /// and broadcast dispatch they stay with the sink without their payloads, and
  /// so do later events of their topics in keyed dispatch. The sink reads no
  /// new events while ten times as many wait in this way.
  uint32_t max_in_flight = 1'000;
  /// Maximum number of bytes that the events of these numbers have, with the
  /// names, topics and IDs. An event keeps the memory of the whole reply that
  /// it came with, so a reply counts until the last of its events is
  /// acknowledged. The bound may be exceeded by one reply, because Redis counts
  /// events and not bytes, and by one event that is greater than the bound.
  uint64_t max_in_flight_bytes = 64ull << 20;
  /// Maximum number of events that one subscriber holds, unless the subscriber
  /// asked for another credit.
  uint32_t credit = 8;
  /// Interval at which the sink looks for events of dead nodes; ±10 %.
  milliseconds sweep_interval{1'000};
  /// Maximum time that close waits for running handlers.
  milliseconds drain_timeout{10'000};
  /// On: events that the sink gives up go to the stream "<stream>:dead:<sink>".
  /// Off: they are acknowledged, counted and logged.
  bool dead_letter = true;
  /// Approximate number of dead letters that are kept per stream; older ones
  /// are removed, counted and logged. 0: no limit.
  uint64_t dead_letter_max_len = 100'000;
};

/// An option with an invalid value.
struct option_problem {
  /// Name of the option, as in this file and in TOML: "lease".
  std::string key;
  /// What is wrong with the value, and what to use instead.
  std::string what;
  /// `errc::invalid_option`, `invalid_name` or `invalid_pattern`.
  errc code = errc::invalid_option;
};

/// @returns all options with an invalid value, as far as that can be checked
/// without Redis: at most one problem per option, in the order of the checks.
/// Empty if all options are valid.
[[nodiscard]] std::vector<option_problem> find_problems(const redis_options& x);
[[nodiscard]] std::vector<option_problem>
find_problems(const stream_options& x);
[[nodiscard]] std::vector<option_problem>
find_problems(const producer_options& x);
[[nodiscard]] std::vector<option_problem>
find_problems(const reader_options& x);
[[nodiscard]] std::vector<option_problem> find_problems(const sink_options& x);

/// @returns the first of the problems that `find_problems` finds.
/// Error: the code of that problem; the text starts with the name of the
/// option, as in "sink.lease: …".
status validate(const redis_options& x);
status validate(const stream_options& x);
status validate(const producer_options& x);
status validate(const reader_options& x);
status validate(const sink_options& x);

/// @returns the name of the enumerator, as in TOML.
std::string to_string(ttl_mode x);
std::string to_string(full_policy x);
std::string to_string(retention_mode x);
std::string to_string(overflow_policy x);
std::string to_string(ack_mode x);
std::string to_string(dispatch_mode x);

/// Parses the name of an enumerator into `x`.
/// Error: `errc::invalid_option`; its text lists the allowed names.
status from_string(std::string_view text, ttl_mode& x);
status from_string(std::string_view text, full_policy& x);
status from_string(std::string_view text, retention_mode& x);
status from_string(std::string_view text, overflow_policy& x);
status from_string(std::string_view text, ack_mode& x);
status from_string(std::string_view text, dispatch_mode& x);

/// @returns what the options set, and for the rest the values of `otherwise`.
[[nodiscard]] stream_retention
retention_of(const stream_options& x, const stream_retention& otherwise = {});

bool operator==(const stream_retention& a, const stream_retention& b);
inline bool operator!=(const stream_retention& a, const stream_retention& b) {
  return !(a == b);
}

/// @returns the retention in words: "max_len = 1000, max_age = 3600000 ms";
/// "everything" if nothing limits the stream.
std::string to_string(const stream_retention& x);

/// Checks a new event against the options of its stream.
/// Error: `errc::invalid_name`; `errc::payload_too_large`, whose text has both
/// sizes.
status validate(const new_event& x, const stream_options& options);

} // namespace pulse
