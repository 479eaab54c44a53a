#define CAF_SUITE resp.decoder

#include "pulse/resp/decoder.hpp"

#include <random>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::resp;
using namespace std::string_literals;

namespace {

// One line per node: makes replies comparable and failures readable.
std::string print(const reply& x) {
  std::string result;
  for (auto& n : x.nodes) {
    switch (n.type) {
      case node_type::nil:
        result += "nil\n";
        break;
      case node_type::integer:
        result += "int " + std::to_string(n.value) + "\n";
        break;
      case node_type::array:
        result += "array " + std::to_string(n.size) + "\n";
        break;
      case node_type::string:
        result.append("string ").append(x.text(n)) += "\n";
        break;
      case node_type::status:
        result.append("status ").append(x.text(n)) += "\n";
        break;
      case node_type::error:
        result.append("error ").append(x.text(n)) += "\n";
        break;
    }
  }
  return result;
}

// Decodes all whole replies of `bytes`, handed over in pieces of `step` bytes.
outcome<reply> decode(const std::string& bytes, size_t step = SIZE_MAX,
                      const decoder_limits& limits = {}) {
  decoder uut{limits};
  reply result;
  size_t whole = 0;
  for (std::string_view rest{bytes}; !rest.empty();) {
    auto piece = rest.substr(0, step);
    rest.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto x = uut.next(piece, result);
      if (!x)
        return x.error();
      if (*x)
        whole = result.nodes.size();
    }
  }
  // The text of the last node of another reply may be incomplete.
  result.nodes.resize(whole);
  return result;
}

std::string text_of(const std::string& bytes) {
  auto x = decode(bytes);
  return x ? print(*x) : "failure " + x.error().what;
}

// Input that is refused must be refused in pieces of any size.
std::string refusal(const std::string& bytes, const decoder_limits& limits = {},
                    errc code = errc::protocol_error) {
  auto whole = decode(bytes, SIZE_MAX, limits);
  CAF_REQUIRE(!whole.ok());
  CAF_CHECK(whole.error().code == code);
  auto in_pieces = decode(bytes, 7, limits);
  CAF_REQUIRE(!in_pieces.ok());
  CAF_CHECK(in_pieces.error().code == code);
  return whole.error().what;
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << part << "\" is not in: " << text);
  return false;
}

const std::string samples[] = {
  "+OK\r\n",
  "+\r\n",
  "-ERR no such key\r\n",
  ":0\r\n",
  ":-9223372036854775808\r\n",
  ":9223372036854775807\r\n",
  "$5\r\nhello\r\n",
  "$0\r\n\r\n",
  "$-1\r\n",
  "*-1\r\n",
  "*0\r\n",
  "$8\r\n\r\n\0$1\r\n\r\r\n"s,
  "*3\r\n:1\r\n$1\r\na\r\n*2\r\n$-1\r\n-ERR x\r\n",
  "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nn\r\n$1\r\nv\r\n"
  "*2\r\n$3\r\n2-0\r\n*-1\r\n",
  "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n",
};

} // namespace

CAF_TEST(every type of reply is decoded) {
  CAF_CHECK_EQUAL(text_of("+OK\r\n"), "status OK\n");
  CAF_CHECK_EQUAL(text_of("+\r\n"), "status \n");
  CAF_CHECK_EQUAL(text_of("+a\rb\r\n"), "status a\rb\n");
  CAF_CHECK_EQUAL(text_of("-NOGROUP gone\r\n"), "error NOGROUP gone\n");
  CAF_CHECK_EQUAL(text_of(":-12\r\n"), "int -12\n");
  CAF_CHECK_EQUAL(text_of(":9223372036854775807\r\n"),
                  "int 9223372036854775807\n");
  CAF_CHECK_EQUAL(text_of("$5\r\nhello\r\n"), "string hello\n");
  CAF_CHECK_EQUAL(text_of("$0\r\n\r\n"), "string \n");
  CAF_CHECK_EQUAL(text_of("$-1\r\n"), "nil\n");
  CAF_CHECK_EQUAL(text_of("*-1\r\n"), "nil\n");
  CAF_CHECK_EQUAL(text_of("*0\r\n"), "array 0\n");
  CAF_CHECK_EQUAL(text_of("*2\r\n*1\r\n:1\r\n$1\r\nx\r\n"),
                  "array 2\narray 1\nint 1\nstring x\n");
}

CAF_TEST(strings may hold any bytes) {
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  const auto bytes = all + "\r\n" + all;
  auto x = decode("$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n");
  CAF_REQUIRE(x.ok());
  CAF_CHECK(x->text(x->nodes[0]) == bytes);
}

CAF_TEST(a reply cut at any byte is the same as a whole one) {
  for (auto& sample : samples) {
    const auto expected = text_of(sample);
    for (size_t cut = 1; cut < sample.size(); ++cut) {
      decoder uut;
      reply out;
      std::string_view head{sample.data(), cut};
      std::string_view rest{sample.data() + cut, sample.size() - cut};
      CAF_CHECK(!uut.has_part());
      auto early = uut.next(head, out);
      CAF_REQUIRE(early.ok());
      CAF_CHECK(!*early && head.empty() && uut.has_part());
      CAF_CHECK_EQUAL(out.count, 0u);
      auto late = uut.next(rest, out);
      CAF_REQUIRE(late.ok() && *late);
      CAF_CHECK(rest.empty() && !uut.has_part());
      CAF_CHECK_EQUAL(print(out), expected);
      CAF_CHECK_EQUAL(out.count, 1u);
    }
  }
}

CAF_TEST(byte by byte gives the same as all at once) {
  std::string bytes;
  std::string expected;
  uint32_t count = 0;
  for (auto& sample : samples) {
    bytes += sample;
    expected += text_of(sample);
    ++count;
  }
  for (size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{1000}}) {
    auto x = decode(bytes, step);
    CAF_REQUIRE(x.ok());
    CAF_CHECK_EQUAL(print(*x), expected);
    CAF_CHECK_EQUAL(x->count, count);
  }
}

CAF_TEST(many pipelined replies come out in order) {
  std::string bytes;
  for (int i = 0; i < 10'000; ++i)
    bytes += i % 2 == 0 ? ":" + std::to_string(i) + "\r\n"
                        : "$4\r\n" + std::to_string(1000 + i % 1000) + "\r\n";
  decoder uut;
  std::string_view rest{bytes};
  for (int i = 0; i < 10'000; ++i) {
    reply one;
    auto x = uut.next(rest, one);
    CAF_REQUIRE(x.ok() && *x);
    CAF_REQUIRE_EQUAL(one.nodes.size(), 1u);
    auto& node = one.nodes[0];
    if (i % 2 == 0)
      CAF_REQUIRE_EQUAL(node.value, i);
    else
      CAF_REQUIRE(one.text(node) == std::to_string(1000 + i % 1000));
  }
  reply none;
  CAF_CHECK(rest.empty());
  CAF_CHECK(!*uut.next(rest, none));
}

CAF_TEST(a large string in small pieces arrives whole) {
  std::string text(5u << 20, 'x');
  std::minstd_rand random{7};
  for (auto& c : text)
    c = static_cast<char>(random());
  auto x = decode("$" + std::to_string(text.size()) + "\r\n" + text + "\r\n",
                  64u << 10);
  CAF_REQUIRE(x.ok());
  CAF_CHECK(x->bytes == text);
}

CAF_TEST(a peer that is no Redis is named by what it sent) {
  CAF_CHECK_EQUAL(
    refusal("HTTP/1.1 400 Bad Request\r\n\r\n"),
    R"(the peer is no Redis server: check host and port; it sent )"
    R"("HTTP/1.1 400 Bad Request\r\n\r\n")");
  CAF_CHECK_EQUAL(refusal("\x15\x03\x01\x00\x02\x02\x28"s),
                  R"(the peer speaks TLS: use rediss:// in the URL; it sent )"
                  R"("\x15\x03\x01\x00\x02\x02(")");
  CAF_CHECK_EQUAL(
    refusal("\0\0\"\\"s),
    R"(the peer is no Redis server: check host and port; it sent )"
    R"("\x00\x00\"\\")");
  CAF_CHECK(contains(refusal(std::string(200, 'A')), std::string(48, 'A') //
                                                       + "\"..."));
}

CAF_TEST(types of RESP3 are refused) {
  for (auto* bytes : {"_\r\n", "%1\r\n+a\r\n+b\r\n", ",1.5\r\n", "#t\r\n",
                      ">1\r\n+x\r\n", "~1\r\n+x\r\n"})
    CAF_CHECK(contains(refusal(bytes), "is no Redis server"));
}

CAF_TEST(a wrong end of a bulk string is refused) {
  for (auto* bytes :
       {"$3\r\nabcXY+OK\r\n", "$3\r\nabc\rX", "*2\r\n:1\r\n$1\r\nabc\r\n"})
    CAF_CHECK(contains(refusal(bytes), "a bulk string does not end with"));
}

CAF_TEST(impossible lengths and numbers are refused) {
  for (auto* bytes :
       {"*-2\r\n", "$-2\r\n", "$-5\r\n", "$\r\n", "*\r\n", ":\r\n", ":abc\r\n",
        ":99999999999999999999\r\n", "$99999999999999999999\r\n", "*x\r\n",
        "*2147483648\r\n", "*4611686018427387904\r\n", "$1x\r\n", "*1 \r\n",
        "$00000000000000000000000000000000000001\r\n"})
    CAF_CHECK(!refusal(bytes).empty());
}

CAF_TEST(deep nesting is refused) {
  std::string deep;
  for (int i = 0; i < 9; ++i)
    deep += "*1\r\n";
  CAF_CHECK(contains(refusal(deep + ":1\r\n"), "depth"));
  CAF_CHECK(decode(deep.substr(4) + ":1\r\n").ok());
}

CAF_TEST(announcements alone are refused or cost nothing) {
  CAF_CHECK(contains(refusal("*2147483647\r\n"), "max_elements"));
  CAF_CHECK(contains(refusal("*100000000\r\n"), "max_elements"));
  CAF_CHECK(contains(refusal("$536870913\r\n"), "max_bulk_bytes"));
  CAF_CHECK(contains(refusal("$9223372036854775807\r\n"), "max_bulk_bytes"));
  std::string nested;
  for (int i = 0; i < 7; ++i)
    nested += "*1048576\r\n";
  CAF_CHECK(decode(nested).ok());
  CAF_CHECK(decode("$536870912\r\n").ok());
}

CAF_TEST(each limit is exact) {
  decoder_limits limits;
  limits.max_elements = 3;
  CAF_CHECK(decode("*3\r\n:1\r\n:2\r\n:3\r\n", 1, limits).ok());
  CAF_CHECK(contains(refusal("*4\r\n", limits), "max_elements = 3"));
  limits = {};
  limits.max_nodes = 3;
  CAF_CHECK(decode("*2\r\n:1\r\n$-1\r\n*2\r\n:1\r\n:1\r\n", 1, limits).ok());
  CAF_CHECK(contains(refusal("*3\r\n:1\r\n:2\r\n:3\r\n", limits), //
                     "max_nodes = 3"));
  limits = {};
  limits.max_bulk_bytes = 4;
  CAF_CHECK(decode("$4\r\nabcd\r\n", 1, limits).ok());
  CAF_CHECK(contains(refusal("$5\r\n", limits), "max_bulk_bytes = 4"));
  CAF_CHECK(contains(refusal("$5\r\nabcde\r\n", limits), "max_bulk_bytes = 4"));
  limits = {};
  limits.max_reply_bytes = 8;
  CAF_CHECK(
    decode("*2\r\n+abcd\r\n$4\r\nefgh\r\n$8\r\n12345678\r\n", 1, limits).ok());
  CAF_CHECK(contains(refusal("*2\r\n+abcd\r\n$5\r\n", limits, //
                             errc::payload_too_large),
                     "max_reply_bytes = 8"));
  CAF_CHECK(contains(refusal("*2\r\n+abcd\r\n-efghi\r\n", limits,
                             errc::payload_too_large),
                     "max_reply_bytes = 8"));
  limits = {};
  limits.max_line_bytes = 10;
  CAF_CHECK(decode("+abcdefghij\r\n-abcdefghij\r\n", SIZE_MAX, limits).ok());
  CAF_CHECK(contains(refusal("+abcdefghijk\r\n", limits), "max_line_bytes"));
  CAF_CHECK(contains(refusal("-abcdefghijk\r\n", limits), "max_line_bytes"));
}

// The texts get into logs, where payloads do not belong.
CAF_TEST(no text quotes what may be a payload) {
  const std::string good = "$6\r\nsecret\r\n";
  for (auto* bad : {"secret", "\x16secret", "$3\r\nsecret",
                    "*1\r\n$6\r\nsecretXY", "$x secret\r\n", ":secret\r\n"}) {
    CAF_MESSAGE(bad);
    CAF_CHECK_EQUAL(refusal(good + bad).find("secret"), std::string::npos);
  }
  decoder_limits limits;
  limits.max_reply_bytes = 8;
  const auto text = refusal("*2\r\n$6\r\nsecret\r\n$6\r\nsecret\r\n", limits,
                            errc::payload_too_large);
  CAF_CHECK_EQUAL(text, "a reply with a size of 12 exceeds the limit "
                        "max_reply_bytes = 8; raise this option of the "
                        "connection, or ask for less at once");
}

CAF_TEST(lines without end are refused early) {
  for (auto* start : {"+", "-", ":", "*"}) {
    auto x = decode(start + std::string(1u << 20, '1'), 16u << 10);
    CAF_REQUIRE(!x.ok());
    CAF_CHECK(contains(x.error().what, "max_line_bytes = 65536"));
  }
  auto x = decode("$" + std::string(100, '1'), 16u << 10);
  CAF_REQUIRE(!x.ok());
  CAF_CHECK(contains(x.error().what, "length of a bulk string"));
}

CAF_TEST(good replies before a bad one are delivered) {
  decoder uut;
  std::string_view bytes = "+OK\r\n:1\r\n*3\r\n$2\r\nab\r\n$1\r\nc?";
  reply out;
  CAF_CHECK(*uut.next(bytes, out));
  CAF_CHECK(*uut.next(bytes, out));
  auto x = uut.next(bytes, out);
  CAF_REQUIRE(!x.ok());
  CAF_CHECK_EQUAL(print(out), "status OK\nint 1\n");
  CAF_CHECK_EQUAL(out.bytes, "OK");
  CAF_CHECK_EQUAL(out.count, 2u);
}

CAF_TEST(a large reply keeps no large reserve) {
  const std::string text(3u << 20, 'x');
  auto x = decode("*2\r\n$" + std::to_string(text.size()) + "\r\n" + text
                    + "\r\n$1\r\ny\r\n",
                  64u << 10);
  CAF_REQUIRE(x.ok());
  CAF_CHECK_EQUAL(x->bytes.size(), text.size() + 1);
  CAF_CHECK(x->bytes.capacity() <= x->bytes.size() + (1u << 20));
}

CAF_TEST(after an error a decoder repeats it) {
  decoder uut;
  reply out;
  std::string_view bad = "?";
  const auto first = uut.next(bad, out).error().what;
  std::string_view good = "+OK\r\n";
  const auto second = uut.next(good, out).error().what;
  CAF_CHECK_EQUAL(second, first);
  CAF_CHECK(out.nodes.empty());
}

CAF_TEST(random damage never crashes) {
  std::string good;
  for (auto& sample : samples)
    good += sample;
  for (uint32_t seed = 1; seed <= 2'000; ++seed) {
    std::minstd_rand random{seed};
    auto bytes = good;
    for (int i = 0; i < 3; ++i)
      bytes[random() % bytes.size()] = "+-:$*019\r\n\0x"[random() % 12];
    decoder_limits small;
    small.max_elements = 100;
    small.max_bulk_bytes = 1'000;
    auto whole = decode(bytes, SIZE_MAX, small);
    auto pieces = decode(bytes, 1 + random() % 9, small);
    if (whole.ok() != pieces.ok())
      CAF_FAIL("pieces differ from the whole, seed " << seed);
    if (!whole.ok())
      continue;
    const auto expected = print(*whole);
    const auto result = print(*pieces);
    CAF_REQUIRE_EQUAL(result, expected);
  }
}
