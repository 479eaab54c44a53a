#define CAF_SUITE core.delivery.broadcast_copies

#include "pulse/core/delivery/broadcast_copies.hpp"

#include <initializer_list>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

using copy = broadcast_copies::copy;
using outcome = broadcast_copies::outcome;

broadcast_copies at(std::initializer_list<worker_id> workers) {
  broadcast_copies result;
  result.begin();
  for (auto w : workers)
    result.add(w);
  return result;
}

} // namespace

CAF_TEST(the last copy decides) {
  auto uut = at({1, 2, 3});
  CAF_CHECK(uut.finish(1, copy::succeeded) == outcome::open);
  CAF_CHECK(uut.finish(3, copy::succeeded) == outcome::open);
  CAF_CHECK(uut.finish(2, copy::succeeded) == outcome::succeeded);
}

CAF_TEST(only those who failed get it again) {
  auto uut = at({1, 2});
  CAF_CHECK(uut.finish(1, copy::failed) == outcome::open);
  CAF_CHECK(uut.finish(2, copy::succeeded) == outcome::retry);
  CAF_CHECK(uut.failed_at(1));
  CAF_CHECK(!uut.failed_at(2));
  CAF_CHECK(uut.any_succeeded());
  uut.begin();
  CAF_CHECK(!uut.any_failed());
  CAF_CHECK(uut.any_succeeded());
  uut.add(1);
  CAF_CHECK(uut.finish(1, copy::succeeded) == outcome::succeeded);
}

CAF_TEST(a worker that died is not waited for) {
  auto uut = at({1, 2});
  CAF_CHECK(uut.finish(1, copy::died) == outcome::open);
  CAF_CHECK(uut.finish(2, copy::succeeded) == outcome::succeeded);
}

CAF_TEST(if all died it is a crash) {
  auto uut = at({1, 2});
  CAF_CHECK(uut.finish(1, copy::died) == outcome::open);
  CAF_CHECK(uut.finish(2, copy::died) == outcome::crashed);
}

CAF_TEST(a success that comes after the failure still counts) {
  auto uut = at({1, 2});
  uut.finish(1, copy::failed);
  CAF_CHECK(uut.finish(1, copy::succeeded) == outcome::open);
  CAF_CHECK(!uut.any_failed());
  CAF_CHECK(uut.finish(2, copy::succeeded) == outcome::succeeded);
}

CAF_TEST(who has no copy changes nothing) {
  auto uut = at({1});
  CAF_CHECK(uut.finish(2, copy::failed) == outcome::open);
  CAF_CHECK(!uut.any_failed());
  CAF_CHECK(uut.finish(1, copy::succeeded) == outcome::succeeded);
  CAF_CHECK(uut.finish(1, copy::failed) == outcome::open);
}
