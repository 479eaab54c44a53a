#define CAF_SUITE property.delivery_ledger

#include "pulse/core/delivery/ledger.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::literals;

namespace {

using ledger = delivery_ledger;

// Plays Redis and the workers at random, and checks after every step what must
// always hold. At the end everything is drained: nothing may be left over.
class simulation {
public:
  simulation(dispatch_mode mode, uint64_t seed)
    : random_(seed), mode_(mode), uut_(settings(mode), random_engine{1}) {
    // nop
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
    drain();
    CAF_REQUIRE_EQUAL(decided_.size(), static_cast<size_t>(fetched_));
    CAF_REQUIRE_EQUAL(uut_.size(), 0u);
    CAF_REQUIRE_GREATER(marked_, 0u);
    CAF_REQUIRE_GREATER(failed_batches_, 0u);
    CAF_REQUIRE_EQUAL(max_parked_ > 0, mode_ != dispatch_mode::balanced);
    CAF_REQUIRE_EQUAL(uut_.parked(), 0u);
    CAF_REQUIRE_EQUAL(uut_.dispatched() + uut_.queued() + uut_.waiting(), 0u);
  }

private:
  static ledger::settings settings(dispatch_mode mode) {
    ledger::settings result;
    result.dispatch = mode;
    result.ack_wait = 1s;
    result.backoff = {10ms, 100ms};
    result.max_deliveries = 6;
    result.max_crashes = 3;
    return result;
  }

  size_t pick(size_t n) {
    return std::uniform_int_distribution<size_t>{0, n - 1}(random_);
  }

  void step() {
    switch (pick(10)) {
      case 0:
      case 1:
        return fetch();
      case 2:
        return add_worker();
      case 3:
        return end_worker();
      case 4:
        return pass_time(milliseconds{pick(400)});
      default:
        return answer_one();
    }
  }

  void fetch() {
    const auto id = static_cast<uint64_t>(++fetched_);
    const auto topic = "t" + std::to_string(pick(5));
    CAF_REQUIRE(uut_.fetched(0, make(id, topic), pick(4) == 0));
    topics_[id] = topic;
    settle();
  }

  static event make(uint64_t id, const std::string& topic) {
    return event::make({"s", {id, 0}}, "n", "p", topic, "k", {1, 0, 0});
  }

  void add_worker() {
    if (workers_.size() < 5) {
      workers_.insert(++last_worker_);
      uut_.add_worker(last_worker_, static_cast<uint32_t>(1 + pick(6)),
                      static_cast<uint32_t>(pick(2) * pick(5)));
    }
    settle();
  }

  void end_worker() {
    if (workers_.empty())
      return;
    const auto id = *std::next(workers_.begin(),
                               static_cast<long>(pick(workers_.size())));
    workers_.erase(id);
    for (auto i = open_.begin(); i != open_.end();)
      i = i->to == id ? open_.erase(i) : std::next(i);
    if (pick(2) == 0)
      uut_.worker_died(id, "died", now_);
    else
      uut_.worker_quit(id, now_);
    settle();
  }

  void pass_time(milliseconds x) {
    now_ += x;
    uut_.tick(now_);
    claim_due();
    answer_probes();
    settle();
  }

  // The events that are due come back from Redis.
  void claim_due() {
    for (const auto& [id, what] : std::exchange(delayed_, {})) {
      if (what.due > now_) {
        delayed_.emplace(id, what);
        continue;
      }
      auto counts = what.counts;
      ++counts.deliveries;
      CAF_REQUIRE(uut_.fetched(0, make(id, topics_[id]).with(counts)));
    }
  }

  // Some workers hang and answer none.
  void answer_probes() {
    std::vector<worker_table::probe> all;
    uut_.take_probes(all);
    for (const auto& x : all)
      if (pick(2) == 0)
        uut_.answered_probe(x);
  }

  void answer_one() {
    if (open_.empty())
      return;
    const auto i = open_.begin() + static_cast<long>(pick(open_.size()));
    const auto x = *i;
    if (x.batch != 0 && pick(3) == 0)
      return fail_batch(x.to, x.batch);
    open_.erase(i);
    switch (pick(6)) {
      case 0:
        uut_.failed(x.what, x.to, "no", {}, now_);
        break;
      case 1:
        uut_.rejected(x.what, x.to, "never", now_);
        break;
      default:
        uut_.done(x.what, x.to, now_);
    }
    settle();
  }

  // What is left of a batch fails.
  void fail_batch(worker_id by, uint32_t batch) {
    const auto is_of = [=](const auto& x) {
      return x.to == by && x.batch == batch;
    };
    const auto its = std::stable_partition(open_.begin(), open_.end(),
                                           [&](auto& x) { return !is_of(x); });
    const auto whose = open_.end() - its > 1 ? ledger::blame::batch
                                             : ledger::blame::event;
    const std::vector<ledger::dispatch> failed{its, open_.end()};
    open_.erase(its, open_.end());
    for (const auto& x : failed)
      uut_.failed(x.what, by, "no", {}, now_, whose);
    ++failed_batches_;
    settle();
  }

  // What the sink does after each step, with Redis answering at once.
  void settle() {
    take_actions();
    if (pick(2) == 0 || workers_.count(last_worker_) == 0)
      for (auto& x : std::exchange(marks_, {})) {
        uut_.marked(x);
        ++marked_;
      }
    read_contents();
    std::vector<ledger::dispatch> out;
    uut_.dispatch_to(out, now_);
    for (auto& x : out) {
      CAF_REQUIRE(x.content.well_formed());
      CAF_REQUIRE(workers_.count(x.to) == 1);              // only live workers
      CAF_REQUIRE(decided_.count(x.content.id().ms) == 0); // never again
      open_.push_back(x);
      auto& batch = open_.back().batch;
      batch += batch > 0 ? last_batch_ : 0; // unique in the whole run
    }
    check_batches(out);
    last_batch_ += 1'000'000;
    take_actions();
    CAF_REQUIRE_EQUAL(uut_.size(),
                      uut_.dispatched() + uut_.queued() + uut_.waiting());
    CAF_REQUIRE_EQUAL(uut_.size() + delayed_.size() + decided_.size(),
                      static_cast<size_t>(fetched_));
    if (mode_ == dispatch_mode::keyed)
      check_one_per_topic();
  }

  // Some contents come late, and some reads of them fail.
  void read_contents() {
    for (const auto& x : uut_.take_wanted(1 + pick(3)))
      reads_.push_back(x);
    while (!reads_.empty() && pick(4) > 0) {
      const auto x = reads_.front();
      reads_.erase(reads_.begin());
      if (pick(5) == 0)
        uut_.want_again(x.entry);
      else
        uut_.found_content(x.entry, make(x.id.ms, topics_[x.id.ms]));
    }
    CAF_REQUIRE(uut_.parked() <= uut_.queued() + uut_.waiting());
    max_parked_ = std::max(max_parked_, uut_.parked());
  }

  void take_actions() {
    std::vector<delivery_ledger::action> actions;
    uut_.take_actions(actions);
    for (auto& x : actions) {
      if (x.kind == ledger::action_kind::store_counts)
        continue;
      if (x.kind == ledger::action_kind::mark) {
        marks_.push_back(x.entry);
        continue;
      }
      uut_.forget(x.entry);
      if (x.kind == ledger::action_kind::delay) {
        CAF_REQUIRE(mode_ == dispatch_mode::balanced);
        CAF_REQUIRE(
          delayed_.emplace(x.id.ms, delay{now_ + x.pause, x.counts}).second);
        continue;
      }
      delayed_.erase(x.id.ms);                      // a late answer counts
      CAF_REQUIRE(decided_.insert(x.id.ms).second); // decided once
    }
  }

  // A batch is for one worker, and an event that comes again comes alone.
  static void check_batches(const std::vector<ledger::dispatch>& all) {
    std::map<uint32_t, std::vector<const ledger::dispatch*>> batches;
    for (const auto& x : all)
      if (x.batch != 0)
        batches[x.batch].push_back(&x);
    for (const auto& [number, batch] : batches)
      for (const auto* x : batch) {
        CAF_REQUIRE_EQUAL(x->to, batch.front()->to);
        CAF_REQUIRE(batch.size() == 1 || x->content.counts().deliveries == 1);
      }
  }

  // Of each topic only the lowest undecided event can be at a worker.
  void check_one_per_topic() {
    std::map<std::string, uint64_t> lowest;
    for (auto& [id, topic] : topics_)
      if (decided_.count(id) == 0)
        lowest.emplace(topic, id);
    for (auto& x : open_) {
      const auto held = uut_.find(0, x.content.id());
      if (held && held->holder == x.to && held->entry.round == x.what.round)
        CAF_REQUIRE_EQUAL(lowest[topics_[x.content.id().ms]],
                          x.content.id().ms);
    }
  }

  // One good worker and enough time.
  void drain() {
    while (!workers_.empty())
      end_worker();
    uut_.add_worker(++last_worker_, 100);
    workers_.insert(last_worker_);
    settle();
    for (int i = 0; i < 10'000 && uut_.size() + delayed_.size() > 0; ++i) {
      while (!open_.empty()) {
        const auto x = open_.back();
        open_.pop_back();
        uut_.done(x.what, x.to, now_);
        settle();
      }
      pass_time(100ms);
    }
  }

  std::mt19937_64 random_;
  dispatch_mode mode_;
  ledger uut_;
  ledger::time_point now_{1h};
  int fetched_ = 0;
  uint64_t last_worker_ = 0;
  std::set<uint64_t> workers_;
  std::vector<ledger::dispatch> open_;
  std::map<uint64_t, std::string> topics_;
  std::set<uint64_t> decided_;
  struct delay {
    ledger::time_point due;
    delivery_counts counts;
  };
  std::map<uint64_t, delay> delayed_;
  std::vector<ledger::ticket> marks_;
  uint64_t marked_ = 0;
  uint32_t last_batch_ = 0;
  uint64_t failed_batches_ = 0;
  std::vector<ledger::wanted_content> reads_;
  size_t max_parked_ = 0;
};

uint64_t first_seed() {
  if (const auto* text = std::getenv("PULSE_TEST_SEED"))
    return std::strtoull(text, nullptr, 10);
  return std::random_device{}();
}

void simulate(dispatch_mode mode) {
  auto seed = first_seed();
  for (int i = 0; i < 10; ++i, ++seed) {
    CAF_MESSAGE("PULSE_TEST_SEED=" << seed);
    simulation{mode, seed}.run(400);
  }
}

} // namespace

CAF_TEST(balanced decides every event once) {
  simulate(dispatch_mode::balanced);
}

CAF_TEST(keyed decides every event once and keeps topics in order) {
  simulate(dispatch_mode::keyed);
}

CAF_TEST(broadcast decides every event once) {
  simulate(dispatch_mode::broadcast);
}
