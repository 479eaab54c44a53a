#include "pulse/actors/internal/flow/source.hpp"

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/caf/spawn_state.hpp"
#include "pulse/actors/internal/delivering/open_deliveries.hpp"

#include <utility>

namespace pulse::internal {

namespace {

using flow_source = extended_interface<event_listener,
                                       // The flow has an observer now.
                                       caf::result<void>(caf::subscribe_atom),
                                       // The flow takes no more events.
                                       caf::result<void>(caf::unsubscribe_atom),
                                       // Deliveries have outcomes.
                                       caf::result<void>(caf::update_atom)>;

class flow_source_state {
public:
  using self_type = flow_source;

  static constexpr const char* name = "pulse.flow";

  flow_source_state(self_type::pointer self, flow_source_options options,
                    std::shared_ptr<flow_inbox> inbox)
    : self_(self),
      me_(self),
      options_(std::move(options)),
      inbox_(std::move(inbox)),
      deaths_(self),
      open_(self) {
    // nop
  }

  flow_source_state(const flow_source_state&) = delete;
  flow_source_state& operator=(const flow_source_state&) = delete;

  ~flow_source_state() {
    inbox_->end(make_error({errc::closed, "the source of the flow ended"}),
                options_.is_sink);
  }

  self_type::behavior_type make_behavior() {
    // A reader ends subscribers that are too slow (`overflow_policy::fail`),
    // and a consumer that dies ends its source.
    on_exit_request(self_, [this](const caf::exit_msg& x) { end(x.reason); });
    deaths_.begin([this](const caf::down_msg& x) { on_down(x); });
    deaths_.add(options_.from);
    deaths_.add(std::exchange(options_.consumer, {}));
    return {
      [this](const event& x) { return on_event(x); },
      [this](caf::subscribe_atom) { on_open(); },
      [this](caf::unsubscribe_atom) { on_cancel(); },
      [this](caf::update_atom) { on_outcomes(); },
    };
  }

private:
  [[nodiscard]] event_listener listener() const {
    return caf::actor_cast<event_listener>(me_);
  }

  // -- subscription -----------------------------------------------------------

  void on_open() {
    if (cancelled_)
      return;
    subscribing_ = true;
    request(self_, options_.from, caf::subscribe_atom_v, listener(),
            subscription{options_.credit})
      .then([this] { on_subscribed(); },
            [this](const caf::error& why) {
              end(make_error(to_failure(why)));
            });
  }

  void on_subscribed() {
    subscribing_ = false;
    subscribed_ = true;
    if (cancelled_)
      leave();
  }

  void on_cancel() {
    if (std::exchange(cancelled_, true))
      return;
    if (subscribed_)
      leave();
    else if (!subscribing_)
      self_->quit();
  }

  // A worker that dies while it holds events has crashed. So the source ends
  // when it holds nothing, and when nothing more can come.
  void leave() {
    auto left = [this] {
      subscribed_ = false;
      end_if_idle();
    };
    request(self_, options_.from, caf::unsubscribe_atom_v, listener())
      .then([left](bool) { left(); }, [left](const caf::error&) { left(); });
  }

  void end_if_idle() {
    if (cancelled_ && !subscribing_ && !subscribed_ && open_.size() == 0)
      self_->quit();
  }

  void end(const caf::error& why) {
    inbox_->end(why, options_.is_sink);
    self_->quit(why);
  }

  // -- events and outcomes ----------------------------------------------------

  // A reader wants to hear of the last of several events only.
  caf::result<void> on_event(const event& x) {
    auto [what, answer] = open_.add(x, options_.is_sink);
    inbox_->push(std::move(what));
    return answer;
  }

  void on_outcomes() {
    open_.settle(options_.from);
    end_if_idle();
  }

  // -- deaths -----------------------------------------------------------------

  void on_down(const caf::down_msg& x) {
    if (x.source != options_.from.address())
      on_consumer_down(x.reason);
    else if (is_failure(x.reason))
      end(x.reason);
    else if (subscribed_)
      end({});
    else
      end(make_error({errc::closed,
                      "the reader or sink was closed before the flow had "
                      "subscribed to it: open it again"}));
  }

  // This comes before what the flow destroys when its actor ends.
  void on_consumer_down(const caf::error& reason) {
    if (is_failure(reason) && !cancelled_)
      self_->quit(reason);
    else
      on_cancel();
  }

  self_type::pointer self_;
  // Nobody else may have a handle while the source waits for an outcome.
  flow_source me_;
  flow_source_options options_;
  std::shared_ptr<flow_inbox> inbox_;
  death_watch<self_type::pointer> deaths_;
  open_deliveries<self_type::pointer> open_;
  bool subscribing_ = false;
  bool subscribed_ = false;
  bool cancelled_ = false;
};

} // namespace

void spawn_flow_source(caf::actor_system& sys, flow_source_options options,
                       std::shared_ptr<flow_inbox> inbox) {
  auto source = spawn_state<flow_source_state>(sys, std::move(options), inbox);
  inbox->begin(caf::actor_cast<caf::actor>(source));
}

} // namespace pulse::internal
