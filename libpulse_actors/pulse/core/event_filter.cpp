#include "pulse/core/event_filter.hpp"

#include "pulse/core/exception_text.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/outcome.hpp"

#include <re2/re2.h>

#include <utility>

namespace pulse {

namespace {

re2::StringPiece piece(std::string_view x) {
  return {x.data(), x.size()};
}

RE2::Options pattern_options() {
  RE2::Options result;
  result.set_log_errors(false);
  return result;
}

// RE2 reports which part of the pattern is wrong, but not where that part is.
failure bad_pattern(const std::string& pattern, const RE2& compiled) {
  const auto& part = compiled.error_arg();
  auto pos = pattern.find(part);
  if (pos == std::string::npos)
    pos = 0;
  auto what = "topic_pattern \"" + pattern + "\": " + compiled.error();
  return {errc::invalid_pattern, what + " at position " + std::to_string(pos)};
}

} // namespace

event_predicate event_predicate::of_other_process() {
  static const event_predicate result{[](const event&) { return false; }};
  return result;
}

bool event_predicate::is_of_other_process() const noexcept {
  return *this == of_other_process();
}

struct event_filter::compiled_pattern {
  explicit compiled_pattern(const std::string& text)
    : re(text, pattern_options()) {
    // nop
  }

  RE2 re;
};

outcome<event_filter> event_filter::compile(const filter_options& options) {
  if (!options.topic.empty() && !options.topic_pattern.empty())
    return failure{errc::invalid_option,
                   "topic is \"" + options.topic + "\" and topic_pattern is \""
                     + options.topic_pattern + "\": set one of them"};
  if (options.predicate.is_of_other_process())
    return failure{errc::invalid_option,
                   "predicate is code of another process, which cannot be "
                   "sent: open the reader or sink in the process that has the "
                   "predicate, or use topic or topic_pattern"};
  event_filter result;
  result.topic_ = options.topic;
  result.predicate_ = options.predicate;
  if (!options.topic_pattern.empty()) {
    result.pattern_
      = std::make_shared<const compiled_pattern>(options.topic_pattern);
    if (!result.pattern_->re.ok())
      return bad_pattern(options.topic_pattern, result.pattern_->re);
  }
  return result;
}

bool event_filter::wants(const event& x) const {
  if (!topic_.empty() && x.topic() != topic_)
    return false;
  if (pattern_ && !RE2::FullMatch(piece(x.topic()), pattern_->re))
    return false;
  return !predicate_ || fulfils_predicate(x);
}

bool event_filter::fulfils_predicate(const event& x) const {
  try {
    return predicate_(x);
  } catch (...) {
    if (!std::exchange(reported_, true))
      log(log_level::error, "pulse.filter",
          "filter.predicate threw " + exception_text() + " at event "
            + to_string(x.id()) + " of stream " + std::string{x.stream()}
            + ": events at which it throws are delivered; catch exceptions in "
              "the predicate (this line is logged once)");
    return true;
  }
}

bool event_filter::wants_everything() const noexcept {
  return topic_.empty() && !pattern_ && !predicate_;
}

} // namespace pulse
