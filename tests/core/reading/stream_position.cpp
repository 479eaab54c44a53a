#define CAF_SUITE core.reading.stream_position

#include "pulse/core/reading/stream_position.hpp"

#include <deque>
#include <random>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

using kind = stream_position::finding::type;

// A simulated stream, and a reader of it.
struct model {
  std::deque<event_id> entries;
  uint64_t added = 0;
  event_id last;

  void add(uint64_t ms) {
    last = {ms, 0};
    entries.push_back(last);
    ++added;
  }

  void add_range(uint64_t from, uint64_t to) {
    for (; from <= to; ++from)
      add(from);
  }

  void trim(size_t keep) {
    while (entries.size() > keep)
      entries.pop_front();
  }

  [[nodiscard]] stream_state state() const {
    return {entries.size(), added,
            entries.empty() ? event_id::min() : entries.front(), last};
  }
};

struct reader {
  model& from;
  event_id cursor;
  stream_position position;
  std::vector<stream_position::finding> found;

  reader(model& stream, start_position start) : from(stream) {
    cursor = start.kind == start_kind::newest   ? stream.last
             : start.kind == start_kind::oldest ? event_id::min()
                                                : start.id;
    position = {start, cursor, stream.state()};
  }

  void note(const stream_position::result& x) {
    if (!x)
      return;
    found.push_back(*x);
    if (x->kind == kind::reset)
      cursor = x->after;
  }

  std::vector<event_id> read(size_t count = 1'000) {
    std::vector<event_id> result;
    for (auto id : from.entries)
      if (id > cursor && result.size() < count)
        result.push_back(id);
    for (auto id : result) {
      cursor = id;
      note(position.took(id));
    }
    if (result.empty())
      note(position.drained(cursor));
    return result;
  }

  void check() {
    note(position.check(cursor, from.state()));
  }

  // "gap 5-0 8-0 2", "gap 5-0 8-0 <=2", "reset 0-0": what was found since the
  // last call.
  std::string news() {
    std::string result;
    for (auto& x : std::exchange(found, {})) {
      result += result.empty() ? "" : ", ";
      if (x.kind == kind::reset)
        result += "reset " + to_string(x.after);
      else
        result += "gap " + to_string(x.after) + " "
                  + to_string(x.first_available) + (x.exact ? " " : " <=")
                  + std::to_string(x.lost);
    }
    return result;
  }
};

} // namespace

// -- gaps ---------------------------------------------------------------------

CAF_TEST(nothing is missing while the reader is quick enough) {
  model stream;
  stream.add_range(1, 10);
  stream.trim(5);
  for (auto start : {start_position::newest(), start_position::oldest()}) {
    reader uut{stream, start};
    for (uint64_t i = stream.last.ms; i < 200; i += 10) {
      stream.add_range(i + 1, i + 10);
      uut.check();
      uut.read();
      stream.trim(5);
      uut.check();
      uut.read();
    }
    CAF_CHECK_EQUAL(uut.news(), "");
    CAF_CHECK(!uut.position.uncertain());
  }
}

CAF_TEST(what was trimmed ahead of the reader is named exactly) {
  model stream;
  reader uut{stream, start_position::newest()};
  stream.add_range(1, 5);
  uut.read();
  stream.add_range(6, 20);
  stream.trim(10);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "gap 5-0 11-0 5");
  uut.check();
  uut.read();
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(a gap that no check saw is found when the reader is at the end) {
  model stream;
  reader uut{stream, start_position::oldest()};
  stream.add_range(1, 5);
  uut.check();
  uut.read();
  stream.add_range(6, 20);
  stream.trim(10);
  uut.read();
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "gap 0-0 20-0 5");
}

CAF_TEST(a gap is found even if the reader never comes to rest) {
  model stream;
  reader uut{stream, start_position::newest()};
  stream.add_range(1, 100);
  uut.read(10);
  stream.trim(80);
  uut.read(10);
  stream.add_range(101, 200);
  uut.check(); // 30-0, of 200-0
  uut.read(100);
  stream.add_range(201, 300);
  uut.check();
  uut.read(100);
  CAF_CHECK_EQUAL(uut.news(), "gap 0-0 200-0 10");
}

CAF_TEST(an empty stream was trimmed as well) {
  model stream;
  stream.add_range(1, 3);
  reader uut{stream, start_position::newest()};
  stream.add_range(4, 9);
  stream.trim(0);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "gap 3-0 0-0 6");
  uut.check();
  uut.read();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(a removed end is found when nothing comes) {
  model stream;
  stream.add_range(1, 5);
  reader uut{stream, start_position::oldest()};
  uut.read(3);
  stream.entries.pop_back();
  uut.check();
  uut.read();
  CAF_CHECK_EQUAL(uut.news(), "");
  uut.read();
  CAF_CHECK_EQUAL(uut.news(), "gap 0-0 4-0 1");
}

CAF_TEST(a start in the middle bounds what is missing) {
  model stream;
  stream.add_range(1, 20);
  stream.trim(10);
  reader uut{stream, start_position::after({5, 0})};
  CAF_CHECK(uut.position.uncertain());
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "gap 5-0 11-0 <=10");
  CAF_CHECK(!uut.position.uncertain());
  reader inside{stream, start_position::after({15, 0})};
  inside.check();
  inside.read();
  inside.check();
  CAF_CHECK_EQUAL(inside.news(), "");
  CAF_CHECK(!inside.position.uncertain());
}

CAF_TEST(what overtakes a reader that counts nothing yet is bounded) {
  model stream;
  stream.add_range(1, 100);
  reader uut{stream, start_position::after({10, 0})};
  uut.check();
  uut.read(10); // up to 20
  stream.trim(50);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "gap 10-0 51-0 <=50");
  uut.read();
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(a start in the future is no loss and no reset) {
  model stream;
  stream.add_range(1, 3);
  reader uut{stream, start_position::after({10, 0})};
  uut.check();
  stream.add_range(5, 20);
  uut.check();
  uut.read();
  uut.check();
  stream.add_range(21, 30);
  uut.check();
  uut.read();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(what is read again is counted once) {
  model stream;
  stream.add_range(1, 20);
  reader uut{stream, start_position::oldest()};
  uut.read(10);
  uut.position.rewound({10, 0}, {5, 0});
  uut.cursor = {5, 0};
  CAF_CHECK(uut.position.uncertain());
  uut.check();
  uut.read();
  CAF_CHECK(!uut.position.uncertain());
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

// -- resets -------------------------------------------------------------------

CAF_TEST(a deleted stream begins again from its start) {
  model stream;
  stream.add_range(10, 20);
  reader uut{stream, start_position::oldest()};
  uut.read();
  uut.note(uut.position.check(uut.cursor, std::nullopt));
  CAF_CHECK_EQUAL(uut.news(), "reset 0-0");
  uut.note(uut.position.check(uut.cursor, std::nullopt));
  stream = {};
  stream.add_range(1, 3);
  uut.check();
  CAF_CHECK_EQUAL(uut.read().size(), 3u);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(a stream that never was is not missed) {
  model stream;
  stream_position uut{start_position::newest(), event_id::min(), std::nullopt};
  CAF_CHECK(!uut.check(event_id::min(), std::nullopt));
  CAF_CHECK(!uut.check(event_id::min(), stream.state()));
}

CAF_TEST(smaller IDs mean another stream) {
  model stream;
  stream.add_range(10, 20);
  reader uut{stream, start_position::newest()};
  stream = {};
  stream.add_range(1, 3);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "reset 0-0");
  CAF_CHECK_EQUAL(uut.read().size(), 3u);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(another stream with greater IDs goes on where the reader stands) {
  model stream;
  stream.add_range(10, 20);
  reader uut{stream, start_position::newest()};
  stream = {};
  stream.add_range(30, 35);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "reset 20-0");
  CAF_CHECK_EQUAL(uut.read().size(), 6u);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

CAF_TEST(a stream without its end is not read twice) {
  model stream;
  stream.add_range(1, 20);
  stream.trim(15);
  reader uut{stream, start_position::newest()};
  auto saved = stream;
  stream.add_range(21, 30);
  uut.read();
  uut.check();
  stream = saved; // restored from older data
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "reset 20-0");
  stream.add_range(25, 28);
  CAF_CHECK_EQUAL(uut.read().size(), 4u);
  uut.check();
  CAF_CHECK_EQUAL(uut.news(), "");
}

// -- everything ---------------------------------------------------------------

CAF_TEST(every loss is reported and nothing else) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    CAF_MESSAGE("seed " << seed);
    std::minstd_rand random{seed};
    auto below = [&](uint64_t n) { return random() % n; };
    model stream;
    stream.add_range(1, 1 + below(50));
    stream.trim(below(60));
    const bool known = below(2) == 0;
    reader uut{stream, known ? start_position::newest()
                             : start_position::after({below(50), 0})};
    std::set<event_id> missing;
    const auto begin = uut.cursor;
    for (auto id : stream.entries)
      if (id > begin)
        missing.insert(id);
    for (int step = 0; step < 100; ++step) {
      switch (below(4)) {
        case 0:
          for (auto n = below(40); n > 0; --n) {
            stream.add(stream.last.ms + 1);
            if (stream.last > begin)
              missing.insert(stream.last);
          }
          break;
        case 1:
          stream.trim(below(60));
          break;
        case 2:
          uut.check();
          [[fallthrough]];
        default:
          if (uut.position.uncertain())
            uut.check();
          for (auto id : uut.read(1 + below(30)))
            missing.erase(id);
      }
    }
    do
      uut.check();
    while ([&] {
      auto page = uut.read();
      for (auto id : page)
        missing.erase(id);
      return !page.empty();
    }());
    uint64_t reported = 0;
    bool exact = true;
    for (auto& x : uut.found) {
      CAF_REQUIRE(x.kind == kind::gap);
      reported += x.lost;
      exact = exact && x.exact;
    }
    if (known && exact)
      CAF_REQUIRE_EQUAL(reported, missing.size());
    else
      CAF_REQUIRE_GREATER_OR_EQUAL(reported, missing.size());
    CAF_REQUIRE(exact || !known);
  }
}
