#include "simulation/node/producer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

class producer : public caf::event_based_actor {
public:
  producer(caf::actor_config& cfg, node_link* home, uint32_t id,
           producer_plan what, stream_actor to, std::shared_ptr<uint32_t> added)
    : caf::event_based_actor(cfg),
      home_(*home),
      id_(id),
      what_(std::move(what)),
      to_(std::move(to)),
      added_(std::move(added)) {
    // nop
  }

  const char* name() const override {
    return "producer";
  }

  caf::behavior make_behavior() override {
    wait();
    return {[this](caf::tick_atom) {
      if (home_.is_dead)
        return;
      add_some();
      wait();
    }};
  }

  void on_exit() override {
    to_ = nullptr;
  }

private:
  void wait() {
    if (*added_ < what_.events)
      delayed_send(this, home_.all.random.between(0us, what_.longest_pause),
                   caf::tick_atom_v);
  }

  new_event next() {
    static constexpr const char* topics[] = {"", "a", "b", "c"};
    auto payload = std::to_string(id_) + "/" + std::to_string(++*added_);
    rules().begins(payload, what_.stream);
    return {"n", std::move(payload), topics[home_.all.random.below(4)]};
  }

  void add_some() {
    auto& random = home_.all.random;
    for (auto n = random.between(1, 3); n > 0 && *added_ < what_.events; --n) {
      if (random.one_in(3))
        add_batch(random.between(1, 3));
      else
        add_one();
    }
  }

  void add_one() {
    auto x = next();
    const auto payload = x.payload;
    request(to_, caf::infinite, caf::add_atom_v, std::move(x))
      .then([this, payload](event_id id) { succeeds(payload, id); },
            [this, payload](const caf::error& why) {
              fails(payload, to_failure(why).code);
            });
  }

  void add_batch(uint32_t n) {
    std::vector<new_event> xs;
    std::vector<std::string> payloads;
    for (uint32_t i = 0; i < n && *added_ < what_.events; ++i) {
      xs.push_back(next());
      payloads.push_back(xs.back().payload);
    }
    if (xs.empty())
      return;
    request(to_, caf::infinite, caf::add_atom_v, std::move(xs))
      .then(
        [this, payloads](const std::vector<add_result>& results) {
          for (size_t i = 0; i < payloads.size(); ++i)
            if (results.at(i).code == errc::none)
              succeeds(payloads[i], results[i].id);
            else
              fails(payloads[i], results[i].code);
        },
        [this, payloads](const caf::error& why) {
          for (const auto& x : payloads)
            fails(x, to_failure(why).code);
        });
  }

  void succeeds(const std::string& payload, event_id id) {
    if (!home_.is_dead)
      rules().succeeds(payload, id);
  }

  void fails(const std::string& payload, errc why) {
    if (!home_.is_dead)
      rules().fails(payload, why);
  }

  add_rules& rules() {
    return home_.all.rules.adds;
  }

  node_link& home_;
  uint32_t id_;
  producer_plan what_;
  stream_actor to_;
  std::shared_ptr<uint32_t> added_;
};

} // namespace

caf::actor spawn_producer(caf::actor_system& sys, node_link& home, uint32_t id,
                          const producer_plan& what, stream_actor to,
                          std::shared_ptr<uint32_t> added) {
  return sys.spawn<producer>(&home, id, what, std::move(to), std::move(added));
}

} // namespace pulse::simulation
