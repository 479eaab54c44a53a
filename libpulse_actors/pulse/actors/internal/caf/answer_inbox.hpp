#pragma once

#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/caf/reply_receiver.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/error.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace pulse::internal {

/// The answer to a request.
struct answer {
  /// The number that send() of the inbox got.
  uint64_t number = 0;
  /// No error if the receiver returned from its handler, whatever it returned.
  caf::error why;
  /// What the receiver returned, if it was this.
  batch_outcome outcome;
};

/// Sends requests for an actor, and takes the answers. The threads of those who
/// answer store the answers, and the actor gets one message for all that came
/// since it looked last. So an answer costs neither a message in the mailbox of
/// the actor nor a continuation, and while the actor is busy, it is not woken.
/// It lives in the state of that actor.
///
/// If few requests are open, those who answer will soon have nothing to do.
/// Then an answer wakes an actor of an io_host on the scheduler, if it came
/// from there: a message to another thread would take longer than their work.
/// If many are open, the actor runs in its host meanwhile.
template <class Self>
class answer_inbox {
public:
  /// @param self The actor; must outlive this, and must handle
  /// `caf::update_atom`: then it calls take().
  explicit answer_inbox(Self self) : self_(self) {
    receiver_ = make_reply_receiver<receiver>(self->system(), self->context(),
                                              self->address());
  }

  answer_inbox(const answer_inbox&) = delete;
  answer_inbox& operator=(const answer_inbox&) = delete;

  ~answer_inbox() {
    get().close();
  }

  /// Sends a request.
  /// @param number Identifies the answer. Not 0, and less than 2^60.
  /// @param to Should reply always, or be local, because CAF then replies for
  /// it when it terminates.
  template <class Handle, class... Ts>
  void send(uint64_t number, const Handle& to, Ts&&... message) {
    get().expect_one();
    auto* who = caf::actor_cast<caf::abstract_actor*>(to);
    who->enqueue(make_element(receiver_, caf::make_message_id(number),
                              std::forward<Ts>(message)...),
                 self_->context());
  }

  /// Sets how many requests are open, since nobody answers some of them.
  void are_open(size_t requests) noexcept {
    get().are_open(static_cast<int>(requests));
  }

  /// Moves the answers that came since the last call into an empty vector. A
  /// receiver may answer a request twice.
  void take(std::vector<answer>& into) {
    get().take(into);
  }

private:
  class receiver : public reply_receiver {
  public:
    receiver(caf::actor_config& cfg, caf::actor_addr owner)
      : reply_receiver(cfg), owner_(std::move(owner)) {
      // nop
    }

    const char* name() const override {
      return "pulse.answers";
    }

    void expect_one() noexcept {
      ++open_;
    }

    void are_open(int requests) noexcept {
      open_ = requests;
    }

    void take(std::vector<answer>& into) {
      std::lock_guard guard{mutex_};
      answers_.swap(into);
    }

    void close() {
      {
        std::lock_guard guard{mutex_};
        closed_ = true;
        answers_.clear();
      }
      this->end();
    }

  private:
    void on_reply(caf::mailbox_element& what, running_host* here) override {
      if (add(what))
        wake_owner(here);
    }

    // Returns whether the owner must be woken: otherwise it has not looked yet
    // since it was woken last.
    bool add(caf::mailbox_element& what) {
      --open_;
      answer x;
      x.number = what.mid.request_id().integer_value();
      if (auto& content = what.content();
          content.template match_elements<caf::error>())
        x.why = content.template get_as<caf::error>(0);
      else if (content.template match_elements<batch_outcome>())
        x.outcome = content.template get_as<batch_outcome>(0);
      std::lock_guard guard{mutex_};
      if (closed_)
        return false;
      answers_.push_back(std::move(x));
      return answers_.size() == 1;
    }

    void wake_owner(running_host* here) {
      auto to = caf::actor_cast<caf::strong_actor_ptr>(owner_);
      if (!to)
        return;
      auto news = make_element(nullptr, caf::make_message_id(),
                               caf::update_atom_v);
      if (open_ <= few)
        enqueue_beside(*to->get(), std::move(news), here);
      else
        to->get()->enqueue(std::move(news), here);
    }

    /// Fewer open requests keep their receivers busy for less time than a
    /// message to another thread takes.
    static constexpr int few = 32;

    caf::actor_addr owner_;
    /// Number of open requests, about.
    std::atomic<int> open_{0};
    std::mutex mutex_;
    std::vector<answer> answers_;
    bool closed_ = false;
  };

  receiver& get() {
    return static_cast<receiver&>(
      *caf::actor_cast<caf::abstract_actor*>(receiver_));
  }

  Self self_;
  caf::strong_actor_ptr receiver_;
};

} // namespace pulse::internal
