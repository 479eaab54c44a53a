#define CAF_SUITE resp.command

#include "pulse/resp/command.hpp"

#include <limits>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

template <class... Ts>
std::string command(const Ts&... xs) {
  std::string result;
  resp::write_command(result, xs...);
  return result;
}

} // namespace

CAF_TEST(a command is an array of bulk strings) {
  CAF_CHECK_EQUAL(command("XLEN", "a"), "*2\r\n$4\r\nXLEN\r\n$1\r\na\r\n");
}

CAF_TEST(any bytes pass and an empty text has length zero) {
  CAF_CHECK_EQUAL(command(std::string_view{"\r\n\0", 3}, ""),
                  (std::string{"*2\r\n$3\r\n\r\n\0\r\n$0\r\n\r\n", 19}));
}

CAF_TEST(numbers and IDs are texts) {
  CAF_CHECK_EQUAL(command(int64_t{-12}), "*1\r\n$3\r\n-12\r\n");
  CAF_CHECK_EQUAL(command(std::numeric_limits<int64_t>::min()),
                  "*1\r\n$20\r\n-9223372036854775808\r\n");
  CAF_CHECK_EQUAL(command(std::numeric_limits<uint64_t>::max()),
                  "*1\r\n$20\r\n18446744073709551615\r\n");
  CAF_CHECK_EQUAL(command(event_id{17, 3}), "*1\r\n$4\r\n17-3\r\n");
}

CAF_TEST(commands of a batch follow each other) {
  std::string batch;
  resp::write_command(batch, "PING");
  resp::command_writer{batch}.begin(2).arg("GET").arg("k");
  CAF_CHECK_EQUAL(batch, command("PING") + command("GET", "k"));
}
