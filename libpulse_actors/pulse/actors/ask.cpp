#include "pulse/actors/ask.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/reply_receiver.hpp"

#include <mutex>
#include <utility>

namespace pulse::detail {

namespace {

/// Waits for the reply to one request. The request owns it.
class reply_waiter : public internal::reply_receiver {
public:
  reply_waiter(caf::actor_config& cfg, std::unique_ptr<reply_slot> slot)
    : reply_receiver(cfg), slot_(std::move(slot)) {
    // nop
  }

  ~reply_waiter() override {
    if (slot_)
      slot_->fail(make_error(
        {errc::closed, "the actor that was asked dropped the request"}));
  }

  const char* name() const override {
    return "pulse.future";
  }

private:
  // An actor may reply twice, for instance by an error when it ends.
  void on_reply(caf::mailbox_element& what, internal::running_host*) override {
    std::unique_lock guard{mutex_};
    const auto slot = std::move(slot_);
    guard.unlock();
    if (!slot)
      return;
    slot->set(what.content());
    end();
  }

  std::mutex mutex_;
  std::unique_ptr<reply_slot> slot_;
};

} // namespace

void send_request(caf::actor_system& sys, const caf::strong_actor_ptr& to,
                  caf::message what, std::unique_ptr<reply_slot> slot) {
  if (!to)
    return slot->fail(make_error(
      {errc::closed, "there is no actor to ask: the handle is empty"}));
  auto waiter = internal::make_reply_receiver<reply_waiter>(sys, nullptr,
                                                            std::move(slot));
  to->get()->enqueue(internal::make_element(std::move(waiter),
                                            caf::make_message_id(1),
                                            std::move(what)),
                     nullptr);
}

} // namespace pulse::detail
