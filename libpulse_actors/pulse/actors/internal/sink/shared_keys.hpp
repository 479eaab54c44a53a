#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/actors/internal/sink/outcome_writer.hpp"
#include "pulse/actors/internal/sink/reader.hpp"
#include "pulse/resp/share_reply.hpp"

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Shares the keys of a keyed sink with the other members: the sinks of this
/// name on other nodes. Each member owns some partitions of the keys of a
/// stream, for as long as it renews its lease, and only the owner gets events
/// of a partition. So the order of a key is kept whichever node works on it.
///
/// A script in Redis (share.lua) decides who owns what, and gives each member
/// its events. While a sink has only one member, that member needs no script:
/// it reads its streams itself, as other sinks do.
///
/// Where nothing happens, one call of a much cheaper script (stay.lua) renews
/// the memberships of many streams.
class sink_shared_keys {
public:
  using time_point = sink_context::time_point;

  sink_shared_keys(sink_context& ctx, sink_intake& intake,
                   sink_outcome_writer& outcomes, sink_reader& reader)
    : ctx_(ctx),
      intake_(intake),
      outcomes_(outcomes),
      reader_(reader),
      random_(ctx.env.new_engine()) {
    // nop
  }

  /// Makes a stream that was opened take part.
  void opened(uint32_t stream);

  /// Asks for events, and for what others changed, where that is due.
  void tick(time_point now);

  /// Looks at all streams at once, because subscribers can work again.
  void look_now();

  /// Sends the calls that are possible now.
  void step();

  /// @returns whether the sink may read its streams itself. A permission that
  /// has expired is withdrawn first: this node may have been stopped until now.
  [[nodiscard]] bool may_read() {
    expire();
    return ctx_.streams.reads_all_alone();
  }

  /// Waits until a stream has something for this member.
  /// @pre `!reader.reading()`
  void wait();

  /// @returns whether partitions are about to go to other members, or wait for
  /// a member that blocks all others.
  [[nodiscard]] bool busy() const noexcept {
    return changing_ > 0;
  }

private:
  struct membership {
    bool calling = false;
    bool is_member = false;
    /// Whether a call of stay.lua is under way.
    bool staying = false;
    /// Whether stay.lua may renew the membership: a call of share.lua that
    /// looked for changes has found none and brought nothing, and there is no
    /// reason for another one.
    bool settled = false;
    /// See share_reply.
    bool sole = false;
    std::string others;
    /// Partitions that the member shall give up.
    partition_set leaving;
    /// When the next call is due, even if nothing happens.
    time_point due;
    /// Whether the next call looks for changes.
    bool checks = true;
    bool blocked = false;
    std::string reported_blocker;
    /// See share_reply.
    std::string after;
    std::string wake{"0-0"};

    [[nodiscard]] bool is_changing() const noexcept {
      return leaving.any() || blocked;
    }
  };

  /// A call of share.lua: what it asks for, and when it was sent.
  struct request {
    size_t wanted = 0;
    /// Whether the member may be reading the stream itself.
    bool alone = false;
    /// Whether to look for changes.
    bool checks = false;
    /// Time since boot.
    std::chrono::nanoseconds sent{};
    /// See sink_context.
    uint64_t give_backs = 0;
  };

  [[nodiscard]] milliseconds period() const;
  [[nodiscard]] bool can_work() const {
    return ctx_.ledger.capacity() > 0 && !ctx_.closing;
  }
  void want(uint32_t stream, bool checks);
  void expire();
  /// @returns whether a permission to read alone has expired that a call gave
  /// which was sent then.
  [[nodiscard]] bool is_over(std::chrono::nanoseconds permitted) const;
  void give_back(uint32_t stream);
  [[nodiscard]] bool may_call(uint32_t stream) const;
  void call(uint32_t stream, size_t wanted);
  command_ptr command(uint32_t stream, const request& what,
                      std::shared_ptr<reply_progress> progress);
  void on_reply(uint32_t stream, const request& what, resp::reply& reply);
  void failed(uint32_t stream, const failure& why);
  void note(uint32_t stream, const request& what, const resp::share_reply& x);
  void let_read_alone(uint32_t stream, const resp::share_reply& x);
  void report_blocker(uint32_t stream, std::string_view consumer);
  void accept(uint32_t stream, resp::share_reply& x, resp::reply& from,
              const request& what);
  [[nodiscard]] bool may_stay(uint32_t stream) const;
  void stay(const std::vector<uint32_t>& streams);
  void stay_in_part(const std::vector<uint32_t>& part);
  void on_stay_reply(const std::vector<uint32_t>& part,
                     const resp::reply& reply, std::chrono::nanoseconds sent);
  void stayed(uint32_t stream, resp::stay_answer answer,
              std::chrono::nanoseconds sent);
  void not_stayed(const std::vector<uint32_t>& part, const failure& why,
                  bool refused);
  /// What a waiting read waits for: a key, and the stream that it concerns.
  using watched = std::vector<std::pair<std::string, uint32_t>>;
  void on_wake_up(const watched& keys, const resp::reply& reply);

  sink_context& ctx_;
  sink_intake& intake_;
  sink_outcome_writer& outcomes_;
  sink_reader& reader_;
  random_engine random_;
  // By the index of the stream.
  std::vector<membership> members_;
  std::set<uint32_t> to_call_;
  // The calls go on with this stream.
  uint32_t next_to_call_ = 0;
  size_t calls_ = 0;
  // How many events the calls that are under way may bring.
  size_t asked_ = 0;
  // How many memberships are changing.
  size_t changing_ = 0;
  // When each permission to read alone was given, as time since boot.
  std::vector<std::chrono::nanoseconds> permitted_;
  std::chrono::nanoseconds next_expiry_{};
};

} // namespace pulse::internal
