#include "pulse/actors/internal/hub/tail.hpp"

#include "pulse/actors/internal/hub/read_commands.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/names.hpp"

#include <algorithm>
#include <utility>

namespace pulse::internal {

namespace {

// An unblock has no effect if it reaches Redis before the read. So it is
// repeated at this interval.
constexpr milliseconds unblock_interval{20};

// Maximum number of events of one read, about, and the minimum number per
// stream. A read of many streams may bring more, but a single busy stream is
// still read fast.
constexpr size_t most_events = 16'384;
constexpr size_t least_count = 64;

// Interval at which a busy stream is checked, and the minimum part of it per
// stream. So a stream that was not read for longer is checked before its next
// read.
constexpr milliseconds check_interval{1'000};
constexpr milliseconds check_share{5};

// @returns for the first events of a block that are of one stream, from `begin`
// on, where they end.
uint32_t end_of_stream(const event_block& x, uint32_t begin) {
  auto end = begin;
  while (end < x.extents.size()
         && x.extents[end].stream == x.extents[begin].stream)
    ++end;
  return end;
}

} // namespace

hub_tail::hub_tail(hub_context& hub, std::function<void()> on_page,
                   std::function<void(hub_tail&, const failure&)> on_failure)
  : hub_(hub),
    on_page_(std::move(on_page)),
    on_failure_(std::move(on_failure)),
    backoff_(retry_backoff()) {
  // nop
}

hub_tail::~hub_tail() {
  if (redis_)
    tell(redis_, caf::close_atom_v);
}

void hub_tail::add(const std::string& stream) {
  streams_.try_emplace(stream, hub_.self->clock().now() + check_interval);
}

// -- reading ------------------------------------------------------------------

void hub_tail::update() {
  if (paused_)
    return;
  if (!busy_)
    begin();
  else if (blocks_ && is_outdated())
    interrupt();
}

bool hub_tail::is_outdated() const {
  return std::any_of(streams_.begin(), streams_.end(), [this](auto& x) {
    const auto needed = hub_.pages.tail_of(x.first);
    if (!needed)
      return false;
    const auto i = sent_.find(x.first);
    return needed->urgent || i == sent_.end()
           || needed->after < i->second.after;
  });
}

// A read that follows a failed one does not block, and checks nothing: the
// command waits in the connection until Redis is back, and blocking time would
// then exceed its deadline. A read of some of the streams does not block
// either, since the others wait for their turn.
void hub_tail::begin() {
  const auto works = failures_ == 0;
  const auto now = hub_.self->clock().now();
  auto reads = needed();
  blocks_ = !turns_.choose(reads) && works;
  std::map<std::string, event_id> cursors;
  std::vector<std::string> checked;
  uint32_t count = 0;
  sent_.clear();
  ++reads_;
  for (auto& [name, needed] : reads) {
    auto& next_check = streams_.at(name);
    const auto checks = works && (needed.check || now >= next_check);
    if (checks) {
      checked.push_back(name);
      next_check = now
                   + std::max<caf::timespan>(check_interval,
                                             check_share * streams_.size());
    }
    cursors.emplace(name, needed.after);
    count = std::max(count, needed.count);
    sent_[name] = {needed.after, hub_.pages.tail_begins(name, checks), false,
                   std::nullopt};
  }
  if (cursors.empty())
    return;
  if (!redis_)
    redis_ = hub_.redis.open_own("readers");
  if (!checked.empty())
    check(std::move(checked));
  asked_ = count_of(cursors.size(), count);
  busy_ = true;
  run_on(hub_.self, redis_, read_command(cursors, asked_, blocks_),
         [this](const outcome<reply_ptr>& x) { on_read(x); });
}

std::map<std::string, page_hub::tail_read> hub_tail::needed() const {
  std::map<std::string, page_hub::tail_read> result;
  for (auto& [name, next_check] : streams_)
    if (auto x = hub_.pages.tail_of(name))
      result.emplace(name, *x);
  return result;
}

uint32_t hub_tail::count_of(uint64_t streams, uint64_t wanted) const {
  const auto share = std::max(most_events / streams, least_count);
  return limit_.apply(std::min<uint64_t>(wanted, share),
                      page_limit::default_bytes, streams);
}

void hub_tail::check(std::vector<std::string> streams) {
  auto command = position_command(streams, false);
  run_on(hub_.self, redis_, std::move(command),
         [this, number = reads_,
          streams = std::move(streams)](const outcome<reply_ptr>& x) {
           if (number == reads_)
             on_checked(streams, x);
         });
}

void hub_tail::on_checked(const std::vector<std::string>& streams,
                          const outcome<reply_ptr>& x) {
  if (!x.ok()) // the read after it fails as well
    return;
  std::vector<page_hub::tail_result> results;
  resp::cursor at{**x};
  for (auto& name : streams) {
    auto& part = sent_.at(name);
    if (auto found = read_position(at); found.ok()) {
      part.checked = true;
      part.found = *found;
      results.push_back({page_of(name), part.read, false});
    }
    at.skip();
  }
  hub_.pages.tail_checked(results);
  on_page_();
}

void hub_tail::on_read(const outcome<reply_ptr>& x) {
  busy_ = false;
  hub_.timers.cancel(unblock_timer_);
  const auto interrupted = std::exchange(interrupted_, false);
  auto page = x.ok() ? resp::read_page(**x, stream_key(""))
                     : outcome<resp::event_page>{x.error()};
  if (!page.ok())
    return fail(page.error());
  const auto& block = *page->block;
  limit_.worked(block.extents.size(), block.bytes.size(), (*x)->took);
  turns_.worked(block.bytes.size());
  backoff_.reset();
  if (failures_ > 0) {
    log(log_level::info, "pulse.hub",
        "reads again after " + std::to_string(failures_) + " failed attempts");
    for (auto& [name, next_check] : streams_)
      hub_.pages.check_next(name);
  }
  failures_ = 0;
  if (!block.extents.empty())
    hand_over(page->block, (*x)->took);
  else if (!interrupted)
    drained();
  on_page_();
  update();
}

std::vector<std::string> hub_tail::last_read() const {
  std::vector<std::string> result;
  for (auto& [name, part] : sent_)
    result.push_back(name);
  return result;
}

stream_page hub_tail::page_of(const std::string& stream) const {
  const auto& from = sent_.at(stream);
  stream_page result;
  result.stream = stream;
  result.after = from.after;
  result.checked = from.checked;
  result.found = from.found;
  return result;
}

void hub_tail::hand_over(const std::shared_ptr<const event_block>& block,
                         std::chrono::steady_clock::duration took) {
  std::vector<page_hub::tail_result> results;
  const auto size = static_cast<uint32_t>(block->extents.size());
  for (uint32_t begin = 0; begin < size;) {
    const auto end = end_of_stream(*block, begin);
    const auto& name = block->streams[block->extents[begin].stream];
    if (const auto i = sent_.find(name); i != sent_.end()) {
      auto page = page_of(name);
      page.block = block;
      page.begin = begin;
      page.end = end;
      page.took = took;
      detach(page);
      const auto full = page.size() >= asked_;
      results.push_back({std::move(page), i->second.read, full});
    }
    begin = end;
  }
  hub_.pages.tail_came(results);
}

void hub_tail::drained() {
  std::vector<page_hub::tail_result> results;
  for (auto& [name, x] : sent_) {
    results.push_back({page_of(name), x.read, false});
    results.back().page.drained = true;
  }
  hub_.pages.tail_drained(results);
}

// -- ending a read ------------------------------------------------------------

void hub_tail::interrupt() {
  if (interrupted_)
    return;
  interrupted_ = true;
  unblock();
}

void hub_tail::unblock() {
  tell(redis_, atom::unblock_v);
  unblock_timer_ = hub_.timers.start(unblock_interval, [this] { unblock(); });
}

// -- failures -----------------------------------------------------------------

void hub_tail::fail(const failure& why) {
  // This connection has terminated; the next read opens another one.
  if (why.code == errc::closed)
    redis_ = nullptr;
  if (asked_ == 1 && page_limit::is_too_large(why.code))
    turns_.failed(sent_.size());
  limit_.failed(asked_, why.code);
  if (++failures_ == 1 || why.code != last_failure_)
    log(log_level::warning, "pulse.hub",
        "cannot read, and tries again: " + to_string(why));
  last_failure_ = why.code;
  paused_ = true;
  on_failure_(*this, why);
}

void hub_tail::read_on() {
  paused_ = false;
  update();
}

void hub_tail::back_off() {
  hub_.timers.start(backoff_.next(hub_.random), [this] { read_on(); });
}

} // namespace pulse::internal
