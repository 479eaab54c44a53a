#define CAF_SUITE simulation.shared_keys

#include "pulse/core/delivery/partition.hpp"
#include "pulse/resp/sink_scripts.hpp"

#include "simulation/model/redis_model.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using simulation::arguments;
using simulation::value;

// The scripts that share the keys of a sink, without actors: members join,
// work, leave, die and wake up again at random, and events of a key must never
// overtake each other.

namespace {

constexpr int64_t lease = 9'000;
// For how many ms after a death nobody reads alone.
const std::string caution = "20000";
const std::string stream = "pulse:stream:s";
const std::string delayed = resp::delayed_key("s", "g");
const std::string paused = resp::paused_key("s", "g");
const std::string position = resp::position_key("s", "g");

struct held_event {
  std::string topic;
  bool started = false;
  // When its next attempt is due.
  int64_t due = 0;
};

struct member {
  std::string name;
  bool works = true;
  bool sole = false;
  // Whether stay may renew the membership.
  bool settled = false;
  std::string others;
  std::string wake;
  std::string after;
  int64_t waiting = 0;
  std::set<size_t> own;
  std::set<size_t> leaving;
  std::map<event_id, held_event> held;

  [[nodiscard]] bool has_started(const std::string& topic) const {
    return std::any_of(held.begin(), held.end(), [&](const auto& x) {
      return x.second.started && x.second.topic == topic;
    });
  }
};

class game {
public:
  explicit game(uint64_t seed) : random_(seed) {
    for (const auto* x : {&resp::share_script(), &resp::stay_script(),
                          &resp::leave_script(), &resp::count_script(),
                          &resp::release_script(), &resp::renew_script()})
      run({"SCRIPT", "LOAD", std::string{x->source}});
    run({"XGROUP", "CREATE", stream, "g", "0", "MKSTREAM"});
    spawn();
  }

  void play(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
    finish();
  }

  // How often each kind of thing happened, to see that the game plays it.
  std::map<std::string, int> counts;

private:
  // -- chance -----------------------------------------------------------------

  size_t pick(size_t n) {
    return std::uniform_int_distribution<size_t>{0, n - 1}(random_);
  }

  member* any() {
    if (alive_.empty())
      return nullptr;
    return alive_[pick(alive_.size())].get();
  }

  void step() {
    auto* x = any();
    const auto what = pick(100);
    if (what < 25)
      add();
    else if (what < 27)
      spawn();
    else if (x == nullptr)
      spawn();
    else if (what < 50)
      look(*x);
    else if (what < 56)
      read_alone(*x);
    else if (what < 75)
      start(*x);
    else if (what < 92)
      end(*x);
    else if (what < 93)
      close(*x);
    else if (what < 94)
      die(*x);
    else if (what < 95)
      sleep(*x);
    else if (what < 96)
      turn(*x);
    else
      pass(static_cast<int64_t>(pick(lease / 3)));
  }

  // -- what happens -----------------------------------------------------------

  void add() {
    const auto topic = pick(5) == 0 ? "" : "k" + std::to_string(pick(12));
    arguments x{"XADD", stream, "*", "n", "x", "p", "y"};
    if (!topic.empty())
      x.insert(x.end(), {"t", topic});
    const auto id = parse_event_id(run(x).text);
    open_[topic].insert(*id);
  }

  void spawn() {
    if (alive_.size() >= 4)
      return;
    alive_.push_back(std::make_unique<member>());
    alive_.back()->name = "c" + std::to_string(++spawned_);
    ++counts["spawn"];
    look(*alive_.back());
  }

  void pass(int64_t ms) {
    redis_.now += ms;
    for (auto& x : alive_)
      if (run_script(resp::renew_script(), {stream},
                     {"g", x->name, std::to_string(lease / 3), "0"})
            .is_error())
        CAF_FAIL("renewal failed");
  }

  void look(member& x) {
    const bool alone = x.sole && x.works && x.others.empty() && pick(3) > 0;
    give_back_leaving(x);
    if (x.settled && stays(x)) {
      ++counts["stay"];
      if (pick(2))
        check_nothing_new(x);
      return;
    }
    share(x, x.works ? pick(6) : 0, alone, pick(2));
  }

  // Whether nothing has changed, so that the member need not share.
  bool stays(member& x) {
    const auto reply = run_script(resp::stay_script(),
                                  {stream, resp::members_key("s", "g"),
                                   resp::wake_key("s", "g")},
                                  {"g", x.name, std::to_string(lease), caution,
                                   x.others, x.wake, x.sole ? "" : x.after});
    counts["sole stay"] += reply.text == "2" ? 1 : 0;
    x.settled = reply.text == (x.sole && x.others.empty() ? "2" : "1");
    return x.settled;
  }

  void check_nothing_new(member& x) {
    const auto before = x;
    share(x, 5, x.sole && x.others.empty(), true);
    CAF_CHECK_EQUAL(x.sole, before.sole);
    CAF_CHECK_EQUAL(x.others, before.others);
    CAF_CHECK(x.own == before.own);
    CAF_CHECK(x.leaving.empty());
    CAF_CHECK(!claimed_);
  }

  void share(member& x, size_t wanted, bool alone, bool checks) {
    arguments args{"g",
                   x.name,
                   std::to_string(lease),
                   std::to_string(wanted),
                   "30",
                   x.works ? "1" : "0",
                   alone ? "1" : "0",
                   checks ? "1" : "0",
                   caution};
    for (auto p : x.leaving)
      if (!holds(x, p))
        args.push_back(std::to_string(p));
    const auto reply = run_script(resp::share_script(), keys(), args);
    CAF_REQUIRE(!reply.is_error());
    x.sole = reply.items[0].number == 1;
    x.others = reply.items[1].text;
    x.waiting = reply.items[3].number;
    x.wake = reply.items[7].text;
    x.after = reply.items[6].text;
    x.own = numbers(reply.items[8]);
    x.leaving = numbers(reply.items[9]);
    counts["sole"] += x.sole ? 1 : 0;
    counts["leaving"] += x.leaving.empty() ? 0 : 1;
    counts["blocked"] += reply.items[5].text.empty() ? 0 : 1;
    claimed_ = !reply.items[11].items.empty();
    x.settled = checks && x.works && x.waiting == 0 && !claimed_
                && x.leaving.empty() && reply.items[2].number == 0
                && reply.items[5].text.empty()
                && (!x.others.empty() || x.own.size() == partition_count);
    CAF_REQUIRE(reply.items[10].items.empty());
    accept(x, reply.items[13], pauses_of(reply.items[12]));
  }

  void read_alone(member& x) {
    if (!x.sole || !x.others.empty() || x.waiting > 0 || !x.works)
      return;
    const auto reply = run({"XREADGROUP", "GROUP", "g", x.name, "COUNT", "3",
                            "STREAMS", stream, ">"});
    if (!reply.is_nil())
      accept(x, reply.items[0].items[1], {});
    ++counts["read alone"];
  }

  static std::map<event_id, int64_t> pauses_of(const value& x) {
    std::map<event_id, int64_t> result;
    for (size_t i = 0; i < x.items.size(); i += 2)
      result.emplace(*parse_event_id(x.items[i].text), x.items[i + 1].number);
    return result;
  }

  void accept(member& x, const value& entries,
              const std::map<event_id, int64_t>& pauses) {
    for (const auto& entry : entries.items) {
      const auto id = parse_event_id(entry.items[0].text);
      const auto& fields = entry.items[1].items;
      const auto topic = fields.size() > 4 ? fields[5].text : std::string{};
      if (x.held.count(*id) > 0)
        CAF_FAIL(x.name << " has " << entry.items[0].text << " already");
      if (x.own.count(partition_of(topic, *id)) == 0)
        CAF_FAIL(x.name << " does not own " << topic);
      auto& fresh = x.held[*id];
      fresh.topic = topic;
      const auto pause = pauses.find(*id);
      if (pause != pauses.end())
        fresh.due = redis_.now + pause->second;
      check_pause(*id, fresh.due, pause != pauses.end());
      ++counts["taken"];
    }
  }

  // The next member knows what waits for its next attempt, and how long,
  // whether it was given back or its member died.
  void check_pause(event_id id, int64_t due, bool known) {
    const auto waits = dues_.find(id);
    CAF_CHECK_EQUAL(known, waits != dues_.end());
    if (waits == dues_.end())
      return;
    if (waits->second > redis_.now)
      CAF_CHECK_EQUAL(due, waits->second);
    else
      dues_.erase(waits);
    counts["kept pause"] += due > redis_.now ? 1 : 0;
  }

  // A handler begins with the first event of a key.
  void start(member& x) {
    if (x.held.empty() || !x.works)
      return;
    auto i = std::next(x.held.begin(),
                       static_cast<std::ptrdiff_t>(pick(x.held.size())));
    if (i->second.started)
      return;
    const auto& topic = i->second.topic;
    if (!topic.empty()) {
      if (x.has_started(topic))
        return;
      i = std::find_if(x.held.begin(), x.held.end(),
                       [&](auto& y) { return y.second.topic == topic; });
      const auto first = *open_[topic].begin();
      if (i->first > first)
        CAF_FAIL(x.name << " overtakes: " << to_string(i->first) << " before "
                        << to_string(first) << " of key " << topic);
    }
    if (i->second.due > redis_.now)
      return;
    i->second.started = true;
    if (dues_.erase(i->first) > 0)
      count(x, i->first, -1);
    ++counts["start"];
  }

  // A handler succeeds, or fails and will try again.
  void end(member& x) {
    for (auto& [id, y] : x.held)
      if (y.started) {
        if (pick(10) == 0) {
          y.started = false;
          const auto pause = static_cast<int64_t>(pick(lease));
          y.due = redis_.now + pause;
          dues_[id] = y.due;
          count(x, id, pause);
        } else {
          done(id, y.topic);
          x.held.erase(id);
        }
        return;
      }
  }

  void count(const member& x, event_id id, int64_t pause) {
    const auto set
      = run_script(resp::count_script(), {stream, paused},
                   {"g", x.name, to_string(id), "0", std::to_string(pause)});
    CAF_CHECK_EQUAL(set.items.size(), 1u);
  }

  void done(event_id id, const std::string& topic) {
    run({"XACK", stream, "g", to_string(id)});
    open_[topic].erase(id);
  }

  void give_back(member& x, const std::set<event_id>& ids) {
    if (ids.empty())
      return;
    arguments args{"g", x.name, std::to_string(lease), "listed"};
    for (auto id : ids) {
      const auto due = x.held[id].due;
      const auto pause = due > redis_.now ? due - redis_.now : -1;
      args.insert(args.end(), {to_string(id), "0", std::to_string(pause)});
      if (pause > 0)
        dues_[id] = due;
      x.held.erase(id);
    }
    run_script(resp::release_script(), {stream, delayed, position}, args);
    x.waiting = 1; // until the next look
    x.settled = false;
    ++counts["given back"];
  }

  void give_back_leaving(member& x) {
    std::set<event_id> ids;
    for (const auto& [id, y] : x.held)
      if (!y.started
          && (!x.works || x.leaving.count(partition_of(y.topic, id)) > 0))
        ids.insert(id);
    give_back(x, ids);
  }

  // The handlers that are at work are interrupted.
  void close(member& x) {
    run_script(resp::release_script(), {stream, delayed, position},
               {"g", x.name, std::to_string(lease), "all"});
    run_script(resp::leave_script(), keys(), {"g", x.name});
    ++counts["close"];
    die(x);
  }

  void die(member& x) {
    alive_.erase(std::find_if(alive_.begin(), alive_.end(),
                              [&](auto& y) { return y.get() == &x; }));
    ++counts["die"];
  }

  // The member gets workers, or loses all.
  void turn(member& x) {
    x.works = !x.works;
    x.settled = false;
  }

  // The member does nothing for more than a lease, while others work. Then it
  // asks what it still owns.
  void sleep(member& x) {
    auto i = std::find_if(alive_.begin(), alive_.end(),
                          [&](auto& y) { return y.get() == &x; });
    auto sleeper = std::move(*i);
    alive_.erase(i);
    const auto steps = pick(30);
    pass(lease / 2);
    pass(lease / 2 + 1);
    for (size_t n = 0; n < steps; ++n)
      if (auto* other = any())
        pick(3) ? look(*other) : pick(2) ? start(*other) : end(*other);
    const auto reply = run_script(resp::renew_script(), {stream},
                                  {"g", sleeper->name, "0", "1"});
    std::set<event_id> ours;
    for (const auto& y : reply.items[1].items)
      ours.insert(*parse_event_id(y.text));
    auto& held = sleeper->held;
    for (auto y = held.begin(); y != held.end();)
      y = ours.count(y->first) > 0 ? std::next(y) : held.erase(y);
    sleeper->sole = false; // the permission is not fresh
    sleeper->settled = false;
    alive_.push_back(std::move(sleeper));
    ++counts["sleep"];
  }

  // All that is left is done by the members that live.
  void finish() {
    if (alive_.empty())
      spawn();
    for (auto& x : alive_) {
      x->works = true;
      x->settled = false;
    }
    for (int i = 0; i < 5'000 && left() > 0; ++i) {
      auto* x = any();
      pass(100);
      x->settled = false; // an XREAD that waits sees entries
      look(*x);
      for (int n = 0; n < 10; ++n) {
        start(*x);
        end(*x);
      }
    }
    CAF_CHECK_EQUAL(left(), 0u);
    CAF_CHECK_EQUAL(redis_.find(stream)->groups.at("g").pending.size(), 0u);
    // After a death and a pause, a single member reads alone again.
    while (alive_.size() > 1)
      close(*alive_.back());
    for (int i = 0; i < 20 && !alive_[0]->sole; ++i) {
      pass(3'000);
      look(*alive_[0]);
    }
    CAF_CHECK(alive_[0]->sole);
  }

  // -- helpers ----------------------------------------------------------------

  [[nodiscard]] size_t left() const {
    size_t result = 0;
    for (const auto& x : open_)
      result += x.second.size();
    return result;
  }

  static bool holds(const member& x, size_t partition) {
    return std::any_of(x.held.begin(), x.held.end(), [&](const auto& y) {
      return partition_of(y.second.topic, y.first) == partition;
    });
  }

  static std::set<size_t> numbers(const value& x) {
    std::set<size_t> result;
    for (const auto& y : x.items)
      result.insert(static_cast<size_t>(y.number));
    return result;
  }

  static arguments keys() {
    return {stream, resp::members_key("s", "g"), resp::wake_key("s", "g"),
            delayed, paused};
  }

  value run(const arguments& x) {
    auto result = redis_.run(x);
    if (result.is_error())
      CAF_FAIL(x[0] << ": " << result.text);
    return result;
  }

  value run_script(const resp::script& which, const arguments& keys,
                   const arguments& args) {
    arguments x{"EVALSHA", std::string{which.sha1},
                std::to_string(keys.size())};
    x.insert(x.end(), keys.begin(), keys.end());
    x.insert(x.end(), args.begin(), args.end());
    auto result = redis_.run(x);
    if (result.is_error())
      CAF_FAIL(which.name << ": " << result.text);
    return result;
  }

  std::mt19937_64 random_;
  simulation::redis_model redis_;
  std::vector<std::unique_ptr<member>> alive_;
  std::map<std::string, std::set<event_id>> open_;
  // When the events are due that were given back during their pause.
  std::map<event_id, int64_t> dues_;
  int spawned_ = 0;
  // Whether the last call of share brought entries that were pending.
  bool claimed_ = false;
};

} // namespace

CAF_TEST(no event overtakes an earlier one of its key) {
  const char* wanted = std::getenv("PULSE_SEEDS");
  const auto seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10)
                                       : 25;
  std::map<std::string, int> sum;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAF_MESSAGE("seed " << seed);
    game uut{seed};
    uut.play(1'000);
    for (const auto& [what, n] : uut.counts)
      sum[what] += n;
  }
  for (const auto* x :
       {"spawn", "sole", "read alone", "taken", "leaving", "given back",
        "kept pause", "close", "die", "sleep", "stay", "sole stay"})
    CAF_CHECK_GREATER(sum[x], 20);
}
