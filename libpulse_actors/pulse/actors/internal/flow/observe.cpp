#include "pulse/actors/internal/flow/inbox.hpp"
#include "pulse/actors/internal/flow/source.hpp"

#include <caf/detail/scope_guard.hpp>
#include <caf/flow/observable.hpp>
#include <caf/flow/op/hot.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace pulse {

namespace {

using internal::flow_inbox;

// Passes the deliveries of an inbox to an observer, on the thread of its actor.
// op::from_resource of CAF 1.1.0 does not cancel when its actor ends.
template <class T>
class inbox_subscription final : public caf::flow::subscription::impl_base,
                                 public flow_inbox::consumer {
public:
  inbox_subscription(caf::scheduled_actor* self,
                     std::shared_ptr<flow_inbox> inbox,
                     caf::flow::observer<T> out)
    : self_(self), inbox_(std::move(inbox)), out_(std::move(out)) {
    // nop
  }

  ~inbox_subscription() override {
    inbox_->cancel();
  }

  [[nodiscard]] caf::flow::coordinator* parent() const noexcept override {
    return self_;
  }

  [[nodiscard]] bool disposed() const noexcept override {
    return !out_ || disposed_;
  }

  void request(size_t n) override {
    demand_ += n;
    // CAF 1.1.0 does not destroy the function of an action that throws.
    if (!running_)
      self_->delay_fn([me = strong_this()]() mutable {
        auto alive = std::move(me);
        alive->run();
      });
  }

  void wake() override {
    auto keep_alive = strong_this();
    run();
  }

private:
  caf::intrusive_ptr<inbox_subscription> strong_this() {
    return caf::intrusive_ptr<inbox_subscription>{this};
  }

  void run() {
    if (running_ || disposed())
      return;
    pass_all();
    if (!out_)
      return;
    if (disposed_) {
      out_.on_error(caf::make_error(caf::sec::disposed));
    } else if (auto why = inbox_->ended()) {
      inbox_->cancel();
      if (*why)
        out_.on_error(*why);
      else
        out_.on_complete();
    }
  }

  // The observer may cancel meanwhile, its actor may quit, and it may throw.
  void pass_all() {
    running_ = true;
    auto guard = caf::detail::scope_guard([this]() noexcept { //
      running_ = false;
    });
    while (!disposed() && demand_ > 0 && pass_one())
      --demand_;
  }

  bool pass_one() {
    auto next = inbox_->next();
    if (!next)
      return false;
    if constexpr (std::is_same_v<T, event>) {
      out_.on_next(**next);
      next->ack();
    } else {
      out_.on_next(*next);
    }
    inbox_->done();
    return true;
  }

  void do_dispose(bool from_external) override {
    if (disposed())
      return;
    disposed_ = true;
    inbox_->cancel(self_->fail_state());
    // Observers of CAF expect no on_error() inside of their on_next(), so run()
    // calls it later.
    if (!from_external)
      out_.release_later();
    else if (!running_)
      out_.on_error(caf::make_error(caf::sec::disposed));
  }

  caf::scheduled_actor* self_;
  std::shared_ptr<flow_inbox> inbox_;
  caf::flow::observer<T> out_;
  size_t demand_ = 0;
  bool running_ = false;
  bool disposed_ = false;
};

template <class T>
class observe_inbox final : public caf::flow::op::hot<T> {
public:
  using super = caf::flow::op::hot<T>;

  observe_inbox(caf::scheduled_actor* self, std::shared_ptr<flow_inbox> inbox)
    : super(self), self_(self), inbox_(std::move(inbox)) {
    // nop
  }

  ~observe_inbox() override {
    if (!opened_)
      inbox_->cancel();
  }

  caf::disposable subscribe(caf::flow::observer<T> out) override {
    if (std::exchange(opened_, true))
      return super::fail_subscription(
        out, make_error({errc::already_open,
                         "a flow of pulse has one observer: use share(), or "
                         "observe() once more"}));
    auto sub = caf::make_counted<inbox_subscription<T>>(self_, inbox_, out);
    self_->watch(sub->as_disposable());
    out.on_subscribe(caf::flow::subscription{sub});
    if (!sub->disposed())
      inbox_->open(self_, sub.get());
    return sub->as_disposable();
  }

private:
  caf::scheduled_actor* self_;
  std::shared_ptr<flow_inbox> inbox_;
  bool opened_ = false;
};

template <class T, class Handle>
caf::flow::observable<T> observe_events(caf::scheduled_actor* self,
                                        const Handle& from, uint32_t credit) {
  auto inbox = std::make_shared<flow_inbox>();
  internal::spawn_flow_source(self->home_system(),
                              {caf::actor_cast<caf::actor>(from),
                               std::is_same_v<Handle, sink_actor>, credit,
                               caf::actor_cast<caf::actor>(self)},
                              inbox);
  return caf::flow::observable<T>{
    caf::make_counted<observe_inbox<T>>(self, inbox)};
}

} // namespace

caf::flow::observable<delivery>
observe(caf::scheduled_actor* self, const sink_actor& from, uint32_t credit) {
  return observe_events<delivery>(self, from, credit);
}

caf::flow::observable<event>
observe(caf::scheduled_actor* self, const reader_actor& from, uint32_t credit) {
  return observe_events<event>(self, from, credit);
}

} // namespace pulse
