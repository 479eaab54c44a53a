#pragma once

#include "pulse-node/config/node_config.hpp"

// Which key of a file is which member: the only place that knows both. Reading,
// overriding, dumping and checking all visit these tables, with
// `f(key, member)`.

namespace pulse::apps {

/// Marks a number as bytes: may be written as "8MiB".
template <class Number>
struct bytes_of {
  Number& value;
};

template <class Number>
bytes_of(Number&) -> bytes_of<Number>;

template <class Section>
struct key_table;

template <>
struct key_table<redis_section> {
  static constexpr const char* name = "redis";

  template <class F, class T>
  static void visit(F& f, T& x) {
    f("url", x.options.url);
    f("password_file", x.options.password_file);
    f("tls_ca_file", x.options.tls_ca_file);
    f("tls_cert_file", x.options.tls_cert_file);
    f("tls_key_file", x.options.tls_key_file);
    f("tls_server_name", x.options.tls_server_name);
    f("connect_timeout", x.options.connect_timeout);
    f("command_timeout", x.options.command_timeout);
    f("reconnect_first", x.options.reconnect_first);
    f("reconnect_last", x.options.reconnect_last);
    f("max_queued", x.options.max_queued);
    f("max_queued_bytes", bytes_of{x.options.max_queued_bytes});
    f("max_reply_bytes", bytes_of{x.options.max_reply_bytes});
    f("busy_poll_us", x.options.busy_poll_us);
    f("io_threads", x.options.io_threads);
    f("client_name", x.options.client_name);
  }
};

template <>
struct key_table<node_section> {
  static constexpr const char* name = "node";

  template <class F, class T>
  static void visit(F& f, T& x) {
    f("name", x.name);
    f("listen", x.listen);
    f("log_level", x.log_level);
    f("drain_timeout", x.drain_timeout);
  }
};

template <>
struct key_table<caf_section> {
  static constexpr const char* name = "caf";

  template <class F, class T>
  static void visit(F& f, T& x) {
    f("threads", x.threads);
    f("heartbeat_interval", x.heartbeat_interval);
    f("connection_timeout", x.connection_timeout);
  }
};

template <>
struct key_table<stream_options> {
  static constexpr const char* name = "stream";

  template <class F, class T>
  static void visit(F& f, T& x) {
    f("name", x.name);
    f("max_len", x.max_len);
    f("protect_unacked", x.protect_unacked);
    f("max_age", x.max_age);
    f("hard_max_len", x.hard_max_len);
    f("on_full", x.on_full);
    f("ttl", x.ttl);
    f("ttl_kind", x.ttl_kind);
    f("retention", x.retention);
    f("idempotent", x.idempotent);
    f("retry_timeout", x.retry_timeout);
    f("dedup_window", x.dedup_window);
    f("group_expiry", x.group_expiry);
    f("max_payload", bytes_of{x.max_payload});
    f("max_queued", x.max_queued);
    f("max_queued_bytes", bytes_of{x.max_queued_bytes});
  }
};

template <>
struct key_table<sink_section> {
  static constexpr const char* name = "sink";

  template <class F, class T>
  static void visit(F& f, T& x) {
    f("name", x.options.name);
    f("streams", x.options.streams);
    f("start", x.options.start);
    f("topic", x.options.filter.topic);
    f("topic_pattern", x.options.filter.topic_pattern);
    f("ack", x.options.ack);
    f("dispatch", x.options.dispatch);
    f("lease", x.options.lease);
    f("ack_wait", x.options.ack_wait);
    f("max_deliveries", x.options.max_deliveries);
    f("max_crashes", x.options.max_crashes);
    f("backoff", x.options.backoff);
    f("max_in_flight", x.options.max_in_flight);
    f("max_in_flight_bytes", bytes_of{x.options.max_in_flight_bytes});
    f("credit", x.options.credit);
    f("sweep_interval", x.options.sweep_interval);
    f("drain_timeout", x.options.drain_timeout);
    f("dead_letter", x.options.dead_letter);
    f("dead_letter_max_len", x.options.dead_letter_max_len);
    f("target", x.target.kind);
    f("file", x.target.file);
    f("command", x.target.command);
    f("workers", x.target.workers);
  }
};

template <>
struct key_table<reader_section> {
  static constexpr const char* name = "reader";

  template <class F, class T>
  static void visit(F& f, T& x) {
    f("name", x.options.name);
    f("streams", x.options.streams);
    f("start", x.options.start);
    f("topic", x.options.filter.topic);
    f("topic_pattern", x.options.filter.topic_pattern);
    f("overflow", x.options.overflow);
    f("buffer", x.options.buffer);
    f("max_batch", x.options.max_batch);
    f("answer_wait", x.options.answer_wait);
    f("target", x.target.kind);
    f("file", x.target.file);
    f("command", x.target.command);
    f("workers", x.target.workers);
    f("timeout", x.target.timeout);
  }
};

/// @returns the keys of a section, in the order of its table.
template <class Section>
std::vector<std::string> keys_of() {
  std::vector<std::string> result;
  Section defaults;
  auto collect = [&](const char* key, auto&&) { result.emplace_back(key); };
  key_table<Section>::visit(collect, defaults);
  return result;
}

/// Calls `f(section)` for the sections that exist once.
template <class F, class T>
void visit_single_sections(F&& f, T& config) {
  f(config.redis);
  f(config.node);
  f(config.caf);
}

/// Calls `f(list)` for the sections that may be repeated.
template <class F, class T>
void visit_section_lists(F&& f, T& config) {
  f(config.streams);
  f(config.sinks);
  f(config.readers);
}

} // namespace pulse::apps
