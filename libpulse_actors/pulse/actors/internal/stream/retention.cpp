#include "pulse/actors/internal/stream/retention.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include <utility>

namespace pulse::internal {

namespace {

constexpr std::chrono::seconds interval{5};

// @returns whether there can be no agreement after this error of Redis. After
// other errors, such as a missing right, the stream actor uses its own options.
bool prevents_agreement(errc x) {
  return x == errc::retention_conflict || is_transient(x);
}

bool is_limited(const stream_retention& x) {
  return x.max_len > 0 || x.max_age.count() > 0 || x.hard_max_len > 0
         || x.ttl.count() > 0;
}

} // namespace

stream_agreement::stream_agreement(stream_self::pointer self,
                                   const stream_options& options,
                                   const connection_actor& redis,
                                   resp::add_format& format,
                                   std::function<void(const status&)> answered)
  : self_(self),
    options_(options),
    redis_(redis),
    format_(format),
    answered_(std::move(answered)) {
  // nop
}

void stream_agreement::ask() {
  if (std::exchange(under_way_, true))
    return;
  asked_at_ = self_->clock().now();
  using query = resp::retention_query;
  auto how = query::follow;
  if (!agreed_ && options_.retention == retention_mode::change)
    how = query::change;
  else if (!reached_)
    how = query::check;
  script_call call{resp::retention_script(),
                   {format_.key, format_.retention_key}};
  for (const auto& x : resp::retention_arguments(options_, how))
    call.arg(x);
  run_on(
    self_, redis_, call.finish(true),
    [this](const resp::reply& reply) {
      under_way_ = false;
      on_answer(reply);
    },
    [this](const failure& why) {
      under_way_ = false;
      answered_(reached_ ? status{} : status{why});
    });
}

void stream_agreement::renew() {
  if (self_->clock().now() - asked_at_ >= interval)
    ask();
}

void stream_agreement::on_answer(const resp::reply& reply) {
  resp::cursor at{reply};
  const auto x = resp::read_retention(at);
  known_ = x ? status{} : status{x.error()};
  if (x)
    follow(*x);
  else if (!reached_ && prevents_agreement(x.error().code))
    return answered_(x.error());
  else
    on_refused(x.error());
  reached_ = true;
  answered_({});
}

// Redis cannot tell what it stores. The options of the actor count, or what it
// knew before.
void stream_agreement::on_refused(const failure& why) {
  if (is_transient(why.code) || std::exchange(told_of_refusal_, true))
    return;
  report(log_level::warning,
         "cannot read what all processes agreed to keep, so this one keeps "
           + to_string(format_.keeps) + ": " + to_string(why));
}

void stream_agreement::follow(const resp::stored_retention& x) {
  agreed_ = true;
  told_of_refusal_ = false;
  if (reached_ && x.keeps != format_.keeps)
    report(log_level::warning, "another process changed what the stream keeps: "
                                 + to_string(x.keeps) + " (before: "
                                 + to_string(format_.keeps) + ")");
  format_.keeps = x.keeps;
  warn_of_length(x);
}

void stream_agreement::warn_of_length(const resp::stored_retention& x) {
  if (is_limited(x.keeps) || x.length < alarm_at_)
    return;
  alarm_at_ = 2 * x.length;
  report(
    log_level::warning,
    "the stream has " + std::to_string(x.length)
      + " events, and nothing limits it: it grows until Redis is full. Set "
        "max_len, max_age or ttl, for instance by pulse retention");
}

void stream_agreement::report(log_level level, const std::string& line) const {
  log(level, "pulse.stream " + options_.name, line);
}

} // namespace pulse::internal
