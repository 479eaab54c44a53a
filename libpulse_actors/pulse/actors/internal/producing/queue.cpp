#include "pulse/actors/internal/producing/queue.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/type_ids.hpp"
#include "pulse/core/log.hpp"

#include <exception>

namespace pulse::internal {

namespace {

uint64_t size_of(const new_event& x) {
  return x.name.size() + x.payload.size() + x.topic.size() + x.dedup_id.size();
}

// A larger request would be no cheaper; the stream actor makes batches of the
// same size.
constexpr size_t max_events = 128;
constexpr uint64_t max_bytes = 32u << 10;

// The stream actor has two small batches under way and prepares the next one.
// More small requests would only be smaller.
constexpr size_t max_small_under_way = 3;
// As many events as the stream actor has under way, and some that wait there.
// CAF 0.17.6 searches the open requests of an actor one by one.
constexpr size_t max_under_way = 10;

const std::vector<new_event>& events_of(const caf::message& x) {
  return x.get_as<std::vector<new_event>>(1);
}

} // namespace

add_queue::add_queue(const producer_options& how, std::string component)
  : how_(how),
    component_(std::move(component)),
    window_(how.max_open, how.max_open_bytes) {
  // nop
}

add_queue::~add_queue() {
  if (!kept_.empty())
    log(log_level::warning, component_,
        std::to_string(kept_.size())
          + " events could not be added, and nobody took them; the first "
            "reason: "
          + to_string(kept_.front().what.why));
}

// -- for threads --------------------------------------------------------------

status add_queue::add(new_event& x, clock::time_point deadline,
                      std::unique_ptr<add_promise> result) {
  lock guard{mutex_};
  if (stopped_.code != errc::none)
    return stopped_;
  const auto bytes = size_of(x);
  open_add what{bytes, 0, std::move(result)};
  if (report_ && handler_thread_ == std::this_thread::get_id())
    return add_in_handler(x, what);
  if (window_.try_enter(bytes)) {
    what.round = rounds_.begin_one();
    push(x, std::move(what));
    return {};
  }
  if (is_stuck())
    return stuck();
  if (clock::now() >= deadline)
    return full("there is no room");
  what.round = rounds_.begin_one();
  const auto round = what.round;
  thread_wait me;
  const auto ticket = window_.wait(
    bytes, waiter{&x, nullptr, std::move(what), &me, {}, deadline});
  me.changed.wait_until(guard, deadline, [&] { return me.ended; });
  if (me.ended)
    return me.why.code == errc::none ? status{} : status{me.why};
  window_.give_up(ticket, [this](waiter& y) { admit(y); });
  end_round(round);
  return full("there was no room in time");
}

// The handler must not wait for room: the failed events that it has not taken
// yet may be what fills the window.
status add_queue::add_in_handler(new_event& x, open_add& what) {
  if (!report_->replaced && window_.replace(report_->bytes, what.bytes))
    report_->replaced = true;
  else if (!window_.try_enter(what.bytes))
    return full("the failure handler has added an event already, or a smaller "
                "one failed, and there is no room for another one");
  what.round = rounds_.begin_one();
  push(x, std::move(what));
  return {};
}

status add_queue::flush(clock::time_point deadline) {
  lock guard{mutex_};
  const auto flushed = rounds_.flush();
  if (flushed_.wait_until(guard, deadline,
                          [&] { return rounds_.has_ended(flushed); }))
    return {};
  return failure{errc::timed_out,
                 "the flush of " + component_ + " did not end in time: "
                   + std::to_string(window_.open()) + " adds are still open"};
}

std::vector<failed_add> add_queue::take_failed() {
  lock guard{mutex_};
  std::vector<failed_add> result;
  for (auto& x : std::exchange(kept_, {})) {
    result.push_back(std::move(x.what));
    leave(x.bytes);
  }
  return result;
}

producer_info add_queue::info() const {
  lock guard{mutex_};
  producer_info result;
  result.open = window_.open();
  result.open_bytes = window_.open_bytes();
  result.most_open = window_.most_open();
  result.most_open_bytes = window_.most_open_bytes();
  result.waiting = window_.waiting();
  result.added = added_;
  result.failed = failed_;
  result.untaken = kept_.size() + unreported_.size() + (report_ ? 1 : 0);
  return result;
}

void add_queue::stop(const failure& why) {
  lock guard{mutex_};
  if (stopped_.code != errc::none)
    return;
  stopped_ = why;
  refuse_all(why);
}

void add_queue::give_up() {
  lock guard{mutex_};
  for (auto& x : unreported_) {
    end_round(x.round);
    kept_.push_back(std::move(x));
  }
  unreported_.clear();
  listening_ = false;
  const failure unknown{errc::timed_out,
                        component_
                          + " ended before Redis answered; the event may be "
                            "stored"};
  fail_sent(unknown);
  fail_unsent({errc::closed, component_ + " ended before the event was sent"});
}

void add_queue::give_up_sent(const failure& why) {
  lock guard{mutex_};
  fail_sent(why);
}

void add_queue::give_up_unsent(const failure& why) {
  lock guard{mutex_};
  fail_unsent(why);
}

void add_queue::call(const std::function<void(failed_add)>& handler,
                     failed_add x) {
  auto set_thread = [this](std::thread::id id) {
    lock guard{mutex_};
    handler_thread_ = id;
  };
  set_thread(std::this_thread::get_id());
  try {
    handler(std::move(x));
  } catch (...) {
    set_thread({});
    throw;
  }
  set_thread({});
}

// -- for the actor ------------------------------------------------------------

void add_queue::set_wake(std::function<void()> wake) {
  lock guard{mutex_};
  wake_ = std::move(wake);
  // Threads may add before the actor runs for the first time.
  if (!queued_.empty())
    this->wake();
}

std::optional<status> add_queue::add(new_event& x) {
  lock guard{mutex_};
  if (stopped_.code != errc::none)
    return status{stopped_};
  const auto bytes = size_of(x);
  if (window_.try_enter(bytes)) {
    push(x, {bytes, rounds_.begin_one(), nullptr});
    return status{};
  }
  if (is_stuck())
    return status{stuck()};
  if (actors_waiting_ > 0
      && (actors_waiting_ >= how_.max_waiting
          || actors_waiting_bytes_ + bytes > how_.max_open_bytes))
    return status{full("other adds wait for room, and they are max_waiting, or "
                       "their events have max_open_bytes")};
  return std::nullopt;
}

void add_queue::wait(new_event& x, caf::response_promise answer,
                     clock::time_point deadline) {
  lock guard{mutex_};
  const auto bytes = size_of(x);
  ++actors_waiting_;
  actors_waiting_bytes_ += bytes;
  auto own = std::make_unique<new_event>(std::move(x));
  auto* event = own.get();
  window_.wait(bytes, waiter{event,
                             std::move(own),
                             {bytes, rounds_.begin_one(), nullptr},
                             nullptr,
                             std::move(answer),
                             deadline});
}

std::optional<add_queue::clock::time_point>
add_queue::expire(clock::time_point now) {
  lock guard{mutex_};
  std::optional<clock::time_point> next;
  auto is_over = [&](const waiter& x) {
    if (x.thread != nullptr)
      return false;
    if (x.deadline > now)
      next = next ? std::min(*next, x.deadline) : x.deadline;
    return x.deadline <= now;
  };
  window_.give_up_if(
    is_over,
    [this](waiter& x) { refuse(x, full("there was no room in time")); },
    [this](waiter& x) { admit(x); });
  return next;
}

void add_queue::woken() {
  lock guard{mutex_};
  awake_ = false;
}

std::optional<add_queue::request> add_queue::start_next() {
  lock guard{mutex_};
  if (!may_start())
    return std::nullopt;
  auto x = std::move(queued_.front());
  queued_.pop_front();
  x.message = caf::make_message(caf::add_atom_v, std::move(x.events));
  auto message = x.message;
  under_way_.emplace(++last_id_, std::move(x));
  return request{last_id_, std::move(message)};
}

void add_queue::settle(uint64_t id, const std::vector<add_result>& results) {
  lock guard{mutex_};
  auto found = under_way_.extract(id);
  if (!found)
    return; // given up
  auto& x = found.mapped();
  if (results.size() != x.adds.size())
    return fail_all(x, events_of(x.message),
                    {errc::internal,
                     "the stream sent " + std::to_string(results.size())
                       + " results for " + std::to_string(x.adds.size())
                       + " events"});
  for (size_t i = 0; i < results.size(); ++i) {
    auto& one = x.adds[i];
    if (results[i].code != errc::none) {
      fail_one(events_of(x.message)[i], one,
               {results[i].code, results[i].what});
      continue;
    }
    ++added_;
    if (one.result)
      one.result->set_value(results[i].id);
    end_round(one.round);
    leave(one.bytes);
  }
  refuse_if_stuck();
}

void add_queue::fail(uint64_t id, const failure& why) {
  lock guard{mutex_};
  if (auto found = under_way_.extract(id))
    fail_all(found.mapped(), events_of(found.mapped().message), why);
}

std::vector<add_queue::answer> add_queue::take_answers() {
  lock guard{mutex_};
  return std::exchange(answers_, {});
}

void add_queue::set_listening(bool on) {
  lock guard{mutex_};
  listening_ = on;
  auto& from = on ? kept_ : unreported_;
  auto& to = on ? unreported_ : kept_;
  for (auto& x : from) {
    if (on)
      x.round = rounds_.begin_one();
    else
      end_round(x.round);
    to.push_back(std::move(x));
  }
  from.clear();
  refuse_if_stuck();
}

std::optional<failed_add> add_queue::next_report() {
  lock guard{mutex_};
  if (report_ || !listening_ || unreported_.empty())
    return std::nullopt;
  auto& x = unreported_.front();
  report_ = report{x.bytes, x.round};
  auto result = std::move(x.what);
  unreported_.pop_front();
  return result;
}

void add_queue::reported() {
  lock guard{mutex_};
  const auto x = *std::exchange(report_, std::nullopt);
  end_round(x.round);
  if (!x.replaced)
    leave(x.bytes);
}

void add_queue::not_reported(failed_add x) {
  lock guard{mutex_};
  const auto was = *std::exchange(report_, std::nullopt);
  end_round(was.round);
  // If the handler has added an event in its place before it failed, it did
  // take this one.
  if (was.replaced)
    return;
  kept_.push_back({std::move(x), was.bytes, 0});
  refuse_if_stuck();
}

uint64_t add_queue::begin_flush() {
  lock guard{mutex_};
  return rounds_.flush();
}

bool add_queue::has_flushed(uint64_t flushed) const {
  lock guard{mutex_};
  return rounds_.has_ended(flushed);
}

bool add_queue::idle() const {
  lock guard{mutex_};
  return window_.open() == kept_.size() && window_.waiting() == 0;
}

// -- with the lock ------------------------------------------------------------

void add_queue::push(new_event& x, open_add what) {
  if (queued_.empty() || is_full(queued_.back()))
    queued_.emplace_back();
  auto& last = queued_.back();
  last.bytes += what.bytes;
  last.events.push_back(std::move(x));
  last.adds.push_back(std::move(what));
  // Otherwise the reply to a request wakes the actor.
  if (may_start())
    wake();
}

bool add_queue::is_full(const batch& x) {
  return x.adds.size() >= max_events || x.bytes >= max_bytes;
}

bool add_queue::may_start() const {
  return !queued_.empty() && under_way_.size() < max_under_way
         && (under_way_.size() < max_small_under_way
             || is_full(queued_.front()));
}

void add_queue::leave(uint64_t bytes) {
  window_.leave(bytes, [this](waiter& x) { admit(x); });
}

void add_queue::admit(waiter& x) {
  push(*x.event, std::move(x.what));
  if (x.thread != nullptr) {
    x.thread->ended = true;
    x.thread->changed.notify_one();
    return;
  }
  --actors_waiting_;
  actors_waiting_bytes_ -= queued_.back().adds.back().bytes;
  answers_.push_back({std::move(x.promise), {}});
  wake();
}

void add_queue::refuse(waiter& x, const failure& why) {
  end_round(x.what.round);
  if (x.thread != nullptr) {
    x.thread->why = why;
    x.thread->ended = true;
    x.thread->changed.notify_one();
    return;
  }
  --actors_waiting_;
  actors_waiting_bytes_ -= x.what.bytes;
  answers_.push_back({std::move(x.promise), why});
  wake();
}

void add_queue::refuse_all(const failure& why) {
  for (auto& x : window_.give_up_all())
    refuse(x, why);
}

void add_queue::end_round(uint64_t round) {
  rounds_.end_one(round);
  flushed_.notify_all();
}

void add_queue::fail_one(const new_event& x, open_add& what,
                         const failure& why) {
  ++failed_;
  if (what.result)
    what.result->set_value(make_error(why));
  if (listening_) {
    unreported_.push_back({{x, why}, what.bytes, what.round});
    return;
  }
  kept_.push_back({{x, why}, what.bytes, 0});
  end_round(what.round);
}

void add_queue::fail_all(batch& x, const std::vector<new_event>& events,
                         const failure& why) {
  for (size_t i = 0; i < x.adds.size(); ++i)
    fail_one(events[i], x.adds[i], why);
  refuse_if_stuck();
}

void add_queue::fail_sent(const failure& why) {
  for (auto& [id, x] : std::exchange(under_way_, {}))
    fail_all(x, events_of(x.message), why);
}

void add_queue::fail_unsent(const failure& why) {
  for (auto& x : std::exchange(queued_, {}))
    fail_all(x, x.events, why);
}

void add_queue::refuse_if_stuck() {
  while (window_.waiting() > 0 && is_stuck()) {
    bool is_first = true;
    window_.give_up_if(
      [&](const waiter&) { return std::exchange(is_first, false); },
      [this](waiter& x) { refuse(x, stuck()); },
      [this](waiter& x) { admit(x); });
  }
}

// Nothing that is under way can make room.
bool add_queue::is_stuck() const {
  return !kept_.empty() && window_.open() == kept_.size();
}

failure add_queue::stuck() const {
  return {errc::overloaded,
          std::to_string(kept_.size())
            + " events could not be added and fill the window of " + component_
            + ": take them by a flush, or set a failure handler; the first "
              "reason: "
            + to_string(kept_.front().what.why)};
}

failure add_queue::full(const std::string& why) const {
  return {errc::overloaded,
          component_ + ": " + why + "; " + std::to_string(window_.open())
            + " adds with " + std::to_string(window_.open_bytes())
            + " bytes are open, max_open is " + std::to_string(how_.max_open)
            + " and max_open_bytes " + std::to_string(how_.max_open_bytes)
            + ": slow down and retry"};
}

void add_queue::wake() {
  if (wake_ && !std::exchange(awake_, true))
    wake_();
}

} // namespace pulse::internal
