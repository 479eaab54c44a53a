#pragma once

#include "simulation/world/dice.hpp"
#include "simulation/world/trace.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulse::simulation {

/// Names a link; 0 names none.
using link_id = uint64_t;

/// What one end of a link is told.
struct link_end {
  std::function<void(std::string)> on_bytes;
  /// The other end closed, or the link is broken. Nothing comes after that.
  std::function<void()> on_closed;
};

/// The two ends of a link.
enum class side : uint8_t { client, server };

/// The links between nodes and the server. Each direction of a link is a queue:
/// bytes arrive in order and after a random delay, in pieces that were not
/// agreed on, unless a fault holds them up or loses them.
class network {
public:
  network(dice& random, const time_point& now, trace& log)
    : random_(random), now_(now), log_(log) {
    // nop
  }

  /// What serves new links.
  std::function<link_end(link_id)> accept;
  /// Whether the server refuses connections.
  bool server_is_away = false;

  // -- ends of links ----------------------------------------------------------

  /// @returns 0 if the connection was refused at once.
  link_id connect(uint32_t node, link_end client);

  void send(link_id link, side from, const std::string& bytes);

  /// The end hears nothing any more. What it sent still arrives, and then the
  /// other end is told.
  void close(link_id link, side by);

  // -- time -------------------------------------------------------------------

  /// One direction of a link of which the next bytes are due.
  struct delivery {
    link_id link = 0;
    side to = side::client;
  };

  /// @returns what can be delivered now.
  [[nodiscard]] std::vector<delivery> due() const;

  /// @returns when something can be delivered next.
  [[nodiscard]] std::optional<time_point> next_due() const;

  void deliver(const delivery& what);

  // -- faults -----------------------------------------------------------------

  [[nodiscard]] std::vector<link_id> links_of(uint32_t node) const;

  /// Both ends are told that the link is broken.
  /// @param loses Whether what is under way to the server is lost, too. What
  /// is under way to the client is lost in any case.
  void cut(link_id link, bool loses);

  /// A black hole: nothing that is on the links of the node arrives until
  /// release().
  void hold(uint32_t node);
  void release(uint32_t node);

  /// Nothing that the server says on this link arrives until unmute().
  void mute(link_id link);
  void unmute(link_id link);

  /// All connections of a node that no longer exists: nobody listens there.
  void abandon(uint32_t node, bool loses);

  /// Slows all deliveries down by up to that time.
  std::chrono::microseconds longest_delay{2'000};

private:
  struct packet {
    time_point due;
    std::string bytes;
    bool is_end = false;
  };

  struct lane {
    std::deque<packet> under_way;
    link_end to;
    bool is_held = false;
  };

  struct link {
    uint32_t node = 0;
    lane to_server;
    lane to_client;
  };

  [[nodiscard]] lane& lane_of(link& x, side to) noexcept {
    return to == side::server ? x.to_server : x.to_client;
  }

  void hold_all(uint32_t node, bool is_held);
  void push(lane& to, std::string bytes, bool is_end);
  void drop_if_over(link_id id);

  dice& random_;
  const time_point& now_;
  trace& log_;
  std::map<link_id, link> links_;
  std::map<uint32_t, bool> held_nodes_;
  link_id last_id_ = 0;
};

} // namespace pulse::simulation
