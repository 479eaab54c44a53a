#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/messages.hpp"

#include <caf/actor_companion.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pulse::test {

/// A subscriber for events or batches, controlled by the test, for the
/// deterministic scheduler. Its handler returns at once unless the test wants
/// something else.
class scripted_worker {
public:
  explicit scripted_worker(caf::actor_system& sys)
    : memory_(std::make_shared<memory>()), actor_(sys.spawn(behave, memory_)) {
    // nop
  }

  scripted_worker(const scripted_worker&) = delete;
  scripted_worker& operator=(const scripted_worker&) = delete;

  ~scripted_worker() {
    memory_->held.clear();
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

  [[nodiscard]] event_listener handle() const {
    return caf::actor_cast<event_listener>(actor_);
  }

  /// @returns the same actor as one that handles batches.
  [[nodiscard]] batch_listener batches() const {
    return caf::actor_cast<batch_listener>(actor_);
  }

  /// @returns the events since the last call, as in "a1 a2(2,1,0) [a3 a4]". The
  /// numbers are deliveries, failures and crashes; a first delivery has none. A
  /// batch is in brackets.
  std::string got() {
    return std::exchange(memory_->got, {});
  }

  /// From now on the worker works on each event until finish() or fail().
  void hold() {
    memory_->holds = true;
  }

  /// Returns from the handlers of the `n` oldest messages that the worker
  /// holds.
  void finish(size_t n = 1) {
    caf::anon_send(actor_, caf::ok_atom_v, n);
  }

  /// Fails at the oldest event that the worker holds.
  void fail(caf::error why) {
    caf::anon_send(actor_, caf::put_atom_v, std::move(why));
  }

  /// Returns an outcome from the handler of the oldest batch that the worker
  /// holds.
  void end(batch_outcome how) {
    caf::anon_send(actor_, caf::update_atom_v, std::move(how));
  }

  /// From now on the worker answers each message with this error; without an
  /// error it returns.
  void always_fail(caf::error why) {
    memory_->always = std::move(why);
  }

  /// The handler of the next event throws.
  void throw_next() {
    memory_->throws = true;
  }

  /// Ends without a fault, although it may hold events.
  void quit() {
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

  void die() {
    caf::anon_send_exit(actor_, caf::exit_reason::kill);
  }

  [[nodiscard]] size_t held() const {
    return memory_->held.size();
  }

private:
  struct memory {
    std::string got;
    bool holds = false;
    bool throws = false;
    caf::error always;
    std::deque<caf::response_promise> held;
  };

  using actor_type
    = extended_interface<event_listener,
                         caf::result<batch_outcome>(event_batch),
                         caf::result<void>(caf::ok_atom, size_t),
                         caf::result<void>(caf::put_atom, caf::error),
                         caf::result<void>(caf::update_atom, batch_outcome)>;

  static std::string text_of(const event& x) {
    const auto& n = x.counts();
    auto result = std::string{x.stream()} + std::to_string(x.id().ms);
    if (n.deliveries != 1 || n.failures > 0 || n.crashes > 0)
      result += "(" + std::to_string(n.deliveries) + ","
                + std::to_string(n.failures) + "," + std::to_string(n.crashes)
                + ")";
    return result;
  }

  static std::string text_of(const event_batch& xs) {
    std::string result;
    for (const auto& x : xs)
      result += (result.empty() ? "[" : " ") + text_of(x);
    return result + "]";
  }

  template <class Result, class Content>
  static caf::result<Result>
  on_content(actor_type::pointer self, memory& mem, const Content& x) {
    mem.got.append(mem.got.empty() ? "" : " ").append(text_of(x));
    if (std::exchange(mem.throws, false))
      throw std::runtime_error{"the handler threw"};
    if (mem.always)
      return mem.always;
    auto promise = self->make_response_promise();
    if (promise.async())
      return promise;
    if (mem.holds)
      mem.held.push_back(promise);
    else
      promise.deliver(caf::unit);
    return promise;
  }

  template <class Outcome>
  static void end_oldest(memory& mem, const Outcome& how) {
    if (mem.held.empty())
      return;
    mem.held.front().deliver(how);
    mem.held.pop_front();
  }

  static actor_type::behavior_type behave(actor_type::pointer self,
                                          const std::shared_ptr<memory>& mem) {
    return {
      [=](const event& x) { return on_content<void>(self, *mem, x); },
      [=](const event_batch& x) {
        return on_content<batch_outcome>(self, *mem, x);
      },
      [=](caf::ok_atom, size_t n) {
        for (; n > 0 && !mem->held.empty(); --n) {
          mem->held.front().deliver(caf::unit);
          mem->held.pop_front();
        }
      },
      [=](caf::put_atom, const caf::error& why) { end_oldest(*mem, why); },
      [=](caf::update_atom, const batch_outcome& how) {
        end_oldest(*mem, how);
      },
    };
  }

  std::shared_ptr<memory> memory_;
  actor_type actor_;
};

/// A subscriber whose handler never returns: it answers no message.
class hanging_worker {
public:
  explicit hanging_worker(caf::actor_system& sys)
    : actor_(sys.spawn<caf::actor_companion>()) {
    caf::actor_cast<caf::actor_companion*>(actor_)->on_enqueue(
      [this](caf::mailbox_element_ptr x) { kept_.push_back(std::move(x)); });
  }

  [[nodiscard]] event_listener handle() const {
    return caf::actor_cast<event_listener>(actor_);
  }

  /// @returns how many messages the worker got.
  [[nodiscard]] size_t messages() const {
    return kept_.size();
  }

private:
  caf::actor actor_;
  std::vector<caf::mailbox_element_ptr> kept_;
};

} // namespace pulse::test
