#define CAF_SUITE core.delivery.claim_history

#include "pulse/core/delivery/claim_history.hpp"

#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

// "deliveries failures crashes", then what is suspected and what is proven.
std::string show(const claim_history& x) {
  return std::to_string(x.counts.deliveries) + " "
         + std::to_string(x.counts.failures) + " "
         + std::to_string(x.counts.crashes)
         + (x.crash_candidate ? " candidate" : "") + " "
         + std::to_string(x.proven_crashes);
}

} // namespace

CAF_TEST(a released event counts one more delivery and no crash) {
  CAF_CHECK_EQUAL(show(history_of_claim({{2, 1, 1}, false},
                                        claim_origin::released)),
                  "3 1 1 0");
}

CAF_TEST(a delayed event counts one more delivery and no crash) {
  CAF_CHECK_EQUAL(show(history_of_claim({{2, 1, 1}, false},
                                        claim_origin::delayed)),
                  "3 1 1 0");
}

CAF_TEST(the death of a node counts against what it held) {
  CAF_CHECK_EQUAL(show(history_of_claim({{1, 0, 0}, false},
                                        claim_origin::node_died)),
                  "2 0 1 candidate 0");
}

CAF_TEST(a mark has counted the crash already and proves it) {
  CAF_CHECK_EQUAL(show(history_of_claim({{4, 1, 2}, true},
                                        claim_origin::node_died)),
                  "5 1 2 candidate 2");
}

CAF_TEST(only proven crashes use up the limit of crashes) {
  CAF_CHECK_EQUAL(
    why_dead_letter({{5, 0, 3}, claim_origin::node_died, true, 2}, 3, 0), "");
  CAF_CHECK_EQUAL(why_dead_letter({{5, 0, 3}, claim_origin::node_died, true, 3},
                                  3, 0),
                  "workers or nodes died 3 times while they had the event; "
                  "the last time the whole node died");
  CAF_CHECK_EQUAL(
    why_dead_letter({{5, 0, 3}, claim_origin::node_died, true, 3}, 0, 0), "");
}

CAF_TEST(failures and proven crashes use up the deliveries) {
  CAF_CHECK_EQUAL(
    why_dead_letter({{99, 17, 9}, claim_origin::node_died, true, 2}, 3, 20),
    "");
  CAF_CHECK_EQUAL(
    why_dead_letter({{99, 18, 9}, claim_origin::node_died, true, 2}, 3, 20),
    "gave up after 18 failures and 2 crashes (max_deliveries is "
    "20); the last time the node died");
  CAF_CHECK_EQUAL(
    why_dead_letter({{99, 18, 9}, claim_origin::node_died, true, 2}, 3, 0), "");
}
