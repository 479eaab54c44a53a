#define CAF_SUITE core.reading.page_cache

#include "pulse/core/reading/page_cache.hpp"

#include "support/made_pages.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;

namespace {

page_cache::entry entry_of(stream_page page, uint64_t read = 1,
                           stream_state known = {}) {
  return {std::move(page), read, known};
}

void add(page_cache& uut, stream_page page) {
  uut.add(entry_of(std::move(page)));
  uut.shrink();
}

std::string find(const page_cache& uut, uint64_t after, uint32_t count = 100,
                 std::optional<stream_state> opened = {}, uint64_t asked = 1) {
  auto found = uut.find("a", {{after, 0}, count, opened, asked});
  return found ? text_of(*found) : "none";
}

// For a reader that takes no page of a read up to number `asked`.
std::string find_fresh(const page_cache& uut, uint64_t after, uint64_t asked) {
  auto found = uut.find("a", {{after, 0}, 100, {}, asked, true});
  return found ? text_of(*found) : "none";
}

// A stream of which the first `removed` of ten events were removed.
stream_state state_of(uint64_t removed) {
  return {10 - removed, 10, {removed + 1, 0}, {10, 0}};
}

} // namespace

CAF_TEST(a reader gets what follows its cursor) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 2, 3, 6)));
  CAF_CHECK_EQUAL(find(uut, 1), "none");
  CAF_CHECK_EQUAL(find(uut, 2), "a 3-6");
  CAF_CHECK_EQUAL(find(uut, 2, 2), "a 3-4");
  CAF_CHECK_EQUAL(find(uut, 5), "a 6-6");
  CAF_CHECK_EQUAL(find(uut, 6), "none");
  CAF_CHECK(!uut.find("b", {{2, 0}}));
}

CAF_TEST(only a page from its begin says something about the stream) {
  page_cache uut;
  auto page = made_page("a", 2, 3, 6);
  page.checked = true;
  uut.add(entry_of(page));
  CAF_CHECK(uut.find("a", {{2, 0}})->checked);
  CAF_CHECK(!uut.find("a", {{3, 0}, 9})->checked);
  CAF_CHECK(uut.find("a", {{3, 0}, 9})->after == (event_id{3, 0}));
}

CAF_TEST(a page tells a reader that begins nothing from before) {
  page_cache uut;
  auto page = made_page("a", 0, 1, 9);
  page.checked = true;
  uut.add(entry_of(page, 5, state_of(0)));
  CAF_CHECK_EQUAL(find(uut, 0, 100, state_of(0), 7), "a 1-9");
  CAF_CHECK_EQUAL(find(uut, 0, 100, state_of(0), 4), "a checked 1-9");
  CAF_CHECK_EQUAL(find(uut, 0, 100, {}, 7), "a checked 1-9");
}

CAF_TEST(a page that another one covers is not kept) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 0, 1, 9)));
  uut.add(entry_of(made_page("a", 5, 6, 9)));
  CAF_CHECK_EQUAL(find(uut, 0), "a 1-9");
  uut.add(entry_of(made_page("a", 5, 6, 9), 2, state_of(3)));
  CAF_CHECK_EQUAL(find(uut, 0), "none");
  CAF_CHECK_EQUAL(find(uut, 7), "a 8-9");
}

CAF_TEST(a page that begins later does not hide one that ends later) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 1'000, 1'001, 1'001), 1));
  uut.add(entry_of(made_page("a", 1'001, 1'002, 1'002), 5));
  uut.add(entry_of(made_page("a", 900, 901, 1'002), 4));
  CAF_CHECK_EQUAL(find(uut, 900), "a 901-1000");
  uut.add(entry_of(made_page("a", 8, 9, 9), 7));
  uut.add(entry_of(made_page("a", 5, 6, 10), 6));
  CAF_CHECK_EQUAL(find(uut, 5), "a 6-10");
  CAF_CHECK_EQUAL(find(uut, 8), "a 9-9");
  CAF_CHECK_EQUAL(find(uut, 4), "none");
  CAF_CHECK_EQUAL(find(uut, 10), "none");
}

CAF_TEST(a page that is too old does not hide a newer one) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 0, 1, 9), 5, state_of(0)));
  uut.add(entry_of(made_page("a", 3, 4, 12), 8, state_of(3)));
  CAF_CHECK_EQUAL(find_fresh(uut, 5, 7), "a 6-12");
  CAF_CHECK_EQUAL(find_fresh(uut, 5, 8), "none");
  CAF_CHECK_EQUAL(find(uut, 3, 100, state_of(3), 9), "a 4-12");
  CAF_CHECK_EQUAL(find(uut, 3), "a 4-9");
}

CAF_TEST(a page of a newer read takes the place of an older one) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 0, 1, 10), 1));
  uut.add(entry_of(made_page("a", 5, 6, 10), 3));
  CAF_CHECK_EQUAL(find_fresh(uut, 5, 2), "a 6-10");
  uut.add(entry_of(made_page("a", 6, 7, 10), 2));
  CAF_CHECK_EQUAL(find_fresh(uut, 5, 2), "a 6-10");
}

CAF_TEST(the pages that a newer one covers are removed) {
  page_cache uut;
  for (uint64_t i = 1'000; i < 1'010; ++i)
    uut.add(entry_of(made_page("a", i, i + 1, i + 1), i));
  const auto small = uut.bytes() / 10;
  uut.add(entry_of(made_page("a", 1'002, 1'003, 1'009), 2'000));
  CAF_CHECK_EQUAL(uut.bytes(), 10 * small);
  CAF_CHECK_EQUAL(find(uut, 1'004), "a 1005-1009");
  CAF_CHECK_EQUAL(find(uut, 1'009), "a 1010-1010");
  CAF_CHECK_EQUAL(find(uut, 1'000), "a 1001-1001");
}

CAF_TEST(a reader that begins gets nothing that had been removed) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 0, 1, 9), 5, state_of(0)));
  CAF_CHECK_EQUAL(find(uut, 0, 100, state_of(0), 7), "a 1-9");
  CAF_CHECK_EQUAL(find(uut, 0, 100, state_of(2), 7), "none");
  CAF_CHECK_EQUAL(find(uut, 0, 100, state_of(2), 4), "a 1-9");
  CAF_CHECK_EQUAL(find(uut, 0, 100, stream_state{}, 7), "none");
}

CAF_TEST(pages are removed and forgotten) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 0, 1, 3)));
  uut.add(entry_of(made_page("a", 3, 4, 6)));
  uut.remove("a", {3, 0});
  uut.remove("a", {5, 0});
  uut.remove("b", {6, 0});
  CAF_CHECK_EQUAL(find(uut, 0), "none");
  CAF_CHECK_EQUAL(find(uut, 3), "a 4-6");
  CAF_CHECK_GREATER(uut.bytes(), 0u);
  uut.forget("a");
  uut.forget("b");
  CAF_CHECK_EQUAL(find(uut, 3), "none");
  CAF_CHECK_EQUAL(uut.bytes(), 0u);
}

CAF_TEST(a page counts as large as the block that it keeps) {
  page_cache uut;
  uut.add(entry_of(made_page("a", 0, 1, 9)));
  const auto whole = uut.bytes();
  auto part = made_page("b", 0, 1, 9);
  part.end = 1;
  uut.add(entry_of(part));
  CAF_CHECK_EQUAL(uut.bytes(), 2 * whole);
}

CAF_TEST(the number of events is bounded and the oldest pages go first) {
  page_cache uut{{1u << 20, 10}};
  for (uint64_t i = 0; i < 100; i += 5)
    add(uut, made_page("a", i, i + 1, i + 5));
  CAF_CHECK_EQUAL(find(uut, 80), "none");
  CAF_CHECK_EQUAL(find(uut, 90), "a 91-95");
  CAF_CHECK_EQUAL(find(uut, 95), "a 96-100");
}

CAF_TEST(the size is bounded except for the last page) {
  page_cache uut{{1'000, 1'000}};
  add(uut, made_page("a", 0, 1, 9));
  add(uut, made_page("b", 0, 1, 90));
  CAF_CHECK_EQUAL(find(uut, 0), "none");
  CAF_CHECK(uut.find("b", {{0, 0}}));
  const auto large = uut.bytes();
  CAF_CHECK_GREATER(large, 1'000u);
  add(uut, made_page("a", 0, 1, 3));
  CAF_CHECK(!uut.find("b", {{0, 0}}));
  CAF_CHECK_LESS(uut.bytes(), 1'000u);
}
