#include "simulation/checker/deliveries.hpp"

#include <algorithm>

namespace pulse::simulation {

namespace {

// The sink counts from when it sent an event, and knows of an answer when it
// gets it.
constexpr std::chrono::milliseconds under_way{100};

} // namespace

// -- what happens -------------------------------------------------------------

void delivery_rules::instance_opens(instance_id id, std::string sink,
                                    const sink_rules& rules) {
  instances_[id].sink = std::move(sink);
  instances_[id].rules = rules;
}

void delivery_rules::instance_closes(instance_id id) {
  if (auto& x = instances_.at(id); !x.closes_since)
    x.closes_since = now_;
}

void delivery_rules::instance_ends(instance_id id) {
  instances_.at(id).is_alive = false;
  for (auto& [worker, x] : workers_)
    if (x.at == id)
      x.is_alive = false;
}

void delivery_rules::worker_joins(worker_id id, instance_id at) {
  workers_[id].at = at;
}

void delivery_rules::worker_dies(worker_id id) {
  workers_.at(id).is_alive = false;
}

void delivery_rules::arrives(worker_id at, const event& what) {
  const auto key = key_of(at, what);
  auto& who = workers_.at(at);
  if (is_forgotten(key))
    return add(at, key, what, true);
  check_copies(at, key);
  check_counts(key, what);
  check_order(at, key, what);
  check_topic(at, key, what);
  const auto is_forfeited = is_quiet_for_too_long(who);
  if (!is_forfeited && ++who.expected > instances_.at(who.at).rules.credit)
    out_.add("credit", "worker " + std::to_string(at) + " holds "
                         + std::to_string(who.expected) + " events");
  add(at, key, what, is_forfeited);
}

void delivery_rules::add(worker_id at, const delivery_key& key,
                         const event& what, bool is_forfeited) {
  if (auto& who = workers_.at(at); who.held++ == 0)
    who.quiet_since = now_;
  deliveries_[key].push_back(
    {at, phase::waits, is_forfeited, std::string{what.topic()}});
}

void delivery_rules::starts(worker_id at, const event& what) {
  if (auto* x = last_of(at, what))
    x->at = phase::started;
}

void delivery_rules::ends(worker_id at, const event& what, ending how) {
  auto& who = workers_.at(at);
  auto* x = last_of(at, what);
  if (x == nullptr)
    return;
  if (is_quiet_for_too_long(who))
    forfeit_all(at);
  x->at = how == ending::acknowledged ? phase::acknowledged : phase::failed;
  if (how == ending::rejected)
    rejected_.insert(key_of(at, what));
  if (how == ending::acknowledged)
    expect_no_more(key_of(at, what));
  // An answer to what was given up says nothing about the rest.
  --who.held;
  if (!x->is_forfeited) {
    --who.expected;
    who.quiet_since = now_;
  }
}

void delivery_rules::extends(worker_id at, const event& what) {
  auto& who = workers_.at(at);
  const auto* x = last_of(at, what);
  if (x != nullptr && !x->is_forfeited && !is_quiet_for_too_long(who))
    who.quiet_since = now_;
}

void delivery_rules::forgets(const std::string& sink, const std::string& stream,
                             event_id up_to) {
  auto& known = forgotten_[{sink, stream}];
  known = std::max(known, up_to);
  for (auto& [key, holdings] : deliveries_)
    if (is_forgotten(key))
      forfeit(key);
}

bool delivery_rules::is_forgotten(const delivery_key& what) const {
  const auto i = forgotten_.find({what.sink, what.stream});
  return i != forgotten_.end() && what.id <= i->second;
}

// The event is done, so the sink waits for no other answer.
void delivery_rules::expect_no_more(const delivery_key& what) {
  for (auto& x : deliveries_.at(what)) {
    auto& who = workers_.at(x.by);
    if (x.at > phase::started || x.is_forfeited)
      continue;
    if (who.expected > 0)
      --who.expected;
    x.is_forfeited = true;
  }
}

// The sink gave up all that this worker holds.
void delivery_rules::forfeit_all(worker_id of) {
  for (auto& [key, holdings] : deliveries_)
    for (auto& x : holdings)
      if (x.by == of && x.at <= phase::started)
        x.is_forfeited = true;
  workers_.at(of).expected = 0;
}

void delivery_rules::moves(const delivery_key& what, instance_id to) {
  owners_[what] = to;
  forfeit(what);
}

// Whoever has the event, others may get it as well from now on.
void delivery_rules::forfeit(const delivery_key& what) {
  if (const auto i = deliveries_.find(what); i != deliveries_.end())
    for (auto& x : i->second) {
      auto& who = workers_.at(x.by);
      if (x.at <= phase::started && !x.is_forfeited && who.expected > 0)
        --who.expected;
      x.is_forfeited = true;
    }
}

// -- what is known ------------------------------------------------------------

bool delivery_rules::was_acknowledged(const delivery_key& what) const {
  const auto i = deliveries_.find(what);
  return i != deliveries_.end()
         && std::any_of(i->second.begin(), i->second.end(),
                        [](auto& x) { return x.at == phase::acknowledged; });
}

bool delivery_rules::has_ended(const delivery_key& what) const {
  const auto i = deliveries_.find(what);
  return i != deliveries_.end() && !i->second.empty()
         && std::all_of(i->second.begin(), i->second.end(),
                        [](auto& x) { return x.at > phase::started; });
}

bool delivery_rules::was_rejected(const delivery_key& what) const {
  return rejected_.count(what) > 0;
}

std::optional<worker_id>
delivery_rules::at_work(const delivery_key& what) const {
  const auto i = deliveries_.find(what);
  if (i != deliveries_.end())
    for (const auto& x : i->second)
      if (x.at == phase::started && !may_be_repeated(x))
        return x.by;
  return std::nullopt;
}

const sink_rules* delivery_rules::rules_of(instance_id id) const {
  const auto i = instances_.find(id);
  return i != instances_.end() ? &i->second.rules : nullptr;
}

const sink_rules* delivery_rules::rules_of(const std::string& sink) const {
  for (const auto& [id, x] : instances_)
    if (x.sink == sink)
      return &x.rules;
  return nullptr;
}

bool delivery_rules::is_alive(instance_id id) const {
  const auto i = instances_.find(id);
  return i != instances_.end() && i->second.is_alive;
}

// -- helpers ------------------------------------------------------------------

delivery_key delivery_rules::key_of(worker_id at, const event& what) const {
  return {instances_.at(workers_.at(at).at).sink, std::string{what.stream()},
          what.id()};
}

bool delivery_rules::is_quiet_for_too_long(const worker& x) const {
  return x.held > 0
         && now_ - x.quiet_since + under_way
              >= instances_.at(x.at).rules.ack_wait;
}

// A sink waits for handlers as long as its drain time allows, of which it keeps
// up to a quarter for handing back.
bool delivery_rules::may_leave_handlers(const instance& x) const {
  return !x.is_alive
         || (x.closes_since
             && now_ - *x.closes_since >= x.rules.drain_timeout * 3 / 4);
}

bool delivery_rules::may_be_repeated(const holding& x) const {
  const auto& who = workers_.at(x.by);
  if (x.is_forfeited || may_leave_handlers(instances_.at(who.at)))
    return true;
  if (x.at == phase::acknowledged)
    return false;
  return x.at == phase::failed || !who.is_alive || is_quiet_for_too_long(who);
}

delivery_rules::holding* delivery_rules::last_of(worker_id at,
                                                 const event& what) {
  auto& all = deliveries_[key_of(at, what)];
  const auto i = std::find_if(all.begin(), all.end(), [at](auto& x) {
    return x.by == at && x.at <= phase::started;
  });
  return i != all.end() ? &*i : nullptr;
}

void delivery_rules::check_copies(worker_id at, const delivery_key& key) {
  for (const auto& x : deliveries_[key])
    if (!may_be_repeated(x))
      out_.add("duplicate", to_string(key) + " came to worker "
                              + std::to_string(at)
                              + (x.at == phase::acknowledged
                                   ? " after it was acknowledged by worker "
                                   : " while it was at worker ")
                              + std::to_string(x.by));
}

void delivery_rules::check_counts(const delivery_key& key, const event& what) {
  const auto n = what.counts().deliveries;
  const auto& before = deliveries_[key];
  const auto was_at_work = std::any_of(
    before.begin(), before.end(), [](auto& x) { return x.at != phase::waits; });
  if (was_at_work && n <= 1)
    out_.add("uncounted", to_string(key)
                            + " comes again with the count of a first "
                              "delivery");
  // Deliveries beyond the limit are those at which the event was not at fault:
  // it waited behind another one when its worker hung or died.
  const auto& rules = *rules_of(key.sink);
  if (rules.max_deliveries > 0
      && what.counts().failures >= rules.max_deliveries)
    out_.add("attempts", to_string(key) + " comes again after "
                           + std::to_string(what.counts().failures)
                           + " failures");
}

void delivery_rules::check_order(worker_id at, const delivery_key& key,
                                 const event& what) {
  auto& mine = instances_.at(workers_.at(at).at);
  // With keyed dispatch, a topic may wait while others go on. What another
  // consumer handed back undelivered comes later.
  if (what.counts().deliveries != 1 || mine.rules.keyed
      || owners_.count(key) > 0)
    return;
  auto& last = mine.last_first[{at, key.stream}];
  if (what.id() <= last)
    out_.add("order", to_string(key) + " came to worker " + std::to_string(at)
                        + " for the first time, behind " + to_string(last));
  last = std::max(last, what.id());
}

void delivery_rules::check_topic(worker_id at, const delivery_key& key,
                                 const event& what) {
  if (!instances_.at(workers_.at(at).at).rules.keyed || what.topic().empty())
    return;
  for (const auto& [other, holdings] : deliveries_) {
    if (other.stream != key.stream || other.sink != key.sink
        || other.id == key.id || was_acknowledged(other) || was_rejected(other))
      continue;
    for (const auto& x : holdings)
      if (x.at <= phase::started && x.topic == what.topic()
          && !may_be_repeated(x))
        out_.add("topic", to_string(key) + " came to a worker while "
                            + to_string(other.id)
                            + " of the same topic was at another worker");
  }
}

} // namespace pulse::simulation
