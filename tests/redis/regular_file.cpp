#define CAF_SUITE redis.regular_file

#include "pulse/redis/regular_file.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::redis;

namespace {

struct fixture {
  fixture() {
    char name[] = "/tmp/pulse-redis-test-XXXXXX";
    directory = mkdtemp(name);
  }

  ~fixture() {
    std::filesystem::remove_all(directory);
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return directory + "/" + name;
  }

  std::string file(const std::string& content) const {
    std::ofstream{path("file"), std::ios::binary} << content;
    return path("file");
  }

  static std::string line_of(const std::string& where) {
    const auto line = first_line_of(where);
    return line ? "line " + *line : line.error().what;
  }

  std::string directory;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(regular_file_tests, fixture)

CAF_TEST(the first line is read without its end) {
  CAF_CHECK_EQUAL(line_of(file("a b \nc\n")), "line a b ");
  CAF_CHECK_EQUAL(line_of(file("abc")), "line abc");
  CAF_CHECK_EQUAL(line_of(file("\nabc")), "line ");
  CAF_CHECK_EQUAL(line_of(file("")), "line ");
  const std::string longer(10'000, 'x');
  CAF_CHECK_EQUAL(line_of(file(longer + "\ny")), "line " + longer);
  std::filesystem::create_symlink(path("file"), path("link"));
  CAF_CHECK_EQUAL(line_of(path("link")), "line " + longer);
}

CAF_TEST(a file without lines is not read to its end) {
  CAF_CHECK_EQUAL(line_of(file(std::string(1u << 20, 'x'))),
                  "its first line is too long");
}

// A call that blocks would not end, since nobody opens the other end.
CAF_TEST(a pipe is refused and does not block) {
  CAF_REQUIRE_EQUAL(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (auto& other : {path("pipe"), directory, std::string{"/dev/zero"}}) {
    const auto ok = require_regular_file(other);
    CAF_REQUIRE(!ok);
    CAF_CHECK_EQUAL(ok.error().what.find("it is no regular file"), 0u);
    CAF_CHECK_EQUAL(line_of(other).find("it is no regular file"), 0u);
  }
}

CAF_TEST(a file that is not there is refused with the reason) {
  const auto ok = require_regular_file(path("none"));
  CAF_REQUIRE(!ok);
  CAF_CHECK_EQUAL(ok.error().what, "No such file or directory");
  CAF_CHECK_EQUAL(line_of(path("none")), "No such file or directory");
  CAF_CHECK(require_regular_file(file("x")).ok());
}

CAF_TEST_FIXTURE_SCOPE_END()
