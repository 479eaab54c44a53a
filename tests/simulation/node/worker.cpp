#include "simulation/node/worker.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/spawn_state.hpp"
#include "pulse/actors/sink_actor.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>

#include <deque>
#include <stdexcept>

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

using listener_self = event_listener::extend<caf::reacts_to<caf::tick_atom>>;

class worker_state {
public:
  using self_type = listener_self;

  static inline const char* name = "worker";

  worker_state(self_type::pointer self, node_link* home, worker_id id,
               instance_id at, std::function<void()> died)
    : self_(self), home_(*home), id_(id), at_(at), died_(std::move(died)) {
    // nop
  }

  self_type::behavior_type make_behavior() {
    // As CAF does, but without a line on stderr.
    self_->set_exception_handler([](std::exception_ptr&) -> caf::error {
      return caf::sec::runtime_error;
    });
    return {
      [this](const event& x) { return on_event(x); },
      [this](caf::tick_atom) { finish(); },
    };
  }

private:
  enum class mood : uint8_t { good, fail, reject, quit, throw_, hang };

  struct item {
    event what;
    caf::response_promise answer;
  };

  caf::result<void> on_event(const event& x) {
    if (home_.is_dead)
      return caf::unit;
    note("gets", x);
    rules().arrives(id_, x);
    auto promise = self_->make_response_promise();
    queue_.push_back({x, promise});
    if (queue_.size() == 1 && !begin()) {
      die();
      throw std::runtime_error{"the handler threw"};
    }
    return promise;
  }

  // Returns false if the handler throws at once.
  bool begin() {
    rules().starts(id_, queue_.front().what);
    mood_ = choose();
    static constexpr const char* moods[] = {"handles", "fails",  "rejects",
                                            "quits",   "throws", "hangs"};
    note(moods[static_cast<size_t>(mood_)], queue_.front().what);
    if (mood_ == mood::throw_)
      return false;
    auto& random = home_.all.random;
    std::chrono::microseconds time = random.between(0us,
                                                    home_.how.longest_work);
    if (mood_ == mood::hang) {
      const std::chrono::microseconds wait = rules().rules_of(at_)->ack_wait;
      time = random.between(wait / 2, wait * 3);
    }
    self_->delayed_send(self_, time, caf::tick_atom_v);
    return true;
  }

  mood choose() {
    auto& random = home_.all.random;
    const auto& how = home_.how;
    const auto hit = [&](uint32_t n) { return n > 0 && random.one_in(n); };
    if (home_.all.is_calm)
      return mood::good;
    if (hit(how.fail))
      return mood::fail;
    if (hit(how.reject))
      return mood::reject;
    if (hit(how.crash))
      return random.one_in(2) ? mood::quit : mood::throw_;
    return hit(how.hang) ? mood::hang : mood::good;
  }

  void finish() {
    if (home_.is_dead || queue_.empty())
      return;
    if (mood_ == mood::quit) {
      die();
      self_->quit(make_error({errc::handler_failed, "the worker crashed"}));
      return;
    }
    auto x = std::move(queue_.front());
    queue_.pop_front();
    note("ends", x.what);
    if (mood_ == mood::fail) {
      rules().ends(id_, x.what, ending::failed);
      x.answer.deliver(make_error({errc::handler_failed, "as told"}));
    } else if (mood_ == mood::reject) {
      rules().ends(id_, x.what, ending::rejected);
      x.answer.deliver(term("as told"));
    } else {
      rules().ends(id_, x.what, ending::acknowledged);
      x.answer.deliver(caf::unit);
    }
    if (!queue_.empty() && !begin()) {
      die();
      throw std::runtime_error{"the handler threw"};
    }
  }

  void note(const char* what, const event& x) {
    const auto& n = x.counts();
    home_.all.log.note(what, id_,
                       std::string{x.sink()} + " " + std::string{x.stream()}
                         + " " + to_string(x.id()) + ", "
                         + std::to_string(n.deliveries) + " deliveries, "
                         + std::to_string(n.failures) + " failures, "
                         + std::to_string(n.crashes) + " crashes");
  }

  void die() {
    rules().worker_dies(id_);
    died_();
  }

  delivery_rules& rules() {
    return home_.all.rules.deliveries;
  }

  self_type::pointer self_;
  node_link& home_;
  worker_id id_;
  instance_id at_;
  std::function<void()> died_;
  mood mood_ = mood::good;
  std::deque<item> queue_;
};

class subscriber_state {
public:
  using self_type = listener_self;

  static inline const char* name = "subscriber";

  subscriber_state(self_type::pointer self, node_link* home, uint32_t id)
    : self_(self), home_(*home), id_(id) {
    // nop
  }

  self_type::behavior_type make_behavior() {
    return {
      [this](const event& x) { return on_event(x); },
      [this](caf::tick_atom) {
        if (queue_.empty())
          return;
        queue_.front().deliver(caf::unit);
        queue_.pop_front();
      },
    };
  }

private:
  caf::result<void> on_event(const event& x) {
    auto& all = home_.all;
    if (!home_.is_dead)
      all.rules.readers.arrives(id_, std::string{x.stream()}, x.id());
    auto promise = self_->make_response_promise();
    if (all.is_calm || all.random.one_in(2)) {
      promise.deliver(caf::unit);
    } else {
      queue_.push_back(promise);
      self_->delayed_send(self_, all.random.between(0us, 200ms),
                          caf::tick_atom_v);
    }
    return promise;
  }

  self_type::pointer self_;
  node_link& home_;
  uint32_t id_;
  std::deque<caf::response_promise> queue_;
};

} // namespace

event_listener spawn_worker(caf::actor_system& sys, node_link& home,
                            worker_id id, instance_id at,
                            std::function<void()> died) {
  return internal::spawn_state<worker_state>(sys, &home, id, at,
                                             std::move(died));
}

event_listener spawn_subscriber(caf::actor_system& sys, node_link& home,
                                uint32_t id) {
  return internal::spawn_state<subscriber_state>(sys, &home, id);
}

} // namespace pulse::simulation
