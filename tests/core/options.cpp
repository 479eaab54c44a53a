#define CAF_SUITE core.options

#include "pulse/core/options.hpp"

#include <limits>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;

namespace {

template <class... Ts>
std::string error_of(const Ts&... xs) {
  auto x = validate(xs...);
  return x ? "none" : to_string(x.error());
}

bool starts_with(const std::string& text, const std::string& part) {
  return text.compare(0, part.size(), part) == 0;
}

// Sets one option and checks the error text.
template <class Options, class T, class U>
std::string with(Options x, T Options::*option, U value) {
  x.*option = static_cast<T>(value);
  return error_of(x);
}

stream_options a_stream() {
  stream_options x;
  x.name = "orders";
  return x;
}

reader_options a_reader() {
  reader_options x;
  x.streams = {"orders"};
  return x;
}

sink_options a_sink() {
  sink_options x;
  x.name = "billing";
  x.streams = {"orders"};
  return x;
}

} // namespace

CAF_TEST(the defaults are valid once the names are given) {
  CAF_CHECK_EQUAL(error_of(redis_options{}), "none");
  CAF_CHECK_EQUAL(error_of(a_stream()), "none");
  CAF_CHECK_EQUAL(error_of(a_reader()), "none");
  CAF_CHECK_EQUAL(error_of(a_sink()), "none");
}

CAF_TEST(broadcast does not go with manual acks) {
  auto x = a_sink();
  x.dispatch = dispatch_mode::broadcast;
  CAF_CHECK_EQUAL(error_of(x), "none");
  x.ack = ack_mode::manual;
  CAF_CHECK(starts_with(error_of(x), "invalid_option: sink.dispatch: broadcast "
                                     "excludes ack = manual"));
}

CAF_TEST(what is missing is named) {
  CAF_CHECK(starts_with(error_of(stream_options{}),
                        "invalid_name: stream.name: stream name \"\" is "
                        "empty"));
  CAF_CHECK_EQUAL(error_of(reader_options{}),
                  "invalid_option: reader.streams: is empty: name at least one "
                  "stream");
  CAF_CHECK(starts_with(error_of(sink_options{}), "invalid_name: sink.name: "));
  CAF_CHECK(starts_with(with(redis_options{}, &redis_options::url, ""),
                        "invalid_option: redis.url: is empty: use redis://"));
}

CAF_TEST(the error names option and value and range) {
  CAF_CHECK_EQUAL(with(a_sink(), &sink_options::lease, 499ms),
                  "invalid_option: sink.lease: 499 ms is out of range: use 500 "
                  "ms to 86400000 ms");
  CAF_CHECK_EQUAL(with(a_reader(), &reader_options::max_batch, 0),
                  "invalid_option: reader.max_batch: 0 is out of range: use 1 "
                  "to 100000");
}

CAF_TEST(redis options have limits) {
  auto bad = [](auto option, auto value, const std::string& name) {
    CAF_CHECK(starts_with(with(redis_options{}, option, value),
                          "invalid_option: redis." + name + ": "));
  };
  bad(&redis_options::connect_timeout, 0ms, "connect_timeout");
  bad(&redis_options::connect_timeout, 25h, "connect_timeout");
  bad(&redis_options::command_timeout, -1ms, "command_timeout");
  bad(&redis_options::reconnect_first, 0ms, "reconnect_first");
  bad(&redis_options::reconnect_last, 99ms, "reconnect_last");
  bad(&redis_options::max_queued, 0, "max_queued");
  bad(&redis_options::max_queued_bytes, 1'023, "max_queued_bytes");
  bad(&redis_options::max_reply_bytes, 0, "max_reply_bytes");
  bad(&redis_options::busy_poll_us, 1'001, "busy_poll_us");
  bad(&redis_options::io_threads, 0, "io_threads");
  bad(&redis_options::io_threads, 65, "io_threads");
  bad(&redis_options::tls_cert_file, "cert.pem", "tls_key_file");
  bad(&redis_options::tls_key_file, "key.pem", "tls_key_file");
  for (auto* name : {"", "with space", "tab\t", "\xc3\xa4"})
    bad(&redis_options::client_name, name, "client_name");
}

CAF_TEST(stream options have limits) {
  auto bad = [](auto option, auto value, const std::string& name) {
    CAF_CHECK(starts_with(with(a_stream(), option, value),
                          "invalid_option: stream." + name + ": "));
  };
  auto good = [](auto option, auto value) {
    CAF_CHECK_EQUAL(with(a_stream(), option, value), "none");
  };
  bad(&stream_options::max_len, std::numeric_limits<uint64_t>::max(),
      "max_len");
  good(&stream_options::max_len, 0);
  good(&stream_options::max_len, std::numeric_limits<int64_t>::max());
  bad(&stream_options::ttl, -1ms, "ttl");
  good(&stream_options::ttl, 1ms);
  bad(&stream_options::ttl, milliseconds::max(), "ttl");
  bad(&stream_options::ttl_kind, static_cast<ttl_mode>(2), "ttl_kind");
  bad(&stream_options::retention, 2, "retention");
  bad(&stream_options::max_payload, 0, "max_payload");
  bad(&stream_options::max_payload, (512u << 20) + 1, "max_payload");
  bad(&stream_options::max_queued, 0, "max_queued");
  bad(&stream_options::max_queued_bytes, (8u << 20) - 1, "max_queued_bytes");
  good(&stream_options::max_queued_bytes, 8u << 20);
  CAF_CHECK(starts_with(with(a_stream(), &stream_options::name, "a b"),
                        "invalid_name: stream.name: "));
}

CAF_TEST(reader options have limits) {
  auto bad = [](auto option, auto value, const std::string& start) {
    CAF_CHECK(starts_with(with(a_reader(), option, value), start));
  };
  bad(&reader_options::name, "a*", "invalid_name: reader.name: ");
  bad(&reader_options::streams, std::vector<std::string>{"a", ""},
      "invalid_name: reader.streams: stream name \"\" is empty");
  bad(&reader_options::streams, std::vector<std::string>{"a", "b", "a"},
      "invalid_option: reader.streams: \"a\" is named twice");
  bad(&reader_options::filter, filter_options{"", "(", nullptr},
      "invalid_pattern: reader.topic_pattern: topic_pattern \"(\"");
  bad(&reader_options::filter, filter_options{"a", "b", nullptr},
      "invalid_option: reader.topic_pattern: topic is \"a\"");
  bad(&reader_options::overflow, 3, "invalid_option: reader.overflow: ");
  bad(&reader_options::buffer, 0, "invalid_option: reader.buffer: ");
  bad(&reader_options::buffer, 1'000'001, "invalid_option: reader.buffer: ");
  bad(&reader_options::max_batch, 100'001,
      "invalid_option: reader.max_batch: ");
  auto x = a_reader();
  x.start.kind = static_cast<start_kind>(3);
  CAF_CHECK_EQUAL(error_of(x), "invalid_option: reader.start: 3 is no choice: "
                               "use 0 to 2");
}

CAF_TEST(sink options have limits) {
  auto bad = [](auto option, auto value, const std::string& name) {
    CAF_CHECK(starts_with(with(a_sink(), option, value),
                          "invalid_option: sink." + name + ": "));
  };
  bad(&sink_options::streams, std::vector<std::string>{}, "streams");
  bad(&sink_options::filter, filter_options{"a", "b", nullptr},
      "topic_pattern");
  bad(&sink_options::ack, 3, "ack");
  bad(&sink_options::dispatch, 3, "dispatch");
  bad(&sink_options::lease, 25h, "lease");
  bad(&sink_options::ack_wait, 9ms, "ack_wait");
  bad(&sink_options::backoff, std::vector<milliseconds>{1s, -1ms}, "backoff");
  bad(&sink_options::backoff, std::vector<milliseconds>{25h}, "backoff");
  bad(&sink_options::max_in_flight, 0, "max_in_flight");
  bad(&sink_options::max_in_flight_bytes, 0, "max_in_flight_bytes");
  bad(&sink_options::credit, 0, "credit");
  bad(&sink_options::sweep_interval, 9ms, "sweep_interval");
  bad(&sink_options::drain_timeout, -1ms, "drain_timeout");
  CAF_CHECK_EQUAL(with(a_sink(), &sink_options::backoff,
                       std::vector<milliseconds>{}),
                  "none");
  CAF_CHECK_EQUAL(with(a_sink(), &sink_options::drain_timeout, 0ms), "none");
  CAF_CHECK_EQUAL(with(a_sink(), &sink_options::max_deliveries, 0), "none");
}

CAF_TEST(the dead letter stream of a sink needs a valid name) {
  auto x = a_sink();
  x.streams = {std::string(510, 's')};
  CAF_CHECK(starts_with(error_of(x), "invalid_name: sink.dead_letter: "));
  x.dead_letter = false;
  CAF_CHECK_EQUAL(error_of(x), "none");
}

CAF_TEST(the dead letter stream of a sink must be its own) {
  auto x = a_sink();
  x.name = "b:dead:c";
  CAF_CHECK(starts_with(error_of(x), "invalid_name: sink.name: "));
  x.dead_letter = false;
  CAF_CHECK_EQUAL(error_of(x), "none");
}

CAF_TEST(the first of several failures is told) {
  auto x = a_sink();
  x.lease = 0ms;
  x.credit = 0;
  CAF_CHECK(starts_with(error_of(x), "invalid_option: sink.lease: "));
}

CAF_TEST(all problems are found and each option is named once) {
  auto x = a_sink();
  x.name = "a b";
  x.lease = 0ms;
  x.backoff = {-1ms, -2ms};
  x.credit = 0;
  std::string keys;
  for (const auto& problem : find_problems(x))
    keys += problem.key + (problem.code == errc::invalid_name ? "! " : " ");
  CAF_CHECK_EQUAL(keys, "name! lease backoff credit ");
  CAF_CHECK(find_problems(a_sink()).empty());
}

CAF_TEST(every enumerator survives the way through its name) {
  auto check = [](auto highest) {
    using type = decltype(highest);
    for (int i = 0; i <= static_cast<int>(highest); ++i) {
      const auto x = static_cast<type>(i);
      auto y = static_cast<type>(255);
      CAF_CHECK(from_string(to_string(x), y).ok());
      CAF_CHECK(x == y);
    }
    CAF_CHECK_EQUAL(to_string(static_cast<type>(200)), "unknown");
  };
  check(ttl_mode::sliding);
  check(retention_mode::change);
  check(overflow_policy::fail);
  check(ack_mode::none);
  check(dispatch_mode::keyed);
  CAF_CHECK_EQUAL(to_string(ack_mode::on_return), "on_return");
  CAF_CHECK_EQUAL(to_string(overflow_policy::drop_oldest), "drop_oldest");
}

CAF_TEST(a name that is none lists the choices and leaves the value) {
  auto x = dispatch_mode::keyed;
  auto result = from_string("balancd", x);
  CAF_REQUIRE(!result.ok());
  CAF_CHECK_EQUAL(to_string(result.error()),
                  "invalid_option: \"balancd\" is no dispatch mode: expected "
                  "balanced, broadcast or keyed; did you mean balanced?");
  CAF_CHECK(x == dispatch_mode::keyed);
  ttl_mode ttl{};
  ack_mode ack{};
  overflow_policy overflow{};
  CAF_CHECK(!from_string("", ttl).ok());
  CAF_CHECK(!from_string("Manual", ack).ok());
  CAF_CHECK(!from_string("pause ", overflow).ok());
}

CAF_TEST(an event is checked against the options of its stream) {
  auto options = a_stream();
  options.max_payload = 3;
  CAF_CHECK_EQUAL(error_of(new_event{"placed", "", ""}, options), "none");
  CAF_CHECK_EQUAL(error_of(new_event{"placed", "abc", "eu"}, options), "none");
  CAF_CHECK_EQUAL(error_of(new_event{"placed", "abcd", ""}, options),
                  "payload_too_large: event \"placed\" for stream \"orders\" "
                  "has a payload of 4 bytes, but max_payload is 3: send a "
                  "reference instead, or raise max_payload");
  CAF_CHECK(starts_with(error_of(new_event{"", "abc", ""}, options),
                        "invalid_name: event name \"\" is empty"));
  const auto bad_topic = error_of(new_event{"placed", "abc", "e u"}, options);
  CAF_CHECK(starts_with(bad_topic, "invalid_name: topic \"e u\" has a space"));
  CAF_CHECK(bad_topic.find("(stream \"orders\")") != std::string::npos);
}
