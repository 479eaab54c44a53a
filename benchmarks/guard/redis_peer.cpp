#include "guard/redis_peer.hpp"

#include "pulse/resp/decoder.hpp"
#include "pulse/resp/script.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "guard/hot_path.hpp"
#include "support/read_replies.hpp"

#include <deque>
#include <string_view>
#include <vector>

namespace pulse::bench {

namespace {

using test::array_of;
using test::bulk;

// The name of the first command of a batch: "*3\r\n$4\r\nXACK\r\n…".
std::string_view name_of(const command_batch& x) {
  std::string_view rest{x.bytes};
  for (int i = 0; i < 2; ++i)
    rest.remove_prefix(rest.find('\n') + 1);
  return rest.substr(0, rest.find('\r'));
}

// How many arguments the first command has: "*3\r\n…".
uint64_t arguments_of(const command_batch& x) {
  return std::stoull(x.bytes.substr(1, x.bytes.find('\r')));
}

// All arguments of the first command.
std::vector<std::string> split(const command_batch& x) {
  std::vector<std::string> result(arguments_of(x));
  std::string_view rest{x.bytes};
  rest.remove_prefix(rest.find('\n') + 1);
  for (auto& arg : result) {
    const auto size = std::stoull(std::string{rest.substr(1, rest.find('\r'))});
    rest.remove_prefix(rest.find('\n') + 1);
    arg = rest.substr(0, size);
    rest.remove_prefix(size + 2);
  }
  return result;
}

// Nothing was stored before: EVALSHA sha 2 stream record mode, then name,
// default and choice of each value.
std::string retention_reply(const command_batch& x) {
  const auto call = split(x);
  std::string values;
  size_t count = 0;
  for (size_t i = 6; i + 2 < call.size(); i += 3, ++count)
    values += bulk(call[i + 2].empty() ? call[i + 1] : call[i + 2]);
  return array_of(count + 3) + bulk("1") + values + ":0\r\n:0\r\n";
}

// What a Redis answers in which nothing has happened.
std::string quiet_reply(const command_batch& x) {
  const std::string name{x.lua != nullptr ? x.lua->name : name_of(x)};
  if (name == "XADD")
    return bulk("1700000000000-1");
  if (name == "open_group")
    return array_of(3) + bulk("") + bulk("0-0") + bulk("");
  if (name == "audit")
    return test::audit_reply({});
  if (name == "retention")
    return retention_reply(x);
  if (name == "trim")
    return array_of(6) + ":0\r\n:0\r\n" + bulk("") + ":0\r\n:0\r\n:0\r\n";
  if (name == "create_group")
    return ":1\r\n";
  if (name == "take_over")
    return array_of(7) + ":0\r\n:-1\r\n:0\r\n:0\r\n" + array_of(0) + array_of(0)
           + array_of(0);
  if (name == "XINFO" || name == "XPENDING" || name == "keep"
      || name == "XREADGROUP")
    return array_of(0);
  return ":0\r\n";
}

reply_ptr parse(std::string_view text, uint32_t count) {
  resp::decoder decoder;
  auto result = std::make_shared<resp::reply>();
  for (uint32_t i = 0; i < count; ++i) {
    const auto complete = decoder.next(text, *result);
    require(complete && *complete);
  }
  return result;
}

reply_ptr quiet_answer(const command_batch& x) {
  const auto one = quiet_reply(x);
  std::string all;
  all.reserve(one.size() * x.count);
  for (uint32_t i = 0; i < x.count; ++i)
    all += one;
  return parse(all, x.count);
}

} // namespace

struct redis_peer::state {
  uint64_t acked = 0;
  std::deque<caf::response_promise> reads;
  std::deque<reply_ptr> pages;

  void serve_reads() {
    for (; !reads.empty() && !pages.empty(); reads.pop_front()) {
      reads.front().deliver(std::move(pages.front()));
      pages.pop_front();
    }
  }
};

namespace {

using reading_actor
  = extended_interface<connection_actor, caf::result<void>(caf::tick_atom)>;

} // namespace

redis_peer::redis_peer(caf::actor_system& sys)
  : sys_(sys), state_(std::make_shared<state>()) {
  auto st = state_;
  using commands = connection_actor;
  commands_ = sys.spawn([st](commands::pointer) -> commands::behavior_type {
    return {
      [st](atom::run, const command_ptr& x) -> caf::result<reply_ptr> {
        if (name_of(*x) == "XACK") {
          st->acked += arguments_of(*x) - 3;
          return parse(":" + std::to_string(arguments_of(*x) - 3) + "\r\n", 1);
        }
        return quiet_answer(*x);
      },
      [](atom::unblock) {},
      [](atom::info) { return connection_info{}; },
      [](caf::close_atom) {},
    };
  });
  reads_ = sys.spawn(
    [st](reading_actor::pointer self) -> reading_actor::behavior_type {
      return {
        [st, self](atom::run, const command_ptr&) -> caf::result<reply_ptr> {
          auto promise = self->make_response_promise();
          st->reads.push_back(promise);
          st->serve_reads();
          return promise;
        },
        [](atom::unblock) {},
        [](atom::info) { return connection_info{}; },
        [](caf::close_atom) {},
        [st](caf::tick_atom) { st->serve_reads(); },
      };
    });
}

connection_source redis_peer::source() const {
  return {commands_, [reads = reads_](const std::string&) { return reads; }};
}

lease_actor redis_peer::leases() const {
  return sys_.spawn([](lease_actor::pointer) -> lease_actor::behavior_type {
    return {
      [](caf::add_atom, const lease_ptr&) {},
      [](caf::delete_atom, const lease_ptr&) {},
      [](caf::update_atom, const lease_ptr&) {
        return std::vector<event_id>{};
      },
      [](caf::close_atom) {},
    };
  });
}

void redis_peer::give(const std::string& reply) {
  state_->pages.push_back(parse(reply, 1));
  caf::anon_send(caf::actor_cast<reading_actor>(reads_), caf::tick_atom_v);
}

uint64_t redis_peer::acked() const noexcept {
  return state_->acked;
}

} // namespace pulse::bench
