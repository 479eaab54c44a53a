#include "simulation/node/worker.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>

#include <deque>
#include <stdexcept>

namespace pulse::simulation {

namespace {

using namespace std::chrono_literals;

enum class mood : uint8_t { good, extend, fail, reject, quit, throw_, hang };

const char* text_of(mood x) {
  static constexpr const char* names[]
    = {"handles", "extends", "fails", "rejects", "quits", "throws", "hangs"};
  return names[static_cast<size_t>(x)];
}

enum class request_kind : uint8_t { ack, nack, term, extend };

class worker_state {
public:
  using self_type
    = extended_interface<event_listener, caf::result<void>(caf::tick_atom),
                         caf::result<void>(caf::update_atom)>;

  static inline const char* name = "worker";

  worker_state(self_type::pointer self, node_link* home, worker_role role)
    : self_(self), home_(*home), role_(std::move(role)) {
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
      [this](caf::update_atom) { extend(); },
    };
  }

private:
  struct item {
    event what;
    caf::response_promise answer;
  };

  caf::result<void> on_event(const event& x) {
    if (home_.is_dead)
      return caf::unit;
    note("gets", x);
    rules().arrives(role_.id, x);
    home_.all.rules.groups.arrives(rules().sink_of(role_.id), x);
    auto promise = role_.is_manual ? caf::response_promise{}
                                   : self_->make_response_promise();
    queue_.push_back({x, promise});
    if (queue_.size() == 1)
      begin();
    if (role_.is_manual)
      return caf::unit;
    return promise;
  }

  void begin() {
    rules().starts(role_.id, queue_.front().what);
    mood_ = choose();
    note(text_of(mood_), queue_.front().what);
    if (mood_ == mood::throw_) {
      die();
      throw std::runtime_error{"the handler threw"};
    }
    auto& random = home_.all.random;
    std::chrono::microseconds time = random.between(0us,
                                                    home_.how.longest_work);
    const std::chrono::microseconds wait = rules().rules_of(role_.at)->ack_wait;
    if (mood_ == mood::hang)
      time = random.between(wait / 2, wait * 3);
    if (mood_ == mood::extend) {
      time = wait * 2;
      self_->delayed_send(self_, wait / 3, caf::update_atom_v);
    }
    self_->delayed_send(self_, time, caf::tick_atom_v);
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
    if (hit(how.hang))
      return role_.is_manual && random.one_in(2) ? mood::extend : mood::hang;
    return mood::good;
  }

  void extend() {
    if (home_.is_dead || mood_ != mood::extend || queue_.empty())
      return;
    tell_sink(request_kind::extend, queue_.front().what, atom::extend_v,
              queue_.front().what.delivery());
    const std::chrono::microseconds wait = rules().rules_of(role_.at)->ack_wait;
    self_->delayed_send(self_, wait / 3, caf::update_atom_v);
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
    const auto how = mood_ == mood::fail     ? ending::failed
                     : mood_ == mood::reject ? ending::rejected
                                             : ending::acknowledged;
    rules().ends(role_.id, x.what, how);
    if (role_.is_manual)
      answer_by_message(x.what, how);
    else if (how == ending::failed)
      x.answer.deliver(make_error({errc::handler_failed, "as told"}));
    else if (how == ending::rejected)
      x.answer.deliver(term("as told"));
    else
      x.answer.deliver(caf::unit);
    if (!queue_.empty())
      begin();
  }

  // -- manual acks ------------------------------------------------------------

  void answer_by_message(const event& what, ending how) {
    const auto id = what.delivery();
    if (how == ending::failed)
      tell_sink(request_kind::nack, what, atom::nack_v, id, caf::timespan{0});
    else if (how == ending::rejected)
      tell_sink(request_kind::term, what, atom::term_v, id,
                std::string{"as told"});
    else
      tell_sink(request_kind::ack, what, atom::ack_v, id);
  }

  template <class... Ts>
  void tell_sink(request_kind kind, const event& about, Ts... xs) {
    static constexpr const char* names[] = {"an ack", "a nack", "a term",
                                            "an extend"};
    const auto id = home_.begin_request(names[static_cast<size_t>(kind)]);
    open_.insert(id);
    self_->request(role_.sink, caf::infinite, xs...)
      .then(
        [=] {
          forget_request(id);
          if (!home_.is_dead)
            succeeded(kind, about);
        },
        [=](const caf::error&) { forget_request(id); });
  }

  void succeeded(request_kind kind, const event& what) {
    if (kind == request_kind::ack)
      home_.all.rules.groups.confirm(
        {std::string{what.sink()}, std::string{what.stream()}, what.id()});
    else if (kind == request_kind::extend)
      rules().extends(role_.id, what);
  }

  void forget_request(uint64_t id) {
    open_.erase(id);
    home_.end_request(id);
  }

  // -- helpers ----------------------------------------------------------------

  void note(const char* what, const event& x) {
    const auto& n = x.counts();
    home_.all.log.note(what, role_.id,
                       std::string{x.sink()} + " " + std::string{x.stream()}
                         + " " + to_string(x.id()) + ", "
                         + std::to_string(n.deliveries) + " deliveries, "
                         + std::to_string(n.failures) + " failures, "
                         + std::to_string(n.crashes) + " crashes");
  }

  void die() {
    for (auto id : open_)
      home_.end_request(id);
    rules().worker_dies(role_.id);
    role_.died();
  }

  delivery_rules& rules() {
    return home_.all.rules.deliveries;
  }

  self_type::pointer self_;
  node_link& home_;
  worker_role role_;
  mood mood_ = mood::good;
  std::deque<item> queue_;
  // Requests that wait for their reply.
  std::set<uint64_t> open_;
};

} // namespace

event_listener spawn_worker(caf::actor_system& sys, node_link& home,
                            worker_role role) {
  return internal::spawn_state<worker_state>(sys, &home, std::move(role));
}

} // namespace pulse::simulation
