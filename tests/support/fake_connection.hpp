#pragma once

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/connection/actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "support/resp_text.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// A fake connection to Redis, controlled by the test, for the deterministic
/// scheduler. It records the batches that arrive, and replies when the test
/// says so. Calls take effect when the fixture runs (consume_messages).
class fake_connection {
public:
  /// A batch that waits for its reply.
  struct batch {
    std::vector<argv> commands;
    command_ptr source;
    caf::response_promise promise;
  };

  /// Returns the RESP reply to one command; nullopt: the batch has to wait.
  using rule = std::function<std::optional<std::string>(const argv&)>;

  /// Returns the RESP replies to all commands of a batch, or the reason why the
  /// batch fails; nullopt: the batch has to wait.
  using batch_rule = std::function<std::optional<outcome<std::string>>(
    const std::vector<argv>&)>;

  explicit fake_connection(caf::actor_system& sys)
    : state_(std::make_shared<state>()), actor_(sys.spawn(behave, state_)) {
    // nop
  }

  fake_connection(const fake_connection&) = delete;
  fake_connection& operator=(const fake_connection&) = delete;

  ~fake_connection() {
    state_->waiting.clear();
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

  [[nodiscard]] connection_actor handle() const {
    return actor_;
  }

  /// All commands that arrived so far, as texts.
  [[nodiscard]] std::vector<std::string> log() const {
    std::vector<std::string> result;
    for (auto& x : state_->commands)
      result.push_back(to_text(x));
    return result;
  }

  /// All commands that arrived so far.
  [[nodiscard]] const std::vector<argv>& commands() const {
    return state_->commands;
  }

  void clear_log() {
    state_->commands.clear();
    state_->batches = 0;
  }

  /// Batches that arrived and wait for an answer, oldest first.
  [[nodiscard]] const std::deque<batch>& waiting() const {
    return state_->waiting;
  }

  /// Number of batches that arrived so far.
  [[nodiscard]] size_t batches() const {
    return state_->batches;
  }

  [[nodiscard]] size_t unblocks() const {
    return state_->unblocks;
  }

  [[nodiscard]] size_t closes() const {
    return state_->closes;
  }

  /// Answers the oldest waiting batch with all its replies.
  void answer(std::string replies) {
    tell({std::move(replies), {}});
  }

  /// Fails the oldest waiting batch.
  void fail(const failure& why) {
    tell({{}, make_error(why)});
  }

  /// Fails the batch that came last, and that waits, before those before it.
  void fail_last(const failure& why) {
    auto plan = answer_plan{{}, make_error(why)};
    plan.for_last = true;
    tell(std::move(plan));
  }

  /// From now on the fake replies to batches by itself, also to those that
  /// wait.
  void set_rule(rule x) {
    set_batch_rule([rule = std::move(x)](const std::vector<argv>& commands)
                     -> std::optional<outcome<std::string>> {
      std::string replies;
      for (const auto& command : commands) {
        auto reply = rule(command);
        if (!reply)
          return std::nullopt;
        replies += *reply;
      }
      return outcome<std::string>{std::move(replies)};
    });
  }

  void set_batch_rule(batch_rule x) {
    state_->answer_by = std::move(x);
    look_again();
  }

  /// Applies the rule again to all batches that wait.
  void look_again() {
    caf::anon_send(actor_, caf::tick_atom_v);
  }

  /// From now on an unblock request makes the fake send this reply to the batch
  /// that waits.
  void set_unblock_answer(std::string replies) {
    state_->unblock_answer = std::move(replies);
  }

private:
  struct answer_plan {
    std::string replies;
    caf::error error;
    bool for_last = false;
  };

  static batch take(std::deque<batch>& from, bool last) {
    auto result = std::move(last ? from.back() : from.front());
    if (last)
      from.pop_back();
    else
      from.pop_front();
    return result;
  }

  struct state {
    std::vector<argv> commands;
    std::deque<batch> waiting;
    std::deque<answer_plan> plans;
    batch_rule answer_by;
    std::string unblock_answer;
    size_t batches = 0;
    size_t unblocks = 0;
    size_t closes = 0;
  };

  using state_ptr = std::shared_ptr<state>;
  using actor_type
    = extended_interface<connection_actor, caf::result<void>(caf::tick_atom)>;

  void tell(answer_plan x) {
    state_->plans.push_back(std::move(x));
    caf::anon_send(actor_, caf::tick_atom_v);
  }

  static actor_type::behavior_type behave(actor_type::pointer self,
                                          const state_ptr& st) {
    return {
      [=](atom::run, const command_ptr& x) -> caf::result<reply_ptr> {
        auto commands = decode_commands(x->bytes);
        CAF_CHECK_EQUAL(commands.size(), x->count);
        st->commands.insert(st->commands.end(), commands.begin(),
                            commands.end());
        ++st->batches;
        auto promise = self->make_response_promise();
        st->waiting.push_back({std::move(commands), x, promise});
        obey(*st);
        return promise;
      },
      [=](atom::unblock) {
        ++st->unblocks;
        if (!st->unblock_answer.empty() && !st->waiting.empty()) {
          st->plans.push_front({st->unblock_answer, {}});
          obey(*st);
        }
      },
      [=](atom::info) {
        connection_info result;
        result.state = "ready";
        result.queued = st->waiting.size();
        return result;
      },
      [=](caf::close_atom) { ++st->closes; },
      [=](caf::tick_atom) { obey(*st); },
    };
  }

  // Runs in the context of the actor, because only the actor may fulfil its
  // promises.
  static void obey(state& st) {
    for (; !st.plans.empty() && !st.waiting.empty(); st.plans.pop_front()) {
      auto x = take(st.waiting, st.plans.front().for_last);
      if (st.plans.front().error)
        x.promise.deliver(st.plans.front().error);
      else
        x.promise.deliver(
          replies_of(st.plans.front().replies, x.source->count));
    }
    while (st.answer_by && !st.waiting.empty()) {
      auto reply = st.answer_by(st.waiting.front().commands);
      if (!reply)
        return;
      auto x = std::move(st.waiting.front());
      st.waiting.pop_front();
      if (*reply)
        x.promise.deliver(replies_of(**reply, x.source->count));
      else
        x.promise.deliver(make_error(reply->error()));
    }
  }

  static reply_ptr replies_of(const std::string& text, uint32_t count) {
    auto result = std::make_shared<resp::reply>(parse_reply(text));
    if (result->count != count)
      CAF_FAIL("expected " << count << " replies: " << text);
    return result;
  }

  state_ptr state_;
  actor_type actor_;
};

} // namespace pulse::test
