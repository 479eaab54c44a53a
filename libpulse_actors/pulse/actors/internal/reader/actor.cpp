#include "pulse/actors/internal/reader/actor.hpp"

#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/reader/position_resolver.hpp"
#include "pulse/actors/internal/reader/subscribers.hpp"
#include "pulse/actors/internal/reader/tail.hpp"
#include "pulse/actors/internal/runtime/liveness.hpp"
#include "pulse/actors/internal/runtime/subscribing.hpp"
#include "pulse/core/names.hpp"

#include <algorithm>

namespace pulse {

namespace {

using internal::reader_ptr;
using internal::reader_self;

class reader_state {
public:
  using self_type = reader_self;

  static constexpr const char* name = "pulse.reader";

  reader_state(reader_ptr self, reader_options options,
               internal::hub_source_ptr hubs, supervision supervisor,
               const internal::environment& env)
    : self_(self),
      reader_{self,
              std::move(options),
              {},
              hubs->commands(),
              supervisor,
              internal::notice_publisher{supervisor.listens},
              internal::reader_timers{self},
              internal::death_watch<reader_ptr>{self},
              {},
              env.new_engine(),
              {},
              {}},
      subscribers_(reader_, [this] { tail_.read_on(); }),
      tail_(reader_, subscribers_, std::move(hubs)),
      resolver_(
        reader_,
        [this](const std::vector<internal::opened_stream>& x) { tail_.add(x); },
        [this](const failure* why) { on_settled(why); }) {
    reader_.component = "pulse.reader";
    if (!reader_.options.name.empty())
      reader_.component += " " + reader_.options.name;
    // The options are valid, so the pattern compiles.
    reader_.filter
      = std::move(event_filter::compile(reader_.options.filter).value());
  }

  reader_state(const reader_state&) = delete;
  reader_state& operator=(const reader_state&) = delete;

  ~reader_state() {
    fail_pending_subscriptions({errc::closed, "the reader was closed"});
    if (reader_.supervisor.streams)
      note_streams(*reader_.supervisor.streams);
  }

  reader_self::behavior_type make_behavior() {
    reader_.deaths.begin([this](const caf::down_msg& x) { leave(x.source); });
    begin_streams();
    resolver_.resolve();
    return internal::replies_to_requests<reader_self::behavior_type>(
      self_, reader_.component,
      [this](caf::subscribe_atom, const event_listener& who,
             const subscription& options) {
        return on_subscribe(who, options);
      },
      [this](caf::subscribe_atom, const batch_listener& who,
             const subscription& options) {
        return on_subscribe(caf::actor_cast<event_listener>(who),
                            internal::for_batches(options));
      },
      [this](caf::unsubscribe_atom, const event_listener& who) {
        return on_unsubscribe(who);
      },
      [this](caf::unsubscribe_atom, const batch_listener& who) {
        return on_unsubscribe(caf::actor_cast<event_listener>(who));
      },
      [this](atom::add_stream, const std::string& stream,
             const start_position& start) {
        return on_add_stream(stream, start);
      },
      [this](atom::rem_stream, const std::string& stream) {
        return on_rem_stream(stream);
      },
      [this](caf::subscribe_atom, const notice_listener& who) {
        return on_listen(who);
      },
      [this](caf::unsubscribe_atom, const notice_listener& who) {
        return reader_.notices.remove(who);
      },
      [this](atom::info) { return on_info(); },
      [this](caf::close_atom) { on_close(); },
      [this](caf::tick_atom) { reader_.timers.on_tick(); });
  }

private:
  struct pending_subscription {
    event_listener who;
    subscription options;
    caf::response_promise promise;
  };

  // -- subscribers ------------------------------------------------------------

  caf::result<void> on_subscribe(const event_listener& who,
                                 const subscription& options) {
    if (auto ok = internal::check(options); !ok)
      return make_error(ok.error());
    pending_subscription x{who, options, internal::new_promise(self_)};
    caf::result<void> result{x.promise};
    if (resolver_.settled()) {
      admit(x);
    } else {
      pending_subscriptions_.push_back(std::move(x));
      resolver_.resolve();
    }
    return result;
  }

  void admit(pending_subscription& x) {
    if (!internal::is_alive(x.who)) {
      x.promise.deliver(make_error(
        {errc::no_such_subscriber, "the subscriber of " + reader_.component
                                     + " ended before it was subscribed"}));
      return;
    }
    if (subscribers_.empty())
      shared_ = false;
    subscribers_.add(x.who, x.options);
    choose_thread();
    shared_ = shared_ || subscribers_.size() > 1;
    x.promise.deliver(caf::unit);
    tail_.read_on();
  }

  // With many subscribers each page is many messages, which would keep the
  // thread of the connections busy for too long.
  void choose_thread() {
    constexpr size_t few = 8;
    internal::use_host(self_, subscribers_.size() <= few);
  }

  bool on_unsubscribe(const event_listener& who) {
    if (!who)
      return false;
    auto first = std::stable_partition(pending_subscriptions_.begin(),
                                       pending_subscriptions_.end(),
                                       [&](auto& x) { return x.who != who; });
    const auto found = first != pending_subscriptions_.end();
    std::for_each(first, pending_subscriptions_.end(), [](auto& x) {
      x.promise.deliver(make_error(
        {errc::no_such_subscriber, "unsubscribed before it was subscribed"}));
    });
    pending_subscriptions_.erase(first, pending_subscriptions_.end());
    return leave(who.address()) || found;
  }

  bool leave(const caf::actor_addr& who) {
    auto feed = subscribers_.remove(who);
    choose_thread();
    if (!feed)
      return false;
    // Events that were not sent to this subscriber are read again for the next
    // one. If there were several subscribers, another one may have got them.
    if (subscribers_.empty() && !shared_)
      tail_.take_back(*feed);
    return true;
  }

  // -- streams ----------------------------------------------------------------

  void begin_streams() {
    auto& memory = reader_.supervisor.streams;
    if (auto known = memory ? memory->take() : std::nullopt) {
      for (auto& [stream, start] : known->starts)
        resolver_.add_initial(stream, start);
      for (auto& [stream, cursor] : known->cursors)
        tail_.resume(stream, cursor);
    } else {
      for (auto& stream : reader_.options.streams)
        resolver_.add_initial(stream, reader_.options.start);
    }
  }

  // What was not sent to some subscriber is read again. So with several
  // subscribers the faster ones may get events again.
  void note_streams(internal::stream_memory& memory) {
    internal::stream_memory::content result;
    result.starts = resolver_.starts();
    result.cursors = tail_.cursors_without(subscribers_.unsent());
    memory.put(std::move(result));
  }

  void on_settled(const failure* why) {
    if (why)
      return fail_pending_subscriptions(*why);
    for (auto& x : std::exchange(pending_subscriptions_, {}))
      admit(x);
  }

  void fail_pending_subscriptions(const failure& why) {
    for (auto& x : std::exchange(pending_subscriptions_, {}))
      x.promise.deliver(make_error(why));
  }

  caf::result<void> on_add_stream(const std::string& stream,
                                  const start_position& start) {
    if (auto ok = check_name("stream name", stream); !ok)
      return make_error(ok.error());
    auto promise = internal::new_promise(self_);
    caf::result<void> result{promise};
    if (tail_.cursors().contains(stream))
      promise.deliver(caf::unit);
    else
      resolver_.add(stream, start, std::move(promise));
    return result;
  }

  bool on_rem_stream(const std::string& stream) {
    return tail_.remove(stream) || resolver_.remove(stream);
  }

  // -- notices ----------------------------------------------------------------

  caf::result<void> on_listen(const notice_listener& who) {
    if (reader_.notices.add(who))
      return caf::unit;
    return make_error({errc::no_such_subscriber,
                       "the listener for notices of " + reader_.component
                         + " is not alive; subscribe a live actor"});
  }

  // -- the rest ---------------------------------------------------------------

  reader_info on_info() const {
    auto result = reader_.counters;
    result.name = reader_.options.name;
    result.streams = resolver_.names();
    for (auto& [stream, cursor] : tail_.cursors().streams())
      result.streams.push_back(stream);
    std::sort(result.streams.begin(), result.streams.end());
    result.subscribers = subscribers_.size();
    return result;
  }

  // A read has no side effects, so nothing has to be waited for. The hub
  // notices the end of the reader.
  void on_close() {
    self_->quit();
  }

  reader_ptr self_;
  internal::reader_context reader_;
  internal::reader_subscribers subscribers_;
  internal::reader_tail tail_;
  internal::position_resolver resolver_;
  std::vector<pending_subscription> pending_subscriptions_;
  /// Whether there was more than one subscriber since the last time without
  /// any.
  bool shared_ = false;
};

} // namespace

reader_actor spawn_reader(caf::actor_system& sys, reader_options options,
                          internal::hub_source_ptr hubs, supervision supervisor,
                          const internal::environment& env) {
  const auto host = internal::host_for(options.filter, hubs->host());
  return internal::spawn_hosted_state<reader_state>(
    sys, host, std::move(options), std::move(hubs), std::move(supervisor), env);
}

} // namespace pulse
