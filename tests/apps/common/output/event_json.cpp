#define CAF_SUITE apps.common.output.event_json

#include "common/output/event_json.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::apps;

namespace {

event make(std::string_view payload, std::string_view sink = {},
           uint32_t deliveries = 0) {
  return event::make({"orders", {1700000000000, 3}}, "placed", payload, "eu",
                     sink, {deliveries, 0, 0});
}

} // namespace

CAF_TEST(events of a sink tell sink and deliveries) {
  CAF_CHECK_EQUAL(
    json_line(make("{\"a\":1}", "billing", 2), {"", "node-1"}),
    R"({"stream":"orders","id":"1700000000000-3","name":"placed",)"
    R"("topic":"eu","payload":"{\"a\":1}","sink":"billing","deliveries":2,)"
    R"("node":"node-1"})"
    "\n");
}

CAF_TEST(events of a reader tell its name) {
  CAF_CHECK_EQUAL(
    json_line(make(""), {"audit", ""}),
    R"({"stream":"orders","id":"1700000000000-3","name":"placed",)"
    R"("topic":"eu","payload":"","reader":"audit"})"
    "\n");
}

CAF_TEST(a line has no newline but its last) {
  const auto line = json_line(make("two\nlines\r\n\x01"), {});
  CAF_CHECK_EQUAL(line.find('\n'), line.size() - 1);
  CAF_CHECK(line.find(R"("payload":"two\nlines\r\n\u0001")")
            != std::string::npos);
}

CAF_TEST(payloads that are no text become base64) {
  const auto line = json_line(make("\xFF\xFE"), {});
  CAF_CHECK(line.find(R"("payload_base64":"//4=")") != std::string::npos);
  CAF_CHECK(line.find(R"("payload":)") == std::string::npos);
}

CAF_TEST(base64 pads to multiples of four) {
  CAF_CHECK_EQUAL(base64(""), "");
  CAF_CHECK_EQUAL(base64("f"), "Zg==");
  CAF_CHECK_EQUAL(base64("fo"), "Zm8=");
  CAF_CHECK_EQUAL(base64("foo"), "Zm9v");
  CAF_CHECK_EQUAL(base64("foob"), "Zm9vYg==");
  CAF_CHECK_EQUAL(base64("fooba"), "Zm9vYmE=");
  CAF_CHECK_EQUAL(base64("foobar"), "Zm9vYmFy");
}

CAF_TEST(only well formed UTF 8 passes) {
  for (const auto* text : {"", "a", "\xC3\xA4", "\xE2\x82\xAC",
                           "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    CAF_CHECK(is_utf8(text));
  // Lone continuation, cut short, overlong, surrogate, beyond the last.
  for (const auto* text :
       {"\x80", "\xC3", "\xE2\x82", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xFF"})
    CAF_CHECK(!is_utf8(text));
}
