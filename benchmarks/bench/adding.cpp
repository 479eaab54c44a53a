#include "bench/adding.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <utility>

namespace pulse::bench {

namespace {

class producer : public caf::event_based_actor {
public:
  producer(caf::actor_config& cfg, std::vector<stream_actor> streams,
           const settings& how, adding x)
    : caf::event_based_actor(cfg),
      streams_(std::move(streams)),
      length_(std::chrono::duration_cast<clock_type::duration>(how.duration())),
      payload_(how.payload, 'x'),
      how_(x) {
    // nop
  }

  caf::behavior make_behavior() override {
    return {
      [this](caf::ok_atom) -> caf::result<uint64_t> {
        end_ = clock_type::now() + length_;
        done_ = make_response_promise();
        for (size_t i = 0; i < how_.open; ++i)
          add();
        return done_;
      },
    };
  }

private:
  void add() {
    ++open_;
    const auto& to = streams_[next_++ % streams_.size()];
    const new_event what{"added", payload_, {}};
    auto fail = [this](caf::error& err) { quit(std::move(err)); };
    if (how_.batch == 1)
      request(to, caf::infinite, caf::add_atom_v, what)
        .then([this](event_id) { on_added(); }, fail);
    else
      request(to, caf::infinite, caf::add_atom_v,
              std::vector<new_event>(how_.batch, what))
        .then([this](const std::vector<add_result>&) { on_added(); }, fail);
  }

  void on_added() {
    added_ += how_.batch;
    --open_;
    if (clock_type::now() < end_)
      add();
    else if (open_ == 0)
      done_.deliver(added_);
  }

  std::vector<stream_actor> streams_;
  clock_type::duration length_;
  std::string payload_;
  adding how_;
  size_t next_ = 0;
  uint64_t added_ = 0;
  size_t open_ = 0;
  clock_type::time_point end_;
  caf::response_promise done_;
};

} // namespace

size_t add_with_library(node& at, const settings& how,
                        const std::vector<stream_actor>& streams, adding x) {
  auto self = at.system().spawn<producer>(streams, how, x);
  return must(ask<uint64_t>(at.system(), self, caf::ok_atom_v));
}

// Whatever has arrived is read before new commands are sent, so one system call
// sends many commands.
size_t add_with_hiredis(raw_client& at, const settings& how,
                        const std::string& stream, size_t open) {
  const auto command = add_command(stream, how.payload);
  const auto end = clock_type::now() + how.duration();
  for (size_t i = 0; i < open; ++i)
    at.append_formatted(command);
  size_t under_way = open;
  size_t added = 0;
  while (under_way > 0) {
    size_t n = 1;
    at.read();
    while (n < under_way && at.read_arrived())
      ++n;
    added += n;
    under_way -= n;
    if (clock_type::now() >= end)
      continue;
    for (size_t i = 0; i < n; ++i)
      at.append_formatted(command);
    under_way += n;
  }
  return added;
}

} // namespace pulse::bench
