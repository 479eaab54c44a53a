#define CAF_SUITE core.errc

#include "pulse/core/errc.hpp"

#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

constexpr unsigned count = 0
#define PULSE_ERRC_COUNT(name, transient, advice) +1
  PULSE_ERRC_LIST(PULSE_ERRC_COUNT)
#undef PULSE_ERRC_COUNT
  ;

} // namespace

CAF_TEST(every code has a name of its own and an advice) {
  std::set<std::string> names;
  for (unsigned i = 0; i < count; ++i) {
    const auto code = static_cast<errc>(i);
    CAF_CHECK(names.insert(to_string(code)).second);
    CAF_CHECK(!advice(code).empty());
  }
  CAF_CHECK_EQUAL(names.count("unknown"), 0u);
}

CAF_TEST(the numbers on the wire never change) {
  CAF_CHECK_EQUAL(static_cast<int>(errc::none), 0);
  CAF_CHECK_EQUAL(static_cast<int>(errc::invalid_name), 1);
  CAF_CHECK_EQUAL(static_cast<int>(errc::payload_too_large), 6);
  CAF_CHECK_EQUAL(static_cast<int>(errc::connection_lost), 14);
  CAF_CHECK_EQUAL(static_cast<int>(errc::closed), 28);
  CAF_CHECK_EQUAL(static_cast<int>(errc::subscriber_overflow), 31);
  CAF_CHECK(count > 31);
}

CAF_TEST(a code of a newer version is unknown and lasting) {
  for (unsigned i = count; i <= 255; ++i) {
    CAF_CHECK_EQUAL(to_string(static_cast<errc>(i)), "unknown");
    CAF_CHECK(!is_transient(static_cast<errc>(i)));
    CAF_CHECK(!advice(static_cast<errc>(i)).empty());
  }
}

CAF_TEST(waiting helps against states of the server only) {
  for (auto x : {errc::connect_failed, errc::connection_lost, errc::timed_out,
                 errc::overloaded, errc::loading, errc::out_of_memory,
                 errc::read_only, errc::no_group, errc::unavailable})
    CAF_CHECK(is_transient(x));
  for (auto x : {errc::none, errc::invalid_name, errc::wrong_type,
                 errc::auth_failed, errc::permission_denied, errc::closed,
                 errc::redis_error, errc::internal, errc::no_such_stream})
    CAF_CHECK(!is_transient(x));
}
