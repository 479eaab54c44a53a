#include "pulse/actors/internal/reader/subscribers.hpp"

#include "pulse/actors/internal/reader/read_commands.hpp"
#include "pulse/actors/internal/runtime/subscribing.hpp"
#include "pulse/core/log.hpp"

#include <algorithm>

namespace pulse::internal {

reader_subscribers::reader_subscribers(reader_context& reader,
                                       std::function<void()> on_room)
  : reader_(reader), on_room_(std::move(on_room)) {
  // nop
}

void reader_subscribers::add(const event_listener& who,
                             const subscription& options) {
  const auto credit = credit_of(options, default_reader_credit);
  if (reader_.supervisor.subscribed)
    reader_.supervisor.subscribed(who, options);
  auto i = subscribers_.find(who.address());
  if (i != subscribers_.end()) {
    i->second.feed.set_credit(credit);
    i->second.max_batch = options.max_batch;
    return serve(i->second);
  }
  auto& defaults = reader_.options;
  subscriber_feed feed{defaults.overflow, defaults.buffer, credit};
  subscribers_.emplace(who.address(),
                       subscriber{++last_number_, who, std::move(feed),
                                  options.max_batch, retry_backoff()});
  reader_.deaths.add(who);
}

std::optional<subscriber_feed>
reader_subscribers::remove(const caf::actor_addr& who) {
  auto i = subscribers_.find(who);
  if (i == subscribers_.end())
    return std::nullopt;
  if (reader_.supervisor.subscribed)
    reader_.supervisor.subscribed(i->second.handle, std::nullopt);
  auto result = std::move(i->second.feed);
  subscribers_.erase(i);
  reader_.deaths.remove(who);
  return result;
}

std::map<std::string, event_id> reader_subscribers::unsent() const {
  std::map<std::string, event_id> result;
  for (auto& [address, subscriber] : subscribers_)
    for (auto& [stream, id] : subscriber.feed.unsent()) {
      auto [i, added] = result.emplace(stream, id);
      if (!added)
        i->second = std::min(i->second, id);
    }
  return result;
}

// -- the live tail ------------------------------------------------------------

void reader_subscribers::offer(const event& x) {
  for (auto& [address, subscriber] : subscribers_) {
    const auto gathers = subscriber.max_batch > 0;
    if (gathers && subscriber.feed.room() == 0)
      send_waiting(subscriber);
    switch (subscriber.feed.offer(x)) {
      case offer_result::dropped_oldest:
        if (reader_.counters.dropped++ == 0)
          log(log_level::warning, reader_.component,
              "a subscriber is too slow, so its oldest events are dropped and "
              "counted; the first time at "
                + to_string(x));
        break;
      case offer_result::left_tail:
        ++reader_.counters.caught_up;
        log(log_level::debug, reader_.component,
            "a slow subscriber leaves the live tail at " + to_string(x));
        break;
      case offer_result::overflow:
        overflown_.push_back(subscriber.handle);
        break;
      default:
        break;
    }
    if (!gathers || subscriber.feed.waiting() >= subscriber.max_batch)
      send_waiting(subscriber);
  }
  if (!overflown_.empty())
    drop_overflown();
}

void reader_subscribers::drop_overflown() {
  for (auto& who : std::exchange(overflown_, {})) {
    remove(who.address());
    const failure why{errc::subscriber_overflow,
                      "reader " + reader_.options.name + ": the subscriber is "
                        + "more than " + std::to_string(reader_.options.buffer)
                        + " events behind: handle events faster, raise "
                          "reader.buffer, or use overflow=pause"};
    log(log_level::warning, reader_.component, to_string(why));
    reader_.self->send_exit(who.address(), make_error(why));
  }
}

uint32_t reader_subscribers::free_slots() const {
  auto& options = reader_.options;
  // Only with `pause` a slow subscriber makes the reader wait. With the other
  // policies, slow subscribers lose events, and the number of lost events must
  // not depend on when the reader reads.
  if (options.overflow != overflow_policy::pause)
    return empty() ? 0 : options.max_batch;
  uint32_t room = 0;
  for (auto& [address, subscriber] : subscribers_)
    if (subscriber.feed.live())
      room = std::max(room, subscriber.feed.room());
  return room >= std::max(1u, std::min(options.max_batch, options.buffer / 2))
           ? room
           : 0;
}

// -- delivery -----------------------------------------------------------------

void reader_subscribers::serve() {
  for (auto& [address, subscriber] : subscribers_)
    serve(subscriber);
}

void reader_subscribers::serve(subscriber& x) {
  send_waiting(x);
  catch_up(x);
}

void reader_subscribers::send_waiting(subscriber& x) {
  if (x.max_batch > 0)
    while (auto what = x.feed.next_batch(x.max_batch))
      send(x, std::move(*what));
  else
    while (auto what = x.feed.next())
      send(x, std::move(*what));
}

void reader_subscribers::send(subscriber& x, subscriber_feed::delivery what) {
  ++reader_.counters.delivered;
  if (what.returns == 0)
    tell(x.handle, std::move(what.what));
  else
    ask(x, what, std::move(what.what));
}

void reader_subscribers::send(subscriber& x, subscriber_feed::batch what) {
  reader_.counters.delivered += what.what.size();
  ask(x, what, event_batch{std::move(what.what)});
}

template <class Delivery, class Content>
void reader_subscribers::ask(subscriber& x, const Delivery& what,
                             Content content) {
  x.feed.sent(what, reader_.self->clock().now());
  if (!watching_)
    watch();
  // An error is as good as any other answer: it shows which events the
  // subscriber has handled. The outcome of a batch comes as one, because it is
  // not what is expected here.
  auto done = [this, who = key_of(x), answer = what.answer] {
    answered(who, answer);
  };
  request(reader_.self, caf::actor_cast<caf::actor>(x.handle),
          std::move(content))
    .then(done, [done](caf::error&) { done(); });
}

void reader_subscribers::answered(const key& who, uint64_t answer) {
  auto* x = find(who);
  if (!x)
    return;
  x->feed.answered(answer);
  serve(*x);
  on_room_();
}

reader_subscribers::subscriber* reader_subscribers::find(const key& x) {
  auto i = subscribers_.find(x.who);
  const auto found = i != subscribers_.end() && i->second.number == x.number;
  return found ? &i->second : nullptr;
}

// -- answers that do not come -------------------------------------------------

// Has check_answers() called when the next answer is late.
void reader_subscribers::watch() {
  std::optional<subscriber_feed::time_point> first;
  for (auto& [address, subscriber] : subscribers_)
    if (auto since = subscriber.feed.waits_since();
        since && !subscriber.probing)
      first = std::min(first.value_or(*since), *since);
  watching_ = first.has_value();
  if (first)
    reader_.timers.start(*first + reader_.options.answer_wait
                           - reader_.self->clock().now(),
                         [this] { check_answers(); });
}

void reader_subscribers::check_answers() {
  const auto now = reader_.self->clock().now();
  for (auto& [address, subscriber] : subscribers_) {
    const auto since = subscriber.feed.waits_since();
    if (since && *since + reader_.options.answer_wait <= now)
      probe(subscriber);
  }
  watch();
}

// CAF answers this question for every actor that handles its messages, in their
// order: so the subscriber has handled what was sent before.
void reader_subscribers::probe(subscriber& x) {
  if (std::exchange(x.probing, true))
    return;
  const auto late = reader_.self->clock().now() - reader_.options.answer_wait;
  auto handles = [this, who = key_of(x), late] { give_up_answers(who, late); };
  request(reader_.self, caf::actor_cast<caf::actor>(x.handle), caf::sys_atom_v,
          caf::get_atom_v, std::string{"info"})
    .then([handles](caf::ok_atom, const std::string&,
                    const caf::strong_actor_ptr&,
                    const std::string&) { handles(); },
          [handles](const caf::error&) { handles(); });
}

void reader_subscribers::give_up_answers(const key& who,
                                         subscriber_feed::time_point sent) {
  auto* x = find(who);
  if (!x)
    return;
  x->probing = false;
  const auto lost = x->feed.give_up(sent);
  if (lost > 0 && reader_.counters.unanswered == 0)
    log(log_level::warning, reader_.component,
        "a subscriber did not answer an event within answer_wait, "
          + std::to_string(reader_.options.answer_wait.count())
          + " ms, so the reader goes on without that answer: such answers are "
            "counted, and no event is lost. Fulfil each promise of a handler, "
            "or raise reader.answer_wait if handlers take that long");
  reader_.counters.unanswered += lost;
  serve(*x);
  if (!watching_)
    watch();
  on_room_();
}

// -- catching up --------------------------------------------------------------

void reader_subscribers::catch_up(subscriber& x) {
  if (x.backing_off)
    return;
  const auto most = reader_.pages.apply(reader_.options.max_batch);
  if (auto range = x.feed.next_range(most))
    run_on(reader_.self, reader_.commands, range_command(*range),
           [this, who = key_of(x), range = *range](auto reply) {
             fetched(who, range, std::move(reply));
           });
}

void reader_subscribers::fetched(const key& who,
                                 const subscriber_feed::missing_range& range,
                                 outcome<reply_ptr> x) {
  auto* subscriber = find(who);
  if (!subscriber)
    return;
  auto page = x.ok() ? resp::range_page(**x, range.stream)
                     : outcome<resp::event_page>{x.error()};
  if (page.ok()) {
    subscriber->backoff.reset();
    reader_.pages.worked(page->block->extents.size(), page->block->bytes.size(),
                         (*x)->took);
    take(*subscriber, range, *page);
  } else {
    reader_.pages.failed(range.count, page.error().code);
    not_fetched(*subscriber, range.stream, page.error());
  }
  serve(*subscriber);
  on_room_();
}

void reader_subscribers::take(subscriber& x,
                              const subscriber_feed::missing_range& range,
                              const resp::event_page& page) {
  const auto size = static_cast<uint32_t>(page.block->extents.size());
  // Filtered and malformed events were counted when the reader read them first.
  for (uint32_t i = 0; i < size; ++i) {
    event next{page.block, i};
    if (next.well_formed() && reader_.filter.wants(next))
      x.feed.take(next);
  }
  const auto last = size > 0 ? page.block->extents.back().id : range.until;
  const auto complete = size < range.count || last >= range.until;
  if (auto lost = x.feed.fetched(last, complete))
    report_gap(*lost);
}

void reader_subscribers::report_gap(const subscriber_feed::loss& x) {
  reader_.report_gap(x.stream, x.after, x.first_available, x.count, true);
}

void reader_subscribers::not_fetched(subscriber& x, const std::string& stream,
                                     const failure& why) {
  ++reader_.counters.read_failures;
  log(log_level::warning, reader_.component,
      "cannot fetch what a slow subscriber missed of " + stream + ": "
        + to_string(why));
  if (why.code == errc::wrong_type)
    return report_gap(x.feed.given_up());
  x.feed.not_fetched();
  x.backing_off = true;
  reader_.timers.start(x.backoff.next(reader_.random), [this, who = key_of(x)] {
    if (auto* later = find(who)) {
      later->backing_off = false;
      serve(*later);
    }
  });
}

} // namespace pulse::internal
