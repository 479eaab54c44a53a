#pragma once

#include "pulse/actors/internal/stream/actor.hpp"
#include "pulse/actors/internal/stream/operations.hpp"
#include "pulse/actors/internal/stream/self.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/streams/repeat_counter.hpp"
#include "pulse/core/streams/trim_schedule.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <string>

namespace pulse::internal {

/// Trims the stream of a stream actor, separately from its adds. Warns of sinks
/// that keep the stream from being trimmed, and of events that were removed
/// before sinks could handle them. A trim that failed is logged
/// and not repeated, since the next adds or the next tick trim anyway.
class stream_trimmer {
public:
  using time_point = trim_schedule::time_point;

  /// All references must outlive the trimmer.
  stream_trimmer(stream_self::pointer self, const stream_options& options,
                 const connection_actor& redis, const resp::add_format& format,
                 stream_counters& counters);

  /// Call this when it is known what the stream keeps, or when that changed.
  void start();

  /// Counts events that were added, and trims if it is time to.
  void added(uint64_t events);

  /// Call this when an add failed because the stream is full: trims at once.
  void full();

  /// Trims old events if it is time to.
  void tick(time_point now);

  /// @returns when tick() has to be called; `time_point::max()`: never.
  [[nodiscard]] time_point next_tick() const noexcept {
    return next_tick_;
  }

private:
  void trim();
  void done(const resp::reply& reply);
  void failed(const failure& why);
  void warn_of_loss(const trimmed& x);
  void warn_of_length(const trimmed& x);
  void warn_of_silence(const trimmed& x);
  [[nodiscard]] milliseconds age_interval() const;
  void report(log_level level, const std::string& line) const;

  stream_self::pointer self_;
  const stream_options& options_;
  const connection_actor& redis_;
  const resp::add_format& format_;
  stream_counters& counters_;
  trim_schedule schedule_;
  repeat_counter losses_;
  time_point next_tick_ = time_point::max();
  errc last_failure_ = errc::none;
  // The silent sink of the last warning.
  std::string told_of_;
};

} // namespace pulse::internal
