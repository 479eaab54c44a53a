#include "pulse/actors/internal/pulling/source.hpp"

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/delivering/open_deliveries.hpp"
#include "pulse/actors/internal/runtime/tick_timer.hpp"
#include "pulse/actors/type_ids.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

namespace {

class pull_source_state {
public:
  using self_type = pull_source;
  using time_point = caf::actor_clock::time_point;

  static constexpr const char* name = "pulse.inbox";

  pull_source_state(self_type::pointer self, pull_source_options options,
                    std::shared_ptr<pull_queue> queue)
    : self_(self),
      me_(self),
      options_(std::move(options)),
      queue_(std::move(queue)),
      open_(self),
      deaths_(self),
      timer_(self) {
    // nop
  }

  pull_source_state(const pull_source_state&) = delete;
  pull_source_state& operator=(const pull_source_state&) = delete;

  self_type::behavior_type make_behavior() {
    // A reader ends subscribers that are too slow (`overflow_policy::fail`).
    on_exit_request(self_, [this](const caf::exit_msg& x) { end(x.reason); });
    deaths_.begin([this](const caf::down_msg& x) { on_down(x.reason); });
    deaths_.add(options_.from);
    return {
      [this](const event& x) { return on_event(x); },
      [this](caf::update_atom) { on_outcomes(); },
      [this](caf::close_atom) { on_close(); },
      [this](caf::tick_atom) { on_tick(); },
    };
  }

private:
  // -- events and outcomes ----------------------------------------------------

  caf::result<void> on_event(const event& x) {
    auto [what, answer] = open_.add(x, options_.is_sink);
    if (is_closing_)
      dropped_.push_back(std::move(what));
    else
      queue_->push(std::move(what));
    arm();
    return answer;
  }

  void on_outcomes() {
    open_.settle(options_.from);
    quit_when_done();
  }

  // -- events that wait -------------------------------------------------------

  [[nodiscard]] milliseconds period() const {
    return options_.ack_wait / 3;
  }

  void arm() {
    if (options_.ack_wait.count() == 0 || std::exchange(is_armed_, true))
      return;
    timer_.arm(self_->clock().now() + period());
  }

  void on_tick() {
    timer_.on_tick();
    is_armed_ = false;
    if (is_closing_)
      return self_->quit();
    const auto waiting = queue_->waiting();
    if (waiting.empty())
      return;
    if (!queue_->is_used(options_.ack_wait))
      return sleep();
    for (const auto& x : waiting)
      request(self_, options_.from, atom::extend_v, x)
        .then([] {},
              [queue = queue_, x](const caf::error&) {
                queue->drop(x); // it is delivered again
              });
    arm();
  }

  // The sink gives the events of a worker that quits to others, and counts no
  // attempt.
  void sleep() {
    queue_->sleep();
    self_->quit();
  }

  // -- the end ----------------------------------------------------------------

  // Those that wait keep their outcome open until the actor ends, since the
  // outcome of a delivery that is dropped would be a failure.
  void on_close() {
    if (std::exchange(is_closing_, true))
      return;
    queue_->close();
    dropped_ = queue_->end({}, true);
    request(self_, options_.from, caf::unsubscribe_atom_v,
            caf::actor_cast<event_listener>(me_))
      .then([](bool) {}, [](const caf::error&) {});
    timer_.arm(self_->clock().now() + options_.ack_wait / 2);
    quit_when_done();
  }

  void quit_when_done() {
    if (is_closing_ && open_.size() <= dropped_.size())
      self_->quit();
  }

  void end(caf::error why) {
    const auto rest = queue_->end(std::move(why), options_.is_sink);
    self_->quit();
  }

  // A reader or sink that died of a defect is started again by its root, which
  // subscribes this actor again.
  void on_down(const caf::error& reason) {
    if (is_closing_)
      return self_->quit();
    const std::string what = options_.is_sink ? "sink" : "reader";
    if (!is_fault(reason))
      return end(make_error({errc::closed, "the " + what + " was closed"}));
    if (!options_.root)
      return end(reason);
    open_.clear();
    if (options_.is_sink) {
      queue_->drop();
      renew<sink_actor>(atom::sink_v);
    } else {
      renew<reader_actor>(atom::reader_v);
    }
  }

  template <class Handle, class Kind>
  void renew(Kind kind) {
    request(self_, options_.root, caf::get_atom_v, kind, options_.name)
      .then(
        [this](Handle& fresh) {
          options_.from = caf::actor_cast<caf::actor>(std::move(fresh));
          deaths_.add(options_.from);
        },
        [this](const caf::error& why) { end(why); });
  }

  self_type::pointer self_;
  // The queue and the sink refer to the actor by address only, or not at all.
  self_type me_;
  pull_source_options options_;
  std::shared_ptr<pull_queue> queue_;
  open_deliveries<self_type::pointer> open_;
  death_watch<self_type::pointer> deaths_;
  tick_timer<self_type::pointer> timer_;
  bool is_armed_ = false;
  bool is_closing_ = false;
  std::vector<delivery> dropped_;
};

} // namespace

pull_source spawn_pull_source(caf::actor_system& sys,
                              pull_source_options options,
                              std::shared_ptr<pull_queue> queue) {
  return spawn_state<pull_source_state>(sys, std::move(options),
                                        std::move(queue));
}

} // namespace pulse::internal
