#define CAF_SUITE core.streams.group_history

#include "pulse/core/streams/group_history.hpp"

#include <string>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

using restart = group_history::restart::type;

std::string text(const std::optional<group_history::finding>& x) {
  if (!x)
    return "";
  static constexpr const char* names[] = {"gap", "moved", "reset"};
  return std::string{names[static_cast<size_t>(x->kind)]} + " "
         + std::to_string(x->after.ms) + ".."
         + std::to_string(x->first_available.ms) + (x->exact ? " =" : " <=")
         + std::to_string(x->lost);
}

// A stream with the events <ms>-0 and a group, as Redis keeps them.
struct fixture {
  uint64_t first = 1;
  uint64_t last = 0;
  uint64_t at = 0;
  std::optional<uint64_t> read = 0;
  uint64_t base = 0; // the stream has had no events up to this ID
  uint64_t max_deleted = 0;
  std::optional<uint64_t> stored;
  group_history uut;

  [[nodiscard]] stream_state stream() const {
    stream_state result;
    result.length = last + 1 - first;
    result.added = last - base;
    result.first = {result.length > 0 ? first : 0, 0};
    result.last = {last, 0};
    result.max_deleted = {max_deleted, 0};
    return result;
  }

  // The script create_group decides where the group begins.
  [[nodiscard]] std::string text(const group_history::restart& x) const {
    static constexpr const char* names[] = {"same", "new", "unknown"};
    auto after = x.after;
    if (x.alone) {
      const auto from = std::max(x.alone->from.ms + 1, first);
      const auto to = std::min(x.alone->to.ms, last);
      if (x.alone->count == (to >= from ? to + 1 - from : 0))
        after = x.alone->floor;
    }
    return std::string{names[static_cast<size_t>(x.kind)]} + " after "
           + std::to_string(after.ms);
  }

  static std::string text(const std::optional<group_history::finding>& x) {
    return ::text(x);
  }

  // The audit script.
  group_state state(const group_history::question& asked) {
    group_state result;
    result.stream = stream();
    result.at = {at, 0};
    result.read = read;
    const bool behind = at < last && at + 1 < first;
    if (at == last || at + 1 == first)
      result.passed = at - base;
    if (behind)
      result.passed = first - 1 - base;
    if (result.passed && read != result.passed
        && (behind || !read || asked.audited)) {
      result.corrected = true;
      read = result.passed;
    }
    if (result.corrected || (asked.store_count && read))
      stored = read;
    result.has_asked_event = asked.last_event.ms >= first
                             && asked.last_event.ms <= last;
    return result;
  }

  std::string audit(uint64_t disturbances = 0) {
    const auto asked = uut.ask(disturbances);
    return text(uut.on_audit(state(asked), asked));
  }

  static event made(uint64_t ms, const std::string& payload = "p") {
    return event::make({"a", {ms, 0}}, "n", payload);
  }

  // The sink reads up to an event; another member reads if `by_me` is false.
  void read_to(uint64_t ms, bool by_me = true) {
    for (auto i = std::max(at + 1, first); i <= ms; ++i) {
      if (read)
        ++*read;
      if (i == last)
        read = last - base; // Redis counts anew
      if (by_me)
        uut.received(made(i));
    }
    at = ms;
  }

  // Redis is killed, and loads its append-only file.
  void load_aof() {
    read = stored;
  }

  // The stream is deleted, and has new events.
  void begin_anew(uint64_t from, uint64_t to) {
    first = from;
    last = to;
    base = from - 1;
    max_deleted = 0;
  }

  std::string restarts(uint64_t floor,
                       const std::optional<event>& same_event = {}) {
    return text(uut.restart_after({floor, 0}, stream(), same_event));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(group_history_tests, fixture)

// -- gaps ---------------------------------------------------------------------

CAF_TEST(without losses audits find nothing) {
  audit();
  for (int i = 1; i <= 5; ++i) {
    last += 100;
    CAF_CHECK_EQUAL(audit(), "");
    read_to(last - 40);
    CAF_CHECK_EQUAL(audit(), "");
    first = at - 10;
    CAF_CHECK_EQUAL(audit(), "");
    read_to(last);
    CAF_CHECK_EQUAL(audit(), "");
  }
}

CAF_TEST(events that were trimmed before they were read are counted) {
  last = 10;
  read_to(10);
  CAF_CHECK_EQUAL(audit(), "");
  last = 110;
  first = 81;
  CAF_CHECK_EQUAL(audit(), "gap 10..81 =70");
  CAF_CHECK_EQUAL(audit(), "");
}

CAF_TEST(a loss behind the group is found when it reaches the end) {
  last = 10;
  audit();
  read_to(10);
  last = 100;
  audit();
  first = 51;
  read_to(60);
  CAF_CHECK_EQUAL(audit(), "");
  at = last;
  *read += 40;
  CAF_CHECK_EQUAL(audit(), "gap 10..100 =40");
}

CAF_TEST(a member that another one forestalled finds nothing) {
  last = 10;
  read_to(10);
  audit();
  last = 110;
  first = 81;
  read = 80; // corrected by the other one
  CAF_CHECK_EQUAL(audit(), "");
}

CAF_TEST(what the sink itself has read is no loss although the count is) {
  last = 10;
  read_to(10);
  audit();
  audit();
  CAF_CHECK(stored == 10u);
  last = 9'000; // in less than 5 s
  read_to(9'000);
  first = 8'900;
  load_aof();
  CAF_CHECK_EQUAL(audit(1), "");
  // What nobody has read is still found.
  audit(1);
  last = 9'500;
  read_to(9'200);
  first = 9'400;
  read_to(9'500);
  load_aof();
  CAF_CHECK_EQUAL(audit(2), "gap 9000..9500 <=199");
}

CAF_TEST(a count that an append - only file lost is no loss) {
  last = 1'000;
  CAF_CHECK_EQUAL(audit(), "");
  read_to(1'000);
  CAF_CHECK_EQUAL(audit(), "");
  last = 2'000;
  read_to(2'000);
  load_aof();
  CAF_CHECK(*read < 2'000);
  CAF_CHECK_EQUAL(audit(1), "");
  first = 1'900;
  CAF_CHECK_EQUAL(audit(1), "");
}

CAF_TEST(after a restart of Redis a count is an upper bound) {
  last = 1'000;
  audit();
  read_to(1'000);
  audit();
  last = 1'500;
  read_to(1'500);
  load_aof();
  last = 2'000;
  first = 1'601;
  CAF_CHECK_EQUAL(audit(1), "gap 1500..1601 <=100");
}

CAF_TEST(a sink that begins at the end of the stream finds no loss) {
  last = 1'000;
  at = 1'000;
  read = 0; // an append-only file lost the count
  CAF_CHECK_EQUAL(audit(), "");
  CAF_CHECK(*read == 0); // a member that knows more may find a loss
  CAF_CHECK_EQUAL(audit(), "");
  CAF_CHECK(*read == 1'000);
}

CAF_TEST(a sink that begins behind removed events finds what may be lost) {
  last = 100;
  first = 51;
  at = 10;
  read = 10;
  CAF_CHECK_EQUAL(audit(), "gap 10..51 <=40");
}

CAF_TEST(without a count all removed events may be lost) {
  last = 100;
  first = 51;
  at = 10;
  read = std::nullopt;
  CAF_CHECK_EQUAL(audit(), "gap 10..51 <=50");
}

CAF_TEST(a new group loses nothing) {
  last = 100;
  first = 51;
  for (const uint64_t start : {uint64_t{0}, uint64_t{100}}) {
    uut = {};
    at = start;
    read = std::nullopt;
    CAF_CHECK_EQUAL(audit(), "");
    CAF_CHECK_EQUAL(*read, start == 0 ? 50 : 100);
    CAF_CHECK_EQUAL(audit(), "");
  }
}

// -- the group was moved ------------------------------------------------------

CAF_TEST(a group that was moved forwards is found) {
  last = 400;
  audit();
  read_to(50);
  audit();
  at = 300;
  read = std::nullopt;
  CAF_CHECK_EQUAL(audit(), "moved 50..300 <=400");
  CAF_CHECK_EQUAL(audit(), "");
}

CAF_TEST(a group that was moved backwards loses nothing) {
  last = 400;
  audit();
  read_to(50);
  audit();
  at = 10;
  read = std::nullopt;
  CAF_CHECK_EQUAL(audit(), "");
}

CAF_TEST(a count that vanished because of XDEL says nothing) {
  last = 400;
  audit();
  read_to(50);
  audit();
  max_deleted = 200;
  at = 60;
  read = std::nullopt;
  CAF_CHECK_EQUAL(audit(), "");
}

// -- the stream was deleted ---------------------------------------------------

CAF_TEST(a stream that lost its last events is found) {
  last = 20;
  read_to(20);
  audit();
  last = 10;
  at = 10;
  CAF_CHECK_EQUAL(audit(), "reset 10..0 <=0");
  CAF_CHECK_EQUAL(audit(), "");
}

CAF_TEST(a stream that lost its last events and got others is found) {
  last = 10;
  audit();
  last = 20;
  read_to(20);
  last = 15;
  // The new events have higher IDs.
  const auto asked = uut.ask(0);
  auto now = state(asked);
  now.stream.last = {40, 0};
  now.stream.added += 10;
  now.stream.length += 10;
  now.has_asked_event = false;
  CAF_CHECK_EQUAL(text(uut.on_audit(now, asked)), "reset 20..0 <=0");
}

CAF_TEST(an event that XDEL removed or that was trimmed is no reset) {
  last = 20;
  audit();
  read_to(20);
  max_deleted = 20;
  const auto asked = uut.ask(0);
  auto now = state(asked);
  now.has_asked_event = false;
  CAF_CHECK_EQUAL(text(uut.on_audit(now, asked)), "");
  max_deleted = 20;
  last = 40;
  first = 30;
  at = 29;
  CAF_CHECK_EQUAL(audit().substr(0, 5) == "reset", false);
}

CAF_TEST(an audit that was sent before a read does not know its events) {
  last = 10;
  audit();
  const auto asked = uut.ask(0);
  const auto then = state(asked);
  last = 20;
  read_to(20);
  CAF_CHECK_EQUAL(text(uut.on_audit(then, asked)), "");
  CAF_CHECK_EQUAL(audit(), "");
}

// -- the group vanished -------------------------------------------------------

CAF_TEST(a group that was destroyed begins again at the old position) {
  last = 20;
  audit();
  read_to(15);
  CAF_CHECK_EQUAL(restarts(12, made(15)), "same after 12");
}

CAF_TEST(so it does if the last event was trimmed or removed) {
  last = 20;
  read_to(15);
  audit();
  first = 18;
  CAF_CHECK_EQUAL(restarts(15), "same after 15");
  first = 1;
  max_deleted = 15;
  CAF_CHECK_EQUAL(restarts(15), "same after 15");
}

CAF_TEST(a sink that read nothing begins again at the old position) {
  last = 20;
  read_to(15, false);
  audit();
  CAF_CHECK_EQUAL(restarts(12), "same after 12");
}

CAF_TEST(other members may have read the first events of an empty stream) {
  audit();
  last = 20;
  read_to(10, false);
  read_to(20);
  first = 5;
  CAF_CHECK_EQUAL(restarts(20, made(20)), "same after 0");
}

CAF_TEST(a stream with fewer events than it had is a new one) {
  last = 100;
  audit();
  read_to(100);
  begin_anew(200, 250);
  CAF_CHECK_EQUAL(restarts(100), "new after 0");
}

CAF_TEST(events that were read count even without an audit) {
  audit();
  last = 100;
  read_to(100);
  begin_anew(200, 250);
  CAF_CHECK_EQUAL(restarts(100), "new after 0");
}

CAF_TEST(a new stream may be longer than the old one was) {
  last = 100;
  audit();
  read_to(60);
  begin_anew(200, 2'000);
  CAF_CHECK_EQUAL(restarts(60), "new after 0");
}

CAF_TEST(a new stream may have the same IDs) {
  last = 10;
  audit();
  read_to(10);
  CAF_CHECK_EQUAL(restarts(10, made(10, "other")), "new after 0");
  CAF_CHECK_EQUAL(restarts(10, made(10)), "same after 10");
  first = 5; // then nobody knows who read the removed events
  CAF_CHECK_EQUAL(restarts(10, made(10)), "same after 0");
}

CAF_TEST(what others may have read since the last audit comes again) {
  last = 100;
  read_to(10);
  audit();
  read_to(20);
  CAF_CHECK_EQUAL(restarts(15, made(20)), "same after 15");
  read_to(25, false); // behind what this sink read
  CAF_CHECK_EQUAL(restarts(15, made(20)), "same after 15");
  read_to(30);
  CAF_CHECK_EQUAL(restarts(15, made(30)), "same after 10");
  audit();
  CAF_CHECK_EQUAL(restarts(15, made(30)), "same after 15");
  CAF_CHECK_EQUAL(restarts(30, made(30)), "same after 30");
}

CAF_TEST(events that are read during an audit count once) {
  last = 100;
  audit();
  read_to(10);
  const auto asked = uut.ask(0);
  read_to(15);
  const auto answer = state(asked);
  read_to(20);
  CAF_CHECK_EQUAL(text(uut.on_audit(answer, asked)), "");
  CAF_CHECK_EQUAL(restarts(20, made(20)), "same after 20");
  uut.received(made(20)); // again
  CAF_CHECK_EQUAL(restarts(20, made(20)), "same after 20");
  read_to(30);
  CAF_CHECK_EQUAL(restarts(30, made(30)), "same after 30");
}

CAF_TEST(what was removed since the last audit leaves open who read it) {
  last = 100;
  read_to(10);
  audit();
  read_to(20);
  first = 5;
  CAF_CHECK_EQUAL(restarts(20, made(20)), "same after 20");
  first = 12;
  CAF_CHECK_EQUAL(restarts(20, made(20)), "same after 10");
}

CAF_TEST(who has read very much cannot show that it was alone) {
  last = 10'000;
  audit();
  read_to(4'000);
  CAF_CHECK_EQUAL(restarts(4'000, made(4'000)), "same after 4000");
  read_to(4'001);
  CAF_CHECK_EQUAL(restarts(4'001, made(4'001)), "same after 0");
  audit();
  CAF_CHECK_EQUAL(restarts(4'001, made(4'001)), "same after 4001");
}

CAF_TEST(a missing stream is a new one) {
  last = 10;
  audit();
  CAF_CHECK_EQUAL(text(uut.restart_after({10, 0}, std::nullopt, {})),
                  "new after 0");
}

CAF_TEST(a stream that was empty may be another one) {
  audit();
  CAF_CHECK_EQUAL(restarts(0), "same after 0");
  last = 10;
  CAF_CHECK_EQUAL(restarts(0), "unknown after 0");
}

CAF_TEST(events that a new stream lost before its group was created count) {
  last = 10;
  read_to(10);
  audit();
  begin_anew(200, 300);
  const auto how = uut.restart_after({10, 0}, stream(), {});
  uut.restarted(how);
  at = 0;
  read = 0;
  first = 251;
  CAF_CHECK_EQUAL(audit(), "gap 0..251 <=51");
}

CAF_TEST(a group that was created again is no move) {
  last = 400;
  audit();
  read_to(50);
  audit();
  uut.restarted(uut.restart_after({50, 0}, stream(), made(50)));
  at = 60;
  read = std::nullopt;
  CAF_CHECK_EQUAL(audit(), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
