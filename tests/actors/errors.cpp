#define CAF_SUITE actors.errors

#include "pulse/actors/errors.hpp"

#include "pulse/actors/type_ids.hpp"

#include <caf/exit_reason.hpp>
#include <caf/pec.hpp>
#include <caf/sec.hpp>

#include <caf/test/unit_test.hpp>

using namespace pulse;

CAF_TEST(a failure survives the way through a CAF error) {
  const failure before{errc::no_such_stream, "stream orders: no such stream"};
  const auto error = make_error(before);
  CAF_CHECK(error == errc::no_such_stream);
  CAF_CHECK(is_error_of<errc>(error));
  const auto after = to_failure(error);
  CAF_CHECK(after.code == before.code);
  CAF_CHECK_EQUAL(after.what, before.what);
  CAF_CHECK_EQUAL(describe(error),
                  "no_such_stream: stream orders: no such stream");
}

CAF_TEST(no failure is no error and back) {
  CAF_CHECK(!make_error({}));
  CAF_CHECK(to_failure(caf::none).code == errc::none);
}

CAF_TEST(an error without text gets the advice of its code) {
  const auto x = to_failure(caf::make_error(errc::overloaded));
  CAF_CHECK(x.code == errc::overloaded);
  CAF_CHECK_EQUAL(x.what, std::string{advice(errc::overloaded)});
}

CAF_TEST(errors of CAF become the code that fits best) {
  auto code = [](const caf::error& x) { return to_failure(x).code; };
  using caf::sec;
  CAF_CHECK(code(sec::request_timeout) == errc::timed_out);
  CAF_CHECK(code(sec::request_receiver_down) == errc::closed);
  CAF_CHECK(code(sec::cannot_connect_to_node) == errc::connect_failed);
  CAF_CHECK(code(sec::unexpected_message) == errc::internal);
  CAF_CHECK(code(caf::exit_reason::user_shutdown) == errc::closed);
  CAF_CHECK(code(caf::pec::unexpected_eof) == errc::internal);
}

CAF_TEST(the text says which error of CAF it was) {
  CAF_CHECK(describe(caf::sec::request_timeout).find("request_timeout")
            != std::string::npos);
  CAF_CHECK(describe(caf::exit_reason::kill).find("kill") != std::string::npos);
}
