#include "chaos/node/worker.hpp"

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "chaos/node/labels.hpp"

#include <memory>
#include <stdexcept>
#include <thread>

namespace pulse::chaos {

namespace {

class worker {
public:
  worker(event_listener::pointer self, uint64_t number, worker_options how,
         journal& log)
    : self_(self),
      name_(std::to_string(number)),
      how_(std::move(how)),
      log_(log) {
    // nop
  }

  caf::result<void> handle(const event& x) {
    const auto& n = x.counts();
    const auto label = label_of(x.payload());
    log_.write("s " + name_ + " " + label + " " + to_string(x.id()) + " "
               + std::to_string(n.deliveries) + " " + std::to_string(n.failures)
               + " " + std::to_string(n.crashes));
    const auto what = choose_misdeed(how_.rates, how_.seed, how_.sink, label,
                                     n.deliveries);
    switch (what) {
      case misdeed::crash:
      case misdeed::poison:
        log_.write("c " + name_);
        throw std::runtime_error{"a crash on purpose"};
      case misdeed::nack:
      case misdeed::backlog:
        log_.write("e " + name_);
        return caf::make_error(errc::handler_failed, "refused on purpose");
      case misdeed::reject:
        log_.write("e " + name_);
        return term("given up on purpose");
      case misdeed::hang:
        log_.write("h " + name_);
        std::this_thread::sleep_for(how_.hang);
        break;
      case misdeed::slow:
        std::this_thread::sleep_for(how_.slow);
        break;
      case misdeed::quit:
        std::this_thread::sleep_for(how_.work);
        log_.write("l " + name_);
        self_->quit();
        return self_->make_response_promise(); // nobody ever answers it
      case misdeed::retire:
      case misdeed::none:
        std::this_thread::sleep_for(how_.work);
        break;
    }
    log_.write("d " + name_);
    if (what == misdeed::retire) {
      log_.write("r " + name_);
      self_->quit();
    }
    return caf::unit;
  }

private:
  event_listener::pointer self_;
  std::string name_;
  worker_options how_;
  journal& log_;
};

event_listener::behavior_type run(event_listener::pointer self, uint64_t number,
                                  const worker_options& how, journal* log) {
  auto state = std::make_shared<worker>(self, number, how, *log);
  return {
    [state](const event& x) { return state->handle(x); },
  };
}

} // namespace

event_listener spawn_worker(caf::actor_system& sys, uint64_t number,
                            const worker_options& how, journal& log) {
  return sys.spawn<caf::detached>(run, number, how, &log);
}

} // namespace pulse::chaos
