#include "pulse/actors/internal/producing/actor.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/internal/runtime/delayed_calls.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/type_ids.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/repeated_lines.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace pulse {

namespace {

using internal::add_queue;

class producer_state {
public:
  using self_type
    = extended_interface<producer_actor, caf::result<void>(caf::update_atom),
                         caf::result<void>(caf::tick_atom)>;

  static constexpr const char* name = "pulse.producer";

  producer_state(self_type::pointer self, internal::produced_stream stream,
                 const producer_options& how, std::shared_ptr<add_queue> queue,
                 failure_listener listener)
    : self_(self),
      stream_(std::move(stream)),
      how_(how),
      queue_(std::move(queue)),
      listener_(std::move(listener)),
      deaths_(self),
      calls_(self),
      refusal_lines_("more events were not taken", [this](const auto& x) {
        log(log_level::warning, internal::producer_name(stream_.name), x);
      }) {
    // nop
  }

  producer_state(const producer_state&) = delete;
  producer_state& operator=(const producer_state&) = delete;

  ~producer_state() {
    queue_->set_wake({});
    queue_->stop(closed("it has ended"));
    queue_->give_up();
    if (report_)
      queue_->not_reported(reported_event());
    deliver_answers();
    for (auto& x : flushes_)
      x.answer.deliver(make_error(closed("it has ended")));
    finish_close();
  }

  self_type::behavior_type make_behavior() {
    queue_->set_wake([me = caf::actor_cast<caf::actor_addr>(self_)] {
      if (auto hdl = caf::actor_cast<caf::actor>(me))
        internal::tell(hdl, caf::update_atom_v);
    });
    deaths_.begin([this](const caf::down_msg& x) { on_down(x); });
    deaths_.add(stream_.actor);
    if (listener_)
      set_listener(std::exchange(listener_, nullptr));
    return internal::replies_to_requests<self_type::behavior_type>(
      self_, internal::producer_name(stream_.name),
      [this](caf::add_atom, new_event& x) { return on_add(x); },
      [this](caf::subscribe_atom, const failure_listener& who) {
        return on_subscribe(who);
      },
      [this](caf::flush_atom, caf::timespan timeout) {
        return on_flush(timeout);
      },
      [this](atom::info) { return queue_->info(); },
      [this](caf::close_atom) { return on_close(); },
      [this](caf::update_atom) {
        queue_->woken();
        advance();
      },
      [this](caf::tick_atom) {
        calls_.on_tick();
        advance();
      });
  }

private:
  using clock = add_queue::clock;
  using events = std::vector<failed_add>;

  struct flush {
    uint64_t id;
    uint64_t until;
    caf::response_promise answer;
  };

  // -- requests ---------------------------------------------------------------

  caf::result<void> on_add(new_event& x) {
    if (const auto result = queue_->add(x)) {
      if (!*result)
        return make_error(result->error());
      advance();
      return caf::unit;
    }
    auto answer = internal::new_promise(self_);
    queue_->wait(x, answer, self_->clock().now() + how_.max_wait);
    expire_later(how_.max_wait);
    return answer;
  }

  void expire_later(clock::duration after) {
    if (std::exchange(expires_, true))
      return;
    calls_.start(after, [this] {
      expires_ = false;
      const auto now = self_->clock().now();
      if (const auto next = queue_->expire(now))
        expire_later(*next - now);
    });
  }

  caf::result<void> on_subscribe(const failure_listener& who) {
    if (!internal::is_alive(who))
      return make_error(
        {errc::no_such_subscriber, "the listener of "
                                     + internal::producer_name(stream_.name)
                                     + " has ended; subscribe a live actor"});
    set_listener(who);
    advance();
    return caf::unit;
  }

  caf::result<events> on_flush(caf::timespan timeout) {
    auto answer = internal::new_promise(self_);
    const auto id = ++last_flush_;
    flushes_.push_back({id, queue_->begin_flush(), answer});
    calls_.start(timeout, [this, id] { on_flush_timeout(id); });
    advance();
    return answer;
  }

  void on_flush_timeout(uint64_t id) {
    const auto i = std::find_if(flushes_.begin(), flushes_.end(),
                                [&](const flush& x) { return x.id == id; });
    if (i == flushes_.end())
      return;
    i->answer.deliver(make_error(
      {errc::timed_out,
       "the flush of " + internal::producer_name(stream_.name)
         + " did not end in time: " + std::to_string(queue_->info().open)
         + " adds are still open"}));
    flushes_.erase(i);
  }

  caf::result<events> on_close() {
    closing_.push_back(internal::new_promise(self_));
    auto answer = closing_.back();
    queue_->stop(closed("it is closed"));
    if (closing_.size() == 1)
      calls_.start(how_.close_timeout, [this] { is_late_ = true; });
    advance();
    return answer;
  }

  // -- what follows from all changes ------------------------------------------

  void advance() {
    refusal_lines_.tick(self_->clock().now());
    send_adds();
    send_report();
    deliver_answers();
    finish_flushes();
    if (!closing_.empty() && (queue_->idle() || is_late_)) {
      me_ = nullptr;
      return self_->quit();
    }
    // What is open must not be lost because nobody has a handle of this actor.
    const bool busy = !queue_->idle() || !flushes_.empty();
    if (busy != static_cast<bool>(me_))
      me_ = busy ? self_type{self_} : self_type{};
  }

  // The stream may have died, and its down message be under way.
  void send_adds() {
    if (!internal::is_alive(stream_.actor))
      return;
    while (auto x = queue_->start_next())
      internal::request(self_, caf::actor_cast<caf::actor>(stream_.actor),
                        std::move(x->message))
        .then(
          [this, id = x->id](const std::vector<add_result>& results) {
            queue_->settle(id, results);
            advance();
          },
          [this, id = x->id](const caf::error& why) {
            queue_->fail(id, meaning_of(why));
            advance();
          });
  }

  [[nodiscard]] static failure meaning_of(const caf::error& why) {
    if (internal::may_be_death(why))
      return {errc::connection_lost,
              "the stream actor ended during the add, and it is unknown "
              "whether the event is stored: "
                + describe(why)};
    return to_failure(why);
  }

  void deliver_answers() {
    for (auto& x : queue_->take_answers())
      if (x.why.code == errc::none)
        x.promise.deliver(caf::unit);
      else
        x.promise.deliver(make_error(x.why));
  }

  void finish_flushes() {
    // All that failed goes to the first flush that ends.
    for (auto i = flushes_.begin(); i != flushes_.end();)
      if (queue_->has_flushed(i->until)) {
        i->answer.deliver(queue_->take_failed());
        i = flushes_.erase(i);
      } else {
        ++i;
      }
  }

  void finish_close() {
    for (auto& x : std::exchange(closing_, {}))
      x.deliver(queue_->take_failed());
  }

  // -- failed adds ------------------------------------------------------------

  void set_listener(failure_listener who) {
    if (listener_)
      deaths_.remove(caf::actor_cast<caf::actor_addr>(listener_));
    listener_ = std::move(who);
    deaths_.add(listener_);
    queue_->set_listening(true);
  }

  // The message is kept, since the listener may not take the event.
  void send_report() {
    if (report_ || !listener_)
      return;
    auto x = queue_->next_report();
    if (!x)
      return;
    report_ = caf::make_message(std::move(*x));
    const auto id = ++last_report_;
    internal::request(self_, caf::actor_cast<caf::actor>(listener_), *report_)
      .then(
        [this, id] {
          if (id == last_report_)
            on_reported({});
        },
        [this, id](const caf::error& why) {
          if (id == last_report_)
            on_reported(why);
        });
  }

  void on_reported(const caf::error& why) {
    if (!report_)
      return;
    // A listener that replies with a value has taken the event, too.
    if (!why || why == caf::sec::unexpected_response) {
      queue_->reported();
    } else {
      refusal_lines_.add(
        "the failure listener did not take an event, which is kept: "
          + describe(why),
        self_->clock().now());
      queue_->not_reported(reported_event());
    }
    report_.reset();
    advance();
  }

  [[nodiscard]] const failed_add& reported_event() const {
    return report_->get_as<failed_add>(0);
  }

  // -- ends of other actors ---------------------------------------------------

  void on_down(const caf::down_msg& x) {
    if (listener_ && x.source == listener_.address()) {
      listener_ = nullptr;
      // A promise that it dropped never answers.
      on_reported(make_error({errc::closed, "the failure listener ended"}));
      queue_->set_listening(false);
    } else if (x.source == stream_.actor.address()) {
      on_stream_down(x.reason);
    }
    advance();
  }

  // A stream that died of a defect is started again by its root. What it has
  // not answered, it never will, in particular if it is on another node.
  void on_stream_down(const caf::error& reason) {
    queue_->give_up_sent(
      {errc::connection_lost,
       "the stream actor ended before it answered, and it is "
       "unknown whether the event is stored"});
    if (!stream_.root || !internal::is_fault(reason))
      return end();
    internal::request(self_, stream_.root, caf::get_atom_v, atom::stream_v,
                      stream_.name)
      .then(
        [this](stream_actor& fresh) {
          stream_.actor = std::move(fresh);
          deaths_.add(stream_.actor);
          advance();
        },
        [this](const caf::error&) { // it was closed
          end();
          advance();
        });
  }

  // The stream is closed: nothing more can be added.
  void end() {
    queue_->stop(closed("its stream was closed"));
    queue_->give_up_unsent(closed("its stream was closed before the event was "
                                  "sent"));
  }

  [[nodiscard]] failure closed(const char* why) const {
    return {errc::closed, internal::producer_name(stream_.name)
                            + " adds nothing any more: " + why};
  }

  self_type::pointer self_;
  // Keeps this actor while it has work.
  self_type me_;
  internal::produced_stream stream_;
  producer_options how_;
  std::shared_ptr<add_queue> queue_;
  failure_listener listener_;
  // What the listener has not answered yet.
  std::optional<caf::message> report_;
  uint64_t last_report_ = 0;
  internal::death_watch<self_type::pointer> deaths_;
  internal::delayed_calls<self_type::pointer> calls_;
  repeated_lines refusal_lines_;
  std::vector<flush> flushes_;
  uint64_t last_flush_ = 0;
  bool expires_ = false;
  std::vector<caf::response_promise> closing_;
  // The `close_timeout` is over.
  bool is_late_ = false;
};

} // namespace

producer_actor spawn_producer(caf::actor_system& sys,
                              const stream_actor& stream,
                              const producer_options& how) {
  return internal::spawn_producer(
    sys, {stream, {}, {}}, how,
    std::make_shared<add_queue>(how, internal::producer_name({})), {});
}

namespace internal {

std::string producer_name(const std::string& stream) {
  return stream.empty() ? producer_state::name
                        : std::string{producer_state::name} + " of " + stream;
}

producer_actor spawn_producer(caf::actor_system& sys, produced_stream stream,
                              const producer_options& how,
                              std::shared_ptr<add_queue> queue,
                              failure_listener listener) {
  // No code of users runs in this actor.
  const auto host = host_of(caf::actor_cast<caf::actor>(stream.actor));
  return spawn_hosted_state<producer_state>(sys, host, std::move(stream), how,
                                            std::move(queue),
                                            std::move(listener));
}

} // namespace internal

} // namespace pulse
