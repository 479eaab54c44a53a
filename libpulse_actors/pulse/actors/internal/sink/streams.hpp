#pragma once

#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event_id.hpp"
#include "pulse/core/names.hpp"
#include "pulse/core/options.hpp"
#include "pulse/core/streams/group_history.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pulse::internal {

/// One stream of a sink. It keeps its index as long as the sink lives.
struct sink_stream {
  enum class phase : uint8_t {
    /// The sink does not know (yet, or any more) that the group exists.
    opening,
    /// The group exists, and the sink reads the stream.
    open,
    /// The stream was removed, but subscribers still work on its events.
    leaving,
    removed,
  };

  std::string name;
  std::string key;
  start_position start;
  phase at = phase::removed;
  /// The highest ID that the sink has read from the group.
  event_id last_read;
  /// What the sink knows about the group and the stream.
  group_history history;
  /// Whether the stream has been open at least once. If so, a missing group was
  /// deleted, and it must be created again at the old position.
  bool was_open = false;
  /// After which ID other members may have held events at the last audit.
  std::optional<event_id> others_from;
  /// After which ID events were pending for this sink at the last audit. They
  /// matter while the sink does not know all of them (see must_recover()).
  std::optional<event_id> own_from;
  /// The lease that is renewed; null if the sink holds no event of the stream.
  lease_ptr lease;
  /// Time since boot at which the lease was found stale last.
  std::chrono::nanoseconds doubted_at = std::chrono::nanoseconds::min();
  /// How often the lease had lapsed when the sink last found out which events
  /// are still its own.
  uint64_t known_lapses = 0;
  /// When the sink last noticed that somebody deleted its consumer.
  std::optional<delivery_time> consumer_deleted_at;
  /// How many events of the group wait in Redis for their next attempt, as far
  /// as this sink knows, and when the next one is due.
  uint64_t delayed = 0;
  /// How many events were parked in the ledger at the last tick.
  uint64_t parked = 0;
  bool reported_delays = false;
  /// How many events are being given back, and Redis has not confirmed that.
  size_t giving_back = 0;
  std::optional<delivery_time> next_due; // see sink_streams::set_next_due()

  /// Notes that an event is pending that this sink does not hold.
  void note_other_holds(event_id id) {
    const auto before = id.previous();
    others_from = others_from ? std::min(*others_from, before) : before;
  }

  [[nodiscard]] bool is_open() const noexcept {
    return at == phase::open;
  }
};

/// The streams of a sink, also those that were removed. There may be very many,
/// so nothing that happens for each event looks at all of them.
class sink_streams {
public:
  using phase = sink_stream::phase;

  /// @returns the index of the stream, which is `removed` if it is new.
  uint32_t add(const std::string& name) {
    const auto [i, fresh] = index_.emplace(name,
                                           static_cast<uint32_t>(all_.size()));
    if (fresh) {
      auto& x = all_.emplace_back();
      x.name = name;
      x.key = stream_key(name);
    }
    return i->second;
  }

  [[nodiscard]] std::optional<uint32_t> find(std::string_view name) const {
    const auto i = index_.find(std::string{name});
    return i != index_.end() ? std::optional{i->second} : std::nullopt;
  }

  sink_stream& operator[](size_t i) noexcept {
    return all_[i];
  }
  const sink_stream& operator[](size_t i) const noexcept {
    return all_[i];
  }
  [[nodiscard]] size_t size() const noexcept {
    return all_.size();
  }
  auto begin() noexcept {
    return all_.begin();
  }
  auto end() noexcept {
    return all_.end();
  }
  [[nodiscard]] auto begin() const noexcept {
    return all_.begin();
  }
  [[nodiscard]] auto end() const noexcept {
    return all_.end();
  }

  void move_to(uint32_t i, phase where) {
    const auto from = std::exchange(all_[i].at, where);
    if (from == where)
      return;
    if (from == phase::opening)
      opening_.erase(i);
    if (where == phase::opening)
      opening_.insert(i);
    const auto place = std::lower_bound(open_.begin(), open_.end(), i);
    if (from == phase::open)
      open_.erase(place);
    if (where == phase::open)
      open_.insert(place, i);
    if (where != phase::open)
      alone_.erase(i);
  }

  // -- keyed sinks ------------------------------------------------------------

  /// Notes whether this member may read an open stream without the other
  /// members.
  void let_read_alone(uint32_t i, bool may) {
    if (may && all_[i].is_open())
      alone_.insert(i);
    else
      alone_.erase(i);
  }
  /// Notes that events of the stream are being given back. They come before
  /// what a read would bring.
  void note_given_back(uint32_t i) {
    ++all_[i].giving_back;
    alone_.erase(i);
    gave_back_.insert(i);
  }
  /// @returns the streams of which events were given back since the last call.
  std::unordered_set<uint32_t> take_given_back() {
    return std::exchange(gave_back_, {});
  }
  [[nodiscard]] bool reads_alone(uint32_t i) const {
    return alone_.count(i) > 0;
  }
  [[nodiscard]] bool reads_all_alone() const {
    return alone_.size() == open().size();
  }

  /// @returns the indexes of the open streams, in order.
  [[nodiscard]] const std::vector<uint32_t>& open() const noexcept {
    return open_;
  }

  /// @returns the indexes of the streams that are `opening`, in order.
  [[nodiscard]] const std::set<uint32_t>& opening() const noexcept {
    return opening_;
  }

  // -- events that wait in Redis ----------------------------------------------

  /// Notes when the next event of the stream that waits in Redis is due.
  void set_next_due(uint32_t i, std::optional<delivery_time> when) {
    auto& x = all_[i].next_due;
    if (x)
      due_.erase({*x, i});
    x = when;
    if (x)
      due_.emplace(*x, i);
  }

  /// @returns when such events are due after `now`, at the earliest.
  [[nodiscard]] std::optional<delivery_time>
  next_due_after(delivery_time now) const {
    const auto i = due_.upper_bound({now, UINT32_MAX});
    return i != due_.end() ? std::optional{i->first} : std::nullopt;
  }

  /// @returns the streams that have such events that are due at `now`, those
  /// that wait longest first.
  [[nodiscard]] std::vector<uint32_t> due_at(delivery_time now) const {
    std::vector<uint32_t> result;
    for (auto i = due_.begin(); i != due_.end() && i->first <= now; ++i)
      result.push_back(i->second);
    return result;
  }

  // -- recovery ---------------------------------------------------------------

  /// Events may be pending for this sink that the sink does not know. The sink
  /// has to read its own pending events of the stream, when it is open.
  void recover(uint32_t i) {
    recovering_.insert(i);
  }
  void recover_all() {
    for (uint32_t i = 0; i < all_.size(); ++i)
      recovering_.insert(i);
  }

  /// The sink knows all its pending events of the stream.
  void recovered(uint32_t i) {
    recovering_.erase(i);
  }

  [[nodiscard]] bool must_recover(uint32_t i) const {
    return recovering_.count(i) > 0;
  }

  /// @returns streams whose pending events can be read now, in order and at
  /// most `most`. Events that are being given back may still be pending, so
  /// these streams wait.
  [[nodiscard]] std::vector<uint32_t> to_recover(size_t most) const {
    std::vector<uint32_t> result;
    for (auto i = recovering_.begin();
         i != recovering_.end() && result.size() < most; ++i)
      if (all_[*i].is_open() && all_[*i].giving_back == 0)
        result.push_back(*i);
    return result;
  }
  [[nodiscard]] bool recovery_due() const noexcept {
    return std::any_of(recovering_.begin(), recovering_.end(),
                       [this](auto i) { return all_[i].is_open(); });
  }

private:
  std::vector<sink_stream> all_;
  std::unordered_map<std::string, uint32_t> index_;
  std::set<uint32_t> recovering_;
  std::unordered_set<uint32_t> alone_;
  std::unordered_set<uint32_t> gave_back_;
  std::set<uint32_t> opening_;
  std::vector<uint32_t> open_;
  std::set<std::pair<delivery_time, uint32_t>> due_;
};

} // namespace pulse::internal
