#include "simulation/node/worker.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <vector>

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
  using self_type = extended_interface<
    event_listener, caf::result<batch_outcome>(event_batch),
    caf::result<void>(caf::tick_atom), caf::result<void>(caf::update_atom)>;

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
      [this](const event& x) {
        return on_events<void>(event_batch{{x}}, false);
      },
      [this](const event_batch& xs) {
        return on_events<batch_outcome>(xs, true);
      },
      [this](caf::tick_atom) { finish(); },
      [this](caf::update_atom) { extend(); },
    };
  }

private:
  // A single event is an item with one event.
  struct item {
    event_batch what;
    bool is_batch = false;
    caf::response_promise answer;
  };

  template <class Result>
  caf::result<Result> on_events(const event_batch& xs, bool is_batch) {
    if (home_.is_dead)
      return caf::response_promise{};
    for (const auto& x : xs) {
      note("gets", x);
      rules().arrives(role_.id, x);
      home_.all.rules.groups.arrives(rules().sink_of(role_.id), x);
    }
    auto promise = role_.is_manual ? caf::response_promise{}
                                   : self_->make_response_promise();
    queue_.push_back({xs, is_batch, promise});
    if (queue_.size() == 1)
      begin();
    return promise;
  }

  void begin() {
    mood_ = choose();
    for (const auto& x : queue_.front().what) {
      rules().starts(role_.id, x);
      note(text_of(mood_), x);
    }
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
    const auto& what = queue_.front().what;
    tell_sink(request_kind::extend, what, atom::extend_v, what.deliveries());
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
    const auto x = std::move(queue_.front());
    queue_.pop_front();
    const auto ends = choose_endings(x.what.size());
    for (size_t i = 0; i < ends.size(); ++i) {
      note("ends", x.what[i]);
      rules().ends(role_.id, x.what[i], ends[i]);
    }
    if (role_.is_manual)
      answer_by_messages(x.what, ends);
    else
      answer(x, ends);
    if (!queue_.empty())
      begin();
  }

  // How the events of an item end. Maybe only one event of a batch fails.
  std::vector<ending> choose_endings(size_t size) {
    const auto bad = mood_ == mood::fail     ? ending::failed
                     : mood_ == mood::reject ? ending::rejected
                                             : ending::acknowledged;
    auto& random = home_.all.random;
    if (size == 1 || bad == ending::acknowledged || random.one_in(2))
      return std::vector<ending>(size, bad);
    std::vector<ending> result(size, ending::acknowledged);
    result[random.below(size)] = bad;
    return result;
  }

  static caf::error error_of(ending how) {
    return how == ending::failed ? make_error({errc::handler_failed, "as told"})
           : how == ending::rejected ? term("as told")
                                     : caf::error{};
  }

  static void answer(item x, const std::vector<ending>& ends) {
    const auto first = error_of(ends.front());
    const bool is_mixed = std::count(ends.begin(), ends.end(), ends.front())
                          != static_cast<std::ptrdiff_t>(ends.size());
    if (is_mixed) {
      batch_outcome how;
      for (size_t i = 0; i < ends.size(); ++i)
        if (ends[i] != ending::acknowledged)
          how.fail(i, error_of(ends[i]));
      x.answer.deliver(how);
    } else if (first) {
      x.answer.deliver(first);
    } else if (x.is_batch) {
      x.answer.deliver(batch_outcome{});
    } else {
      x.answer.deliver(caf::unit);
    }
  }

  // -- manual acks ------------------------------------------------------------

  void answer_by_messages(const event_batch& xs,
                          const std::vector<ending>& ends) {
    std::vector<event> done;
    for (size_t i = 0; i < xs.size(); ++i) {
      const event_batch one{{xs[i]}};
      const auto id = xs[i].delivery();
      if (ends[i] == ending::failed)
        tell_sink(request_kind::nack, one, atom::nack_v, id, caf::timespan{0});
      else if (ends[i] == ending::rejected)
        tell_sink(request_kind::term, one, atom::term_v, id,
                  std::string{"as told"});
      else
        done.push_back(xs[i]);
    }
    const event_batch acked{std::move(done)};
    if (acked.size() == 1)
      tell_sink(request_kind::ack, acked, atom::ack_v, acked[0].delivery());
    else if (!acked.empty())
      tell_sink(request_kind::ack, acked, atom::ack_v, acked.deliveries());
  }

  template <class... Ts>
  void tell_sink(request_kind kind, const event_batch& about, Ts... xs) {
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

  void succeeded(request_kind kind, const event_batch& about) {
    for (const auto& x : about)
      if (kind == request_kind::ack)
        home_.all.rules.groups.confirm(
          {std::string{x.sink()}, std::string{x.stream()}, x.id()});
      else if (kind == request_kind::extend)
        rules().extends(role_.id, x);
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
