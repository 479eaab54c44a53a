#define CAF_SUITE chaos.clock

#include "pulse/testing/local_redis.hpp"

#include "chaos/runner/redis_admin.hpp"
#include "chaos/runner/shifted_clock.hpp"
#include <hiredis.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::chaos;

namespace {

struct directory {
  std::string path = "/tmp/pulse-clock-XXXXXX";

  directory() {
    CAF_REQUIRE(::mkdtemp(path.data()) != nullptr);
  }

  ~directory() {
    std::filesystem::remove_all(path);
  }
};

// Returns how many seconds the clock of the server is ahead of the true time.
int64_t ahead(const local_redis& server) {
  using namespace std::chrono;
  const auto reply = redis_admin{server.socket_path()}({"TIME"});
  CAF_REQUIRE(reply && reply->elements == 2);
  const auto now
    = duration_cast<seconds>(system_clock::now().time_since_epoch());
  return std::atoll(reply->element[0]->str) - now.count();
}

bool about(int64_t x, int64_t expected) {
  return x >= expected - 20 && x <= expected + 20;
}

} // namespace

CAF_TEST(the clock of Redis steps as it is told) {
  const directory files;
  shifted_clock clock{files.path};
  auto server = local_redis::start();
  shifted_clock::release();
  CAF_REQUIRE(server);
  CAF_CHECK(about(ahead(*server), 0));
  clock.set(3'600'500'000);
  CAF_CHECK(about(ahead(*server), 3'600));
  clock.set(-3'600'500'000);
  CAF_CHECK(about(ahead(*server), -3'600));
  clock.set(0);
  server->crash();
  clock.set(3'600'000'000);
  CAF_REQUIRE(server->restart());
  CAF_CHECK(about(ahead(*server), 3'600));
}
