#include "pulse/core/options.hpp"

#include "pulse/core/names.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_set>

namespace pulse {

namespace {

using namespace std::chrono_literals;

constexpr milliseconds one_day = 24h;
constexpr milliseconds a_century = one_day * 36'525;
constexpr size_t max_dedup_id_size = 512;
constexpr uint64_t redis_max_bulk = 512ull << 20;
constexpr uint32_t max_count = 1'000'000;

std::string text_of(milliseconds x) {
  return std::to_string(x.count()) + " ms";
}

std::string text_of(uint64_t x) {
  return std::to_string(x);
}

// Checks the options of one struct; keeps the first problem of each option.
class checker {
public:
  template <class T>
  checker& range(const char* option, T x, T lowest, T highest) {
    if (x < lowest || x > highest)
      fail(option, text_of(x) + " is out of range: use " + text_of(lowest)
                     + " to " + text_of(highest));
    return *this;
  }

  checker& number(const char* option, uint64_t x, uint64_t lowest,
                  uint64_t highest) {
    return range<uint64_t>(option, x, lowest, highest);
  }

  // The enumerator may come from another node, where it can have any value.
  template <class Enum>
  checker& choice(const char* option, Enum x, Enum highest) {
    if (x > highest)
      fail(option, std::to_string(static_cast<int>(x)) + " is no choice: use 0 "
                     + "to " + std::to_string(static_cast<int>(highest)));
    return *this;
  }

  checker& check(const char* option, const status& x) {
    if (!x)
      fail(option, x.error().what, x.error().code);
    return *this;
  }

  checker& require(const char* option, bool condition, const std::string& why) {
    if (!condition)
      fail(option, why);
    return *this;
  }

  checker& streams(const std::vector<std::string>& xs) {
    require("streams", !xs.empty(), "is empty: name at least one stream");
    std::unordered_set<std::string_view> known;
    for (const auto& x : xs) {
      check("streams", check_name("stream name", x));
      if (!known.insert(x).second)
        require("streams", false,
                "\"" + x + "\" is named twice: name each stream once");
    }
    return *this;
  }

  checker& filter(const filter_options& x) {
    if (auto compiled = event_filter::compile(x); !compiled)
      fail(x.predicate.is_of_other_process() ? "predicate" : "topic_pattern",
           compiled.error().what, compiled.error().code);
    return *this;
  }

  [[nodiscard]] bool has_problem(std::string_view option) const {
    return std::any_of(problems_.begin(), problems_.end(),
                       [&](const auto& x) { return x.key == option; });
  }

  [[nodiscard]] std::vector<option_problem> result() {
    return std::move(problems_);
  }

private:
  void fail(const char* option, const std::string& why,
            errc code = errc::invalid_option) {
    if (!has_problem(option))
      problems_.push_back({option, why, code});
  }

  std::vector<option_problem> problems_;
};

template <class Options>
status first_problem(const char* section, const Options& x) {
  const auto problems = find_problems(x);
  if (problems.empty())
    return {};
  const auto& first = problems.front();
  return failure{first.code,
                 std::string{section} + "." + first.key + ": " + first.what};
}

// Redis accepts only such names in CLIENT SETNAME.
bool is_client_name(std::string_view x) {
  return !x.empty() && x.size() <= max_name_size
         && std::all_of(x.begin(), x.end(),
                        [](char c) { return c >= '!' && c <= '~'; });
}

} // namespace

std::vector<option_problem> find_problems(const redis_options& x) {
  return checker{}
    .require("url", !x.url.empty(),
             "is empty: use redis://user:password@host:port/db or "
             "unix:///path?db=n")
    .require("tls_key_file", x.tls_cert_file.empty() == x.tls_key_file.empty(),
             "and tls_cert_file belong together: set both or none")
    .range("connect_timeout", x.connect_timeout, 1ms, one_day)
    .range("command_timeout", x.command_timeout, 1ms, one_day)
    .range("reconnect_first", x.reconnect_first, 1ms, one_day)
    .range("reconnect_last", x.reconnect_last, x.reconnect_first, one_day)
    .number("max_queued", x.max_queued, 1, std::numeric_limits<uint32_t>::max())
    .number("max_queued_bytes", x.max_queued_bytes, 1'024, 1ull << 40)
    .number("max_reply_bytes", x.max_reply_bytes, 1'024, 1ull << 40)
    .number("busy_poll_us", x.busy_poll_us, 0, 1'000)
    .number("io_threads", x.io_threads, 1, 64)
    .require("client_name", is_client_name(x.client_name),
             "\"" + x.client_name
               + "\" is no client name: use 1 to 512 printable ASCII "
                 "characters without spaces")
    .result();
}

std::vector<option_problem> find_problems(const stream_options& x) {
  const auto keeps = retention_of(x);
  return checker{}
    .check("name", check_name("stream name", x.name))
    .number("max_len", keeps.max_len, 0, std::numeric_limits<int64_t>::max())
    .range("max_age", keeps.max_age, 0ms, a_century)
    .require("max_age", keeps.max_age == 0ms || keeps.max_age >= 1s,
             text_of(keeps.max_age)
               + " is too short: use at least 1000 ms, or 0 "
                 "for no limit")
    .number("hard_max_len", keeps.hard_max_len, 0,
            std::numeric_limits<int64_t>::max())
    .require("hard_max_len",
             keeps.hard_max_len == 0 || keeps.hard_max_len >= keeps.max_len,
             text_of(keeps.hard_max_len) + " does not match max_len = "
               + text_of(keeps.max_len) + ": use at least max_len")
    .choice("on_full", keeps.on_full, full_policy::drop_oldest)
    .range("ttl", keeps.ttl, 0ms, a_century)
    .choice("ttl_kind", keeps.ttl_kind, ttl_mode::sliding)
    .choice("retention", x.retention, retention_mode::change)
    .range("retry_timeout", x.retry_timeout, 0ms, one_day)
    .range("dedup_window", x.dedup_window, 1ms, a_century)
    .range("group_expiry", x.group_expiry, 0ms, a_century)
    .number("max_payload", x.max_payload, 1, redis_max_bulk)
    .number("max_queued", x.max_queued, 1, std::numeric_limits<uint32_t>::max())
    .number("max_queued_bytes", x.max_queued_bytes, x.max_payload, 1ull << 40)
    .result();
}

std::vector<option_problem> find_problems(const producer_options& x) {
  return checker{}
    .number("max_open", x.max_open, 1, max_count)
    .number("max_open_bytes", x.max_open_bytes, 1, 1ull << 40)
    .range("max_wait", x.max_wait, 0ms, one_day)
    .number("max_waiting", x.max_waiting, 1, max_count)
    .range("close_timeout", x.close_timeout, 0ms, one_day)
    .result();
}

std::vector<option_problem> find_problems(const reader_options& x) {
  checker result;
  if (!x.name.empty())
    result.check("name", check_name("reader name", x.name));
  return result.streams(x.streams)
    .choice("start", x.start.kind, start_kind::after)
    .filter(x.filter)
    .choice("overflow", x.overflow, overflow_policy::fail)
    .number("buffer", x.buffer, 1, max_count)
    .number("max_batch", x.max_batch, 1, 100'000)
    .range("answer_wait", x.answer_wait, 10ms, one_day)
    .result();
}

std::vector<option_problem> find_problems(const sink_options& x) {
  checker result;
  result.check("name", check_name("sink name", x.name))
    .streams(x.streams)
    .choice("start", x.start.kind, start_kind::after)
    .filter(x.filter)
    .choice("ack", x.ack, ack_mode::none)
    .choice("dispatch", x.dispatch, dispatch_mode::keyed)
    .require("dispatch",
             x.dispatch != dispatch_mode::broadcast
               || x.ack != ack_mode::manual,
             "broadcast excludes ack = manual, since an ack message does not "
             "say which subscriber sent it: use ack = on_return")
    .range("lease", x.lease, 500ms, one_day)
    .range("ack_wait", x.ack_wait, 10ms, one_day);
  // The name of the dead letter stream is made of both.
  if (x.dead_letter)
    result.check("name", check_dead_letter_sink(x.name));
  const bool named = !result.has_problem("name")
                     && !result.has_problem("streams");
  for (auto& stream : x.streams)
    if (x.dead_letter && named)
      result.check("dead_letter",
                   check_name("dead letter stream name",
                              dead_letter_stream(stream, x.name)));
  for (auto pause : x.backoff)
    result.range("backoff", pause, 0ms, one_day);
  return result.number("max_in_flight", x.max_in_flight, 1, max_count)
    .number("max_in_flight_bytes", x.max_in_flight_bytes, 1, 1ull << 40)
    .number("credit", x.credit, 1, max_count)
    .range("sweep_interval", x.sweep_interval, 10ms, one_day)
    .range("drain_timeout", x.drain_timeout, 0ms, one_day)
    .number("dead_letter_max_len", x.dead_letter_max_len, 0,
            std::numeric_limits<int64_t>::max())
    .result();
}

status validate(const redis_options& x) {
  return first_problem("redis", x);
}

status validate(const stream_options& x) {
  return first_problem("stream", x);
}

status validate(const producer_options& x) {
  return first_problem("producer", x);
}

status validate(const reader_options& x) {
  return first_problem("reader", x);
}

status validate(const sink_options& x) {
  return first_problem("sink", x);
}

stream_retention retention_of(const stream_options& x,
                              const stream_retention& otherwise) {
  stream_retention result;
  result.max_len = x.max_len.value_or(otherwise.max_len);
  result.protect_unacked
    = x.protect_unacked.value_or(otherwise.protect_unacked);
  result.max_age = x.max_age.value_or(otherwise.max_age);
  result.hard_max_len = x.hard_max_len.value_or(otherwise.hard_max_len);
  result.on_full = x.on_full.value_or(otherwise.on_full);
  result.ttl = x.ttl.value_or(otherwise.ttl);
  result.ttl_kind = x.ttl_kind.value_or(otherwise.ttl_kind);
  return result;
}

bool operator==(const stream_retention& a, const stream_retention& b) {
  return a.max_len == b.max_len && a.protect_unacked == b.protect_unacked
         && a.max_age == b.max_age && a.hard_max_len == b.hard_max_len
         && a.on_full == b.on_full && a.ttl == b.ttl
         && a.ttl_kind == b.ttl_kind;
}

std::string to_string(const stream_retention& x) {
  std::string result;
  auto add = [&](bool shown, const char* name, const std::string& value) {
    if (shown)
      result += (result.empty() ? "" : ", ") + std::string{name} + " = "
                + value;
  };
  add(x.max_len > 0, "max_len", text_of(x.max_len));
  add(x.max_age > 0ms, "max_age", text_of(x.max_age));
  add(x.hard_max_len > 0, "hard_max_len", text_of(x.hard_max_len));
  add(x.hard_max_len > 0, "on_full", to_string(x.on_full));
  add(x.ttl > 0ms, "ttl", text_of(x.ttl));
  add(x.ttl > 0ms, "ttl_kind", to_string(x.ttl_kind));
  if (result.empty())
    return "everything";
  add(!x.protect_unacked, "protect_unacked", "false");
  return result;
}

status validate(const new_event& x, const stream_options& options) {
  auto named = check_name("event name", x.name);
  if (named && !x.topic.empty())
    named = check_name("topic", x.topic);
  if (!named)
    return failure{named.error().code,
                   named.error().what + " (stream \"" + options.name + "\")"};
  if (x.dedup_id.size() > max_dedup_id_size)
    return failure{errc::invalid_name, "the dedup_id of event \"" + x.name
                                         + "\" has "
                                         + std::to_string(x.dedup_id.size())
                                         + " bytes: use at most 512 (stream \""
                                         + options.name + "\")"};
  if (x.payload.size() > options.max_payload)
    return failure{errc::payload_too_large,
                   "event \"" + x.name + "\" for stream \"" + options.name
                     + "\" has a payload of " + std::to_string(x.payload.size())
                     + " bytes, but max_payload is "
                     + std::to_string(options.max_payload)
                     + ": send a reference instead, or raise max_payload"};
  return {};
}

} // namespace pulse
