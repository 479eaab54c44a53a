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
                               const resp::add_format& format,
                               stream_counters& counters)
  : self_(self),
    options_(options),
    redis_(redis),
    format_(format),
    counters_(counters) {
  // nop
}

void stream_trimmer::start() {
  schedule_.set_max_len(format_.keeps.max_len);
  if (format_.keeps.max_age.count() == 0)
    next_tick_ = time_point::max();
  else
    next_tick_ = std::min(next_tick_, self_->clock().now() + age_interval());
}

void stream_trimmer::added(uint64_t events) {
  if (schedule_.added(events, self_->clock().now()))
    trim();
}

void stream_trimmer::full() {
  if (schedule_.wanted(self_->clock().now()))
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
  return std::clamp<milliseconds>(format_.keeps.max_age / 10, seconds{1},
                                  seconds{60});
}

void stream_trimmer::trim() {
  run_on(
    self_, redis_, trim_by_retention(format_),
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
  warn_of_loss(*x);
  if (x->held_by.empty())
    return;
  warn_of_length(*x);
  warn_of_silence(*x);
}

void stream_trimmer::warn_of_loss(const trimmed& x) {
  counters_.lost += x.lost;
  if (const auto n = losses_.add(x.lost, self_->clock().now()))
    report(log_level::warning,
           std::to_string(*n)
             + " events were removed that no sink, or not every sink, had "
               "acknowledged. The stream keeps "
             + to_string(format_.keeps)
             + (format_.keeps.protect_unacked
                  ? ", and has no sink whose events could be protected"
                  : ""));
}

void stream_trimmer::warn_of_length(const trimmed& x) {
  if (format_.keeps.max_len > 0 && schedule_.alarming(x.length))
    report(log_level::warning,
           "the stream has " + std::to_string(x.length) + " events, max_len is "
             + std::to_string(format_.keeps.max_len) + ": sink \"" + x.held_by
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
      + format_.key + " " + x.held_by);
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
