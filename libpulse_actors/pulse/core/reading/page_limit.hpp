#pragma once

#include "pulse/core/errc.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pulse {

/// Limits how many events one read asks Redis for, so that the reply has a
/// suitable size. Redis counts events and not bytes. So the limit follows from
/// the size of the events that came last, and from the time that they took to
/// arrive. As long as nothing is known, a read asks for one event, and the next
/// ones for a few times as many as came at most: so a reply is not much too
/// large if events turn out to be large.
///
/// A reply can also be too large for the client-output-buffer-limit of Redis or
/// for max_reply_bytes. Another read for as many events would then fail in the
/// same way, again and again. So after a failure the limit is lower.
class page_limit {
public:
  using duration = std::chrono::steady_clock::duration;

  /// The size of a reply if nothing else limits it.
  static constexpr uint64_t default_bytes = 16ull << 20;

  /// A limit whose first read may ask for any number of events.
  page_limit() noexcept : page_limit(std::chrono::seconds{1}) {
    most_seen_ = most;
  }

  /// A limit whose first read asks for one event.
  /// @param arrival How long a reply may take to arrive, about.
  explicit page_limit(duration arrival) noexcept
    : arrival_(std::max(arrival, duration{std::chrono::milliseconds{1}})) {
    // nop
  }

  /// @param bytes How large the reply may be, about.
  /// @param streams How many streams are read, at least 1. Redis applies a
  /// count to each of them, and they share the reply.
  /// @returns how many events a read that wants `wanted` may ask for: at least
  /// 1, unless `wanted` is 0.
  [[nodiscard]] uint32_t apply(uint64_t wanted, uint64_t bytes = default_bytes,
                               uint64_t streams = 1) const noexcept {
    const auto best
      = std::min({limit_, growth * most_seen_, fitting(bytes) / streams});
    return static_cast<uint32_t>(std::min(wanted, std::max<uint64_t>(best, 1)));
  }

  /// @returns how many bytes an event has, about; 0: not known yet.
  [[nodiscard]] uint64_t event_bytes() const noexcept {
    return event_bytes_;
  }

  /// @returns whether a read may have failed with `why` because its reply was
  /// too large.
  static bool is_too_large(errc why) noexcept {
    return why == errc::connection_lost || why == errc::timed_out
           || why == errc::protocol_error || why == errc::payload_too_large;
  }

  /// Call this when a read for `asked` events failed with `why`. It may have
  /// failed because the reply was too large, so the next read asks for one
  /// event, and the limit becomes half of `asked`.
  void failed(uint64_t asked, errc why) noexcept {
    if (!is_too_large(why))
      return;
    most_seen_ = 0;
    if (asked > 1)
      limit_ = std::max<uint64_t>(std::min(asked, limit_) / 2, 1);
  }

  /// Call this when a read succeeded. The limit grows slowly, since each reply
  /// that is too large costs a connection.
  /// @param events How many events came.
  /// @param bytes The size of the reply.
  /// @param took How long it took to arrive, see resp::reply.
  void worked(size_t events, size_t bytes, duration took) noexcept {
    limit_ = std::min(limit_ + limit_ / 8 + 1, most);
    if (events == 0)
      return;
    most_seen_ = std::max<uint64_t>(most_seen_, events);
    note_size(events, bytes / events);
    note_speed(bytes, took);
  }

private:
  using milliseconds = std::chrono::milliseconds;

  // More than any read asks for.
  static constexpr uint64_t most = 1u << 20;

  // A read may ask for this many times as many events as came at most.
  static constexpr uint64_t growth = 8;

  // Smaller replies say nothing about the speed of the link.
  static constexpr size_t least_for_speed = 64u << 10;

  // The estimate rises at once and falls with the number of smaller events.
  void note_size(size_t events, uint64_t size) noexcept {
    size = std::max<uint64_t>(size, 1);
    if (size >= event_bytes_)
      event_bytes_ = size;
    else
      event_bytes_ -= (event_bytes_ - size) * events / (events + growth);
  }

  void note_speed(size_t bytes, duration took) noexcept {
    if (bytes < least_for_speed)
      return;
    const auto time = std::chrono::ceil<milliseconds>(took).count();
    const auto speed = bytes / static_cast<uint64_t>(std::max(time, 1l));
    bytes_per_ms_ = bytes_per_ms_ == 0 ? speed : (bytes_per_ms_ + speed) / 2;
  }

  [[nodiscard]] uint64_t fitting(uint64_t bytes) const noexcept {
    if (event_bytes_ == 0)
      return most;
    if (bytes_per_ms_ > 0) {
      const auto time = std::chrono::duration_cast<milliseconds>(arrival_);
      bytes = std::min(bytes,
                       bytes_per_ms_ * static_cast<uint64_t>(time.count()));
    }
    return bytes / event_bytes_;
  }

  duration arrival_;
  uint64_t limit_ = most;
  uint64_t most_seen_ = 0;
  uint64_t event_bytes_ = 0;
  // 0: not known yet.
  uint64_t bytes_per_ms_ = 0;
};

} // namespace pulse
