#include "pulse/actors/internal/stream/trimmer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

std::string hours_of(milliseconds x) {
  return std::to_string(std::chrono::duration_cast<hours>(x).count()) + " h";
}

} // namespace

stream_trimmer::stream_trimmer(stream_self::pointer self,
                               const stream_options& options,
                               const connection_actor& redis,
                               const std::string& key,
                               stream_counters& counters)
  : self_(self),
    options_(options),
    redis_(redis),
    key_(key),
    counters_(counters),
    // Without `protect_unacked` each add trims to max_len.
    schedule_(options.protect_unacked ? options.max_len : 0) {
  if (options_.max_age.count() > 0)
    next_tick_ = self_->clock().now();
}

void stream_trimmer::added(uint64_t events) {
  if (schedule_.added(events, self_->clock().now()))
    trim();
}

void stream_trimmer::full() {
  if (options_.protect_unacked && schedule_.wanted(self_->clock().now()))
    trim();
}

void stream_trimmer::tick(time_point now) {
  if (now < next_tick_)
    return;
  next_tick_ = now + age_interval();
  if (schedule_.wanted(now))
    trim();
}

// An event exceeds max_age by at most a tenth of it, or by one second.
milliseconds stream_trimmer::age_interval() const {
  return std::clamp<milliseconds>(options_.max_age / 10, seconds{1},
                                  seconds{60});
}

void stream_trimmer::trim() {
  run_on(
    self_, redis_, trim_by_options(key_, options_),
    [this](const resp::reply& reply) { done(reply); },
    [this](const failure& why) { failed(why); });
}

void stream_trimmer::done(const resp::reply& reply) {
  schedule_.done();
  const auto x = read_trimmed(reply);
  if (!x)
    return failed(x.error());
  last_failure_ = errc::none;
  counters_.trimmed += x->removed;
  if (x->held_by.empty())
    return;
  warn_of_length(*x);
  warn_of_silence(*x);
}

void stream_trimmer::warn_of_length(const trimmed& x) {
  if (options_.max_len > 0 && schedule_.alarming(x.length))
    report(log_level::warning,
           "the stream has " + std::to_string(x.length) + " events, max_len is "
             + std::to_string(options_.max_len) + ": sink \"" + x.held_by
             + "\" has not acknowledged the older ones; let it catch up or "
               "delete it");
}

void stream_trimmer::warn_of_silence(const trimmed& x) {
  const auto limit = options_.group_expiry;
  const bool silent = x.holder_silence.count() < 0 || x.holder_silence > limit;
  if (limit.count() == 0 || !silent || x.oldest_age <= limit) {
    told_of_.clear();
    return;
  }
  if (std::exchange(told_of_, x.held_by) == x.held_by)
    return;
  report(
    log_level::warning,
    "sink \"" + x.held_by + "\" keeps events of the last "
      + hours_of(x.oldest_age)
      + " from being trimmed, and none of its nodes was heard of for "
      + hours_of(limit)
      + " (group_expiry): open it, or, if nobody needs it any more, delete "
        "it with XGROUP DESTROY "
      + key_ + " " + x.held_by);
}

// Logged once per reason, since the trims after the next adds will fail as
// well.
void stream_trimmer::failed(const failure& why) {
  schedule_.done();
  if (why.code != last_failure_)
    report(log_level::warning, "cannot trim the stream: " + to_string(why));
  last_failure_ = why.code;
}

void stream_trimmer::report(log_level level, const std::string& line) const {
  log(level, "pulse.stream " + options_.name, line);
}

} // namespace pulse::internal
