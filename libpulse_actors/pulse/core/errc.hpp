#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The list of all error codes: name, whether waiting may help, first advice.
// The enum, to_string, is_transient and advice are generated from it, so they
// always agree. Other nodes receive the codes as numbers: append only, never
// reorder.
#define PULSE_ERRC_LIST(X)                                                     \
  X(none, false, "no error")                                                   \
  X(invalid_name, false, "use 1 to 512 bytes without space, control, *?[]")    \
  X(invalid_option, false, "correct the named option")                         \
  X(invalid_pattern, false, "correct the pattern at the named position")       \
  X(invalid_endpoint, false, "use redis://user:password@host:port/db")         \
  X(invalid_event_id, false, "use <milliseconds>-<sequence>")                  \
  X(payload_too_large, false,                                                  \
    "send a reference instead, or raise max_payload")                          \
  X(no_such_stream, false, "add an event first, or check the name")            \
  X(no_such_delivery, false, "it was acked, handed on or never delivered")     \
  X(no_such_subscriber, false, "subscribe a live actor first")                 \
  X(already_open, false, "close it first, or open it with the same options")   \
  X(stream_full, true, "let consumers catch up, or raise hard_max_len")        \
  X(malformed_event, false, "every entry needs the fields n and p")            \
  X(connect_failed, true, "check that Redis runs at the endpoint")             \
  X(connection_lost, true, "the outcome is unknown; retry if that is safe")    \
  X(timed_out, true, "the deadline passed; check the load of Redis")           \
  X(overloaded, true, "a queue is full: slow down and retry")                  \
  X(protocol_error, false, "the peer does not speak RESP: is it a Redis?")     \
  X(auth_failed, false, "check user and password")                             \
  X(permission_denied, false, "grant the command or key to the ACL user")      \
  X(wrong_type, false, "the key holds no stream: use another name")            \
  X(no_group, true, "the consumer group is gone; it is created again")         \
  X(out_of_memory, true, "Redis is at maxmemory: trim, or give it more")       \
  X(read_only, true, "this Redis is a replica: connect to the master")         \
  X(loading, true, "Redis loads its data set: wait")                           \
  X(no_script, true, "the script cache was flushed; it is loaded again")       \
  X(unavailable, true, "Redis refuses for now: see its message")               \
  X(redis_error, false, "Redis refused the command: see its message")          \
  X(closed, false, "it was closed: open it again")                             \
  X(unsupported, false, "not available in this build")                         \
  X(internal, false, "a defect: please report it with the message")            \
  X(subscriber_overflow, false,                                                \
    "the subscriber is too slow for overflow=fail")                            \
  X(rejected, false, "the handler gave the event up; see the dead letters")    \
  X(handler_failed, true, "the event is delivered again; see the handler")     \
  X(dedup_conflict, false,                                                     \
    "the dedup_id belongs to another event: use a new one")                    \
  X(tls_failed, false,                                                         \
    "check the certificates: tls_ca_file, tls_cert_file, tls_key_file")        \
  X(retention_conflict, false,                                                 \
    "leave these options out, or change what is stored: retention = change, "  \
    "or pulse retention")

namespace pulse {

/// Error codes of the library. In a `caf::error` their category is "pulse".
/// Each failure carries one of these codes, and a text that names the thing
/// that failed.
enum class errc : uint8_t {
#define PULSE_ERRC_ENUM(name, transient, advice) name,
  PULSE_ERRC_LIST(PULSE_ERRC_ENUM)
#undef PULSE_ERRC_ENUM
};

/// @returns the enumerator's name, e.g. "connection_lost". A code that only a
/// newer version of the library knows is "unknown".
std::string to_string(errc x);

/// @returns what a user can do about `x`, as a short phrase in English.
std::string_view advice(errc x) noexcept;

/// @returns whether the same call may succeed later without any change.
bool is_transient(errc x) noexcept;

} // namespace pulse
