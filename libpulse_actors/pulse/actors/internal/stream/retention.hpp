#pragma once

#include "pulse/actors/internal/stream/actor.hpp"
#include "pulse/actors/internal/stream/self.hpp"
#include "pulse/core/log.hpp"
#include "pulse/resp/add_batch.hpp"
#include "pulse/resp/retention.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <string>

namespace pulse::internal {

/// Agrees with Redis on what the stream keeps: at the beginning, and again
/// every 5 s while events are added, since another process may have changed it.
/// Warns of a stream that nothing limits when it gets large.
class stream_agreement {
public:
  using time_point = caf::actor_clock::time_point;

  /// All references must outlive the agreement.
  /// @param answered Called after each answer of Redis: with the reason if
  /// there is no agreement yet.
  stream_agreement(stream_self::pointer self, const stream_options& options,
                   const connection_actor& redis, resp::add_format& format,
                   std::function<void(const status&)> answered);

  /// @returns whether it is known what the stream keeps. Before that, nothing
  /// may be added.
  [[nodiscard]] bool reached() const noexcept {
    return reached_;
  }

  /// @returns why it is not known what Redis stores, if so. If Redis refused
  /// the question, the options of the stream actor count meanwhile.
  [[nodiscard]] const status& known() const noexcept {
    return known_;
  }

  /// Asks Redis, unless a question is under way.
  void ask();

  /// The same if the last answer is older than 5 s.
  void renew();

  /// @returns when the question under way was asked.
  [[nodiscard]] time_point asked_at() const noexcept {
    return asked_at_;
  }

private:
  void on_answer(const resp::reply& reply);
  void on_refused(const failure& why);
  void follow(const resp::stored_retention& x);
  void warn_of_length(const resp::stored_retention& x);
  void report(log_level level, const std::string& line) const;

  stream_self::pointer self_;
  const stream_options& options_;
  const connection_actor& redis_;
  resp::add_format& format_;
  std::function<void(const status&)> answered_;
  time_point asked_at_;
  // The length at which to warn next.
  uint64_t alarm_at_ = 1'000'000;
  status known_;
  bool reached_ = false;
  bool agreed_ = false;
  bool under_way_ = false;
  bool told_of_refusal_ = false;
};

} // namespace pulse::internal
