#pragma once

#include "pulse/core/event_filter.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/core/start_position.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// Every option with its unit and its default: the one place where defaults
// live. The names are the same in TOML. Copy, change what you need, pass on;
// the actors validate once, when they are opened.

namespace pulse {

using std::chrono::milliseconds;

/// How to reach Redis. One per actor system and endpoint.
struct redis_options {
  /// redis://user:password@host:port/db, rediss://… for TLS, or
  /// unix:///path?db=n
  std::string url = "redis://127.0.0.1:6379/0";
  /// Overrides the URL's password if not empty. Never logged.
  std::string password;
  /// File whose first line is the password, if neither is empty: read whenever
  /// a connection is made, so that a changed password is taken up.
  std::string password_file;
  /// For rediss://, files in PEM format. Certificate authorities to trust;
  /// empty: those of the system.
  std::string tls_ca_file;
  /// Certificate (chain) and key to show to the server, both or none. The key
  /// must not be encrypted. They are read again after a failed attempt.
  std::string tls_cert_file;
  std::string tls_key_file;
  /// Name that the server's certificate must have; empty: the URL's host.
  std::string tls_server_name;
  /// From dialling to the end of the handshake.
  milliseconds connect_timeout{5'000};
  /// From handing a command over to its reply; runs while it waits for a
  /// connection, too. A blocking read adds its own block time.
  milliseconds command_timeout{5'000};
  /// Pause between attempts to connect: doubles from the first to the second,
  /// ±25 %. The second bounds how long a Redis that came back goes unnoticed,
  /// at less than one attempt a second while it is away.
  milliseconds reconnect_first{100};
  milliseconds reconnect_last{1'500};
  /// Commands that may wait for a connection or a reply; beyond it calls fail
  /// with `errc::overloaded`.
  uint32_t max_queued = 100'000;
  /// Bytes of such commands.
  uint64_t max_queued_bytes = 256ull << 20;
  /// Largest reply accepted, in bytes; a larger one is a protocol error.
  uint64_t max_reply_bytes = 1ull << 30;
  /// CLIENT SETNAME of the connections, for CLIENT LIST.
  std::string client_name = "pulse";
};

enum class ttl_mode : uint8_t {
  /// The stream expires `ttl` after its first event.
  absolute,
  /// The stream expires `ttl` after its last event.
  sliding,
};

/// What happens to an add if the stream has `hard_max_len` events.
enum class full_policy : uint8_t {
  /// It fails with `errc::stream_full`.
  reject,
  /// The oldest event makes room, acknowledged or not; counted and logged.
  drop_oldest,
};

struct stream_options {
  /// See names.hpp.
  std::string name;
  /// Events kept, approximately; 0: no limit. Older ones are trimmed.
  uint64_t max_len = 100'000;
  /// Trimming spares what some sink has not acknowledged yet, even if the
  /// stream then exceeds `max_len`. Off: `max_len` rules at every add, as in
  /// goadesign/pulse, and slow sinks lose events.
  bool protect_unacked = true;
  /// Older events are trimmed, unless `protect_unacked` keeps them; 0: none
  /// are. At least a second; by the clock of Redis. Runs while a stream actor
  /// for the stream is open.
  milliseconds max_age{0};
  /// Bounds the stream even if a sink does not keep up; 0: nothing does, with
  /// `protect_unacked`. At least `max_len`, which must not be 0 then.
  uint64_t hard_max_len = 0;
  full_policy on_full = full_policy::reject;
  /// Time to live of the whole stream, groups included; 0: for ever.
  milliseconds ttl{0};
  ttl_mode ttl_kind = ttl_mode::absolute;
  /// Each event carries a short unique field (u). If the connection dies under
  /// an add, the stream is searched for it and the add repeated only if it is
  /// not there. Off: such an add fails with `errc::connection_lost`.
  bool idempotent = true;
  /// How long that goes on, from the moment at which the add was sent. Then it
  /// fails with `errc::connection_lost`: outcome unknown.
  milliseconds retry_timeout{15'000};
  /// How long a `new_event::dedup_id` is remembered.
  milliseconds dedup_window{120'000};
  /// Warns of a sink that holds events of that age though none of its nodes is
  /// alive: it keeps the stream from being trimmed. 0: never.
  milliseconds group_expiry{86'400'000};
  /// Largest payload, in bytes; at most 512 MiB (Redis).
  uint64_t max_payload = 8ull << 20;
  /// Adds that may wait in the actor; beyond it they fail with
  /// `errc::overloaded`.
  uint32_t max_queued = 100'000;
  /// Bytes of such adds.
  uint64_t max_queued_bytes = 128ull << 20;
};

/// What a reader does with a subscriber that is too slow.
enum class overflow_policy : uint8_t {
  /// It gets everything, later: it leaves the live tail and catches up from
  /// the stream. Loses nothing unless the stream is trimmed meanwhile.
  pause,
  /// The oldest events of its buffer make room; counted and logged.
  drop_oldest,
  /// It is unsubscribed and its last message is an exit message with
  /// `errc::subscriber_overflow`.
  fail,
};

struct reader_options {
  /// For logs and for finding it again through the root; empty: anonymous.
  std::string name;
  std::vector<std::string> streams;
  start_position start;
  filter_options filter;
  overflow_policy overflow = overflow_policy::pause;
  /// Events that may wait for one subscriber, beyond what it is handling.
  uint32_t buffer = 1'000;
  /// Most events asked for in one read.
  uint32_t max_batch = 1'000;
};

/// Who decides that an event is done.
enum class ack_mode : uint8_t {
  /// The subscriber's handler: its normal return (or the promise it fulfils)
  /// acknowledges, an error is a nack, its death a crash.
  on_return,
  /// The subscriber, by ack, nack, extend and term messages to the sink.
  manual,
  /// Nobody: at most once, nothing is redelivered (XREADGROUP NOACK).
  none,
};

/// Which of a sink's subscribers gets an event.
enum class dispatch_mode : uint8_t {
  /// One of them: whoever holds the least.
  balanced,
  /// All of them; acknowledged when all have acknowledged.
  broadcast,
  /// One of them: the same for the same topic, one event of a topic at a time.
  keyed,
};

struct sink_options {
  /// The shared cursor: sinks of one name share the work, sinks of different
  /// names each get everything. Name of the Redis consumer group.
  std::string name;
  std::vector<std::string> streams;
  /// Used when the group is created; an existing group goes on where it is.
  start_position start;
  /// What does not match is acknowledged at once.
  filter_options filter;
  ack_mode ack = ack_mode::on_return;
  dispatch_mode dispatch = dispatch_mode::balanced;
  /// A node that is silent for that long is dead: others take over its events.
  /// At least 500 ms.
  milliseconds lease{15'000};
  /// A handler that works on one event for that long is stuck: the event goes
  /// to another subscriber. Runs while the subscriber works, not while the
  /// event waits.
  milliseconds ack_wait{30'000};
  /// Deliveries after which an event becomes a dead letter; 0: never.
  uint32_t max_deliveries = 20;
  /// Deaths of workers after which an event becomes a dead letter; 0: never.
  uint32_t max_crashes = 3;
  /// Pauses before the second, third … attempt after a failure, ±25 %; the
  /// last one repeats. The death of a worker is not a failure: no pause.
  std::vector<milliseconds> backoff{milliseconds{1'000}, milliseconds{5'000},
                                    milliseconds{30'000}, milliseconds{120'000},
                                    milliseconds{600'000}};
  /// Events that the sink may hold, dispatched or waiting.
  uint32_t max_in_flight = 1'000;
  /// Events that one subscriber may hold, unless it asked for other credit.
  uint32_t credit = 8;
  /// How often the sink looks for events of dead nodes; ±10 %.
  milliseconds sweep_interval{1'000};
  /// How long close waits for running handlers.
  milliseconds drain_timeout{10'000};
  /// Whether events given up go to "<stream>:dead:<sink>". Off: they are
  /// acknowledged, counted and logged.
  bool dead_letter = true;
  /// Dead letters kept per stream, approximately; 0: all. Older ones are
  /// removed, counted and logged.
  uint64_t dead_letter_max_len = 100'000;
};

/// One option that has no valid value.
struct option_problem {
  /// Name of the option, as in this file and in TOML: "lease".
  std::string key;
  /// What is wrong with the value, and what to use instead.
  std::string what;
  /// `errc::invalid_option`, `invalid_name` or `invalid_pattern`.
  errc code = errc::invalid_option;
};

/// Each finds all options that can be seen to be wrong without Redis: at most
/// one problem per option, in the order of the checks. Empty: all is well.
std::vector<option_problem> find_problems(const redis_options& x);
std::vector<option_problem> find_problems(const stream_options& x);
std::vector<option_problem> find_problems(const reader_options& x);
std::vector<option_problem> find_problems(const sink_options& x);

/// Each gives the first of these problems as a failure.
/// Error: the code of the problem; the text starts with the option's name, as
/// in "sink.lease: …".
status validate(const redis_options& x);
status validate(const stream_options& x);
status validate(const reader_options& x);
status validate(const sink_options& x);

/// Names of the enumerators, as in TOML.
std::string to_string(ttl_mode x);
std::string to_string(full_policy x);
std::string to_string(overflow_policy x);
std::string to_string(ack_mode x);
std::string to_string(dispatch_mode x);

/// Reads such a name. Error: `errc::invalid_option` that lists the choices.
status from_string(std::string_view text, ttl_mode& x);
status from_string(std::string_view text, full_policy& x);
status from_string(std::string_view text, overflow_policy& x);
status from_string(std::string_view text, ack_mode& x);
status from_string(std::string_view text, dispatch_mode& x);

/// Checks a new event against the stream's options.
/// Error: `errc::invalid_name`, `errc::payload_too_large` with both sizes.
status validate(const new_event& x, const stream_options& options);

} // namespace pulse
