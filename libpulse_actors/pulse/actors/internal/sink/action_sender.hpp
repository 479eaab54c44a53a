#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Calls `fn` with each stream that `xs` has something of, and with what it has
/// of it, in the order of `xs`.
/// @param xs Each has a member `stream`.
template <class T, class F>
void for_each_stream(std::vector<T> xs, F fn) {
  auto by_stream = [](const T& a, const T& b) { return a.stream < b.stream; };
  if (!std::is_sorted(xs.begin(), xs.end(), by_stream))
    std::stable_sort(xs.begin(), xs.end(), by_stream);
  for (auto i = xs.begin(); i != xs.end();) {
    const auto end = std::upper_bound(i, xs.end(), *i, by_stream);
    const auto stream = i->stream;
    fn(stream, std::vector<T>(std::make_move_iterator(i),
                              std::make_move_iterator(end)));
    i = end;
  }
}

/// Sends actions of one kind to Redis, those of a stream together, and repeats
/// them until Redis confirms them.
class sink_action_sender {
public:
  using action = delivery_ledger::action;
  using actions = std::vector<action>;

  /// @param what See write_gate.
  /// @param call Makes the command for actions of a stream.
  /// @param confirm Called with the reply to that command. It deals with the
  /// actions if Redis executed them; otherwise it returns why not.
  sink_action_sender(
    sink_context& ctx, std::string what,
    std::function<command_ptr(uint32_t, const actions&)> call,
    std::function<status(uint32_t, const actions&, const resp::reply&)> confirm)
    : ctx_(ctx),
      gate_(ctx, std::move(what)),
      call_(std::move(call)),
      confirm_(std::move(confirm)) {
    // nop
  }

  sink_action_sender(const sink_action_sender&) = delete;
  sink_action_sender& operator=(const sink_action_sender&) = delete;

  void add(action x) {
    waiting_.push_back(std::move(x));
  }

  /// @returns whether the pause after a failure is over, if there was one.
  [[nodiscard]] bool may_send() const {
    return gate_.is_open();
  }

  /// The same, after a pause.
  void add_after_failure(const actions& xs, const failure& why) {
    waiting_.insert(waiting_.end(), xs.begin(), xs.end());
    gate_.failed(why);
  }

  /// Sends what waits.
  void flush() {
    if (!waiting_.empty() && may_send())
      for_each_stream(std::exchange(waiting_, {}),
                      [this](uint32_t stream, actions xs) {
                        send(stream, std::move(xs));
                      });
  }

  /// @returns how many actions are not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return waiting_.size() + sent_;
  }

private:
  void send(uint32_t stream, actions xs) {
    auto batch = call_(stream, xs);
    sent_ += xs.size();
    const auto shared = std::make_shared<actions>(std::move(xs));
    ctx_.run(
      std::move(batch),
      [this, stream, shared](const reply_ptr& reply) {
        sent_ -= shared->size();
        if (const auto ok = confirm_(stream, *shared, *reply); ok)
          gate_.worked();
        else
          failed(std::move(*shared), ok.error());
      },
      [this, shared](const caf::error& err) {
        sent_ -= shared->size();
        failed(std::move(*shared), to_failure(err));
      });
  }

  // Redis may have executed the command. So an event that is not pending for
  // this sink next time may be one that another node got and acknowledged.
  void failed(actions xs, const failure& why) {
    for (auto& x : xs)
      ctx_.ledger.note_may_be_elsewhere(x);
    ctx_.note_refusal(why);
    add_after_failure(xs, why);
  }

  sink_context& ctx_;
  write_gate gate_;
  std::function<command_ptr(uint32_t, const actions&)> call_;
  std::function<status(uint32_t, const actions&, const resp::reply&)> confirm_;
  actions waiting_;
  size_t sent_ = 0;
};

} // namespace pulse::internal
