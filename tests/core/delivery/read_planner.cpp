#define CAF_SUITE core.delivery.read_planner

#include "pulse/core/delivery/read_planner.hpp"

#include <map>
#include <set>
#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

constexpr milliseconds block{5'000};

struct fixture {
  read_planner uut{block};
  std::vector<uint32_t> open;
  size_t wanted = 16;
  size_t room = 1'000;
  uint32_t page = 1'000;
  // How many events each stream has.
  std::map<uint32_t, size_t> backlog;

  // Opens the streams 0 to n - 1.
  void open_streams(uint32_t n) {
    open.clear();
    for (uint32_t i = 0; i < n; ++i)
      open.push_back(i);
  }

  // Executes the next read. Returns how many events it brought.
  size_t read(read_planner::read& what) {
    what = uut.next(open, wanted, room, page);
    size_t result = 0;
    for (auto i : what.streams) {
      const auto n = std::min<size_t>(backlog[i], what.count);
      backlog[i] -= n;
      result += n;
      if (n > 0)
        uut.returned(i, n);
    }
    return result;
  }

  // "0 1 x16 blocks": the streams, the count, and whether the read blocks.
  std::string next() {
    read_planner::read what;
    read(what);
    std::string result;
    for (auto i : what.streams)
      result += std::to_string(i) + " ";
    return result + "x" + std::to_string(what.count)
           + (what.block ? " blocks" : "");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(read_planner_tests, fixture)

CAF_TEST(one stream is asked for what is wanted) {
  open_streams(1);
  backlog[0] = 100;
  CAF_CHECK_EQUAL(next(), "0 x16 blocks");
  CAF_CHECK_EQUAL(next(), "0 x16 blocks");
  wanted = 5;
  CAF_CHECK_EQUAL(next(), "0 x5 blocks");
  page = 3;
  CAF_CHECK_EQUAL(next(), "0 x3 blocks");
}

CAF_TEST(a stream with a backlog is asked alone) {
  open_streams(3);
  backlog[1] = 500;
  CAF_CHECK_EQUAL(next(), "0 1 2 x16 blocks");
  for (int i = 0; i < 4; ++i)
    CAF_CHECK_EQUAL(next(), "1 x16");
  CAF_CHECK_EQUAL(next(), "0 1 2 x16"); // the others are not forgotten
  CAF_CHECK_EQUAL(next(), "1 x16");
}

CAF_TEST(without a backlog all streams are asked) {
  open_streams(3);
  backlog[1] = 20;
  CAF_CHECK_EQUAL(next(), "0 1 2 x16 blocks");
  CAF_CHECK_EQUAL(next(), "1 x16"); // brings 4
  CAF_CHECK_EQUAL(next(), "0 1 2 x16 blocks");
}

CAF_TEST(streams with a backlog share what is wanted) {
  open_streams(10);
  for (uint32_t i = 0; i < 4; ++i)
    backlog[i] = 1'000;
  CAF_CHECK_EQUAL(next(), "0 1 2 3 4 5 6 7 8 9 x16 blocks");
  CAF_CHECK_EQUAL(next(), "0 1 2 3 x4");
  wanted = 2; // then they take turns
  CAF_CHECK_EQUAL(next(), "0 1 x1");
  CAF_CHECK_EQUAL(next(), "2 3 x1");
  CAF_CHECK_EQUAL(next(), "0 1 x1");
}

CAF_TEST(a read never brings more than there is room for) {
  for (uint32_t streams : {1u, 3u, 50u, 2'000u})
    for (size_t most : {1u, 7u, 100u, 1'000u}) {
      uut = read_planner{block};
      open_streams(streams);
      for (auto i : open)
        backlog[i] = 10'000;
      room = most;
      wanted = std::min<size_t>(most, 16);
      std::set<uint32_t> asked;
      for (size_t i = 0; i < 10 * (1 + streams / most); ++i) {
        read_planner::read what;
        CAF_CHECK(read(what) <= room);
        asked.insert(what.streams.begin(), what.streams.end());
      }
      CAF_CHECK_EQUAL(asked.size(), streams);
    }
}

CAF_TEST(more streams than room are asked in parts) {
  open_streams(5);
  room = 2;
  wanted = 2;
  CAF_CHECK_EQUAL(next(), "0 1 x1");
  CAF_CHECK_EQUAL(next(), "2 3 x1");
  backlog[4] = 2;
  CAF_CHECK_EQUAL(next(), "4 0 x1");
  CAF_CHECK_EQUAL(next(), "4 x2"); // brings 1
  CAF_CHECK_EQUAL(next(), "1 2 x1");
  CAF_CHECK_EQUAL(next(), "3 4 x1");
  CAF_CHECK_EQUAL(next(), "0 1 x1");
}

CAF_TEST(large events of many streams are read in parts) {
  open_streams(40);
  for (auto i : open)
    backlog[i] = 1'000;
  page = 4;
  std::set<uint32_t> asked;
  for (int i = 0; i < 200; ++i) {
    read_planner::read what;
    CAF_CHECK(read(what) <= page);
    asked.insert(what.streams.begin(), what.streams.end());
  }
  CAF_CHECK_EQUAL(asked.size(), 40u);
}

CAF_TEST(many silent streams are soon asked together) {
  open_streams(40);
  page = 1;
  CAF_CHECK_EQUAL(next(), "0 x1");
  CAF_CHECK_EQUAL(next(), "1 2 3 4 5 6 7 8 x1");
  read_planner::read what;
  read(what);
  read(what);
  CAF_CHECK_EQUAL(what.streams.size(), 40u);
  CAF_CHECK(what.block.has_value());
}

CAF_TEST(there is a pause after a part with few events) {
  open_streams(100'000);
  backlog[0] = 1;
  backlog[1'500] = 1;
  backlog[2'000] = 7;
  wanted = room; // asks for one event of each stream
  auto pause_after = [this] {
    read_planner::read what;
    read(what);
    return uut.pause().count();
  };
  CAF_CHECK(pause_after() == 0); // stream 0 may have more events
  backlog[0] = 0;
  CAF_CHECK_EQUAL(next(), "0 x1000"); // it has not
  CAF_CHECK(uut.pause().count() == 0);
  room = 500;
  CAF_CHECK(pause_after() == 500 * 20);
  CAF_CHECK(pause_after() == 0);
}

CAF_TEST(there is no pause if all streams are asked) {
  open_streams(1'000);
  read_planner::read what;
  read(what);
  CAF_CHECK(what.block && uut.pause().count() == 0);
}

CAF_TEST(a closed stream is not asked) {
  open_streams(3);
  backlog[1] = 1'000;
  next();
  CAF_CHECK_EQUAL(next(), "1 x16");
  open = {0, 2};
  CAF_CHECK_EQUAL(next(), "0 2 x16 blocks");
}

CAF_TEST_FIXTURE_SCOPE_END()
