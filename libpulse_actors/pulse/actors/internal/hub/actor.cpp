#include "pulse/actors/internal/hub/actor.hpp"

#include "pulse/actors/internal/caf/death_watch.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/hub/context.hpp"
#include "pulse/actors/internal/hub/read_commands.hpp"
#include "pulse/actors/internal/hub/tail.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/core/log.hpp"
#include "pulse/core/names.hpp"

#include <map>
#include <memory>
#include <vector>

namespace pulse {

namespace {

using internal::hub_ptr;
using internal::hub_self;
using internal::hub_tail;

// Interval at which a stream that Redis refuses to read is tried again.
constexpr milliseconds refused_interval{2'000};

// Old events come on the shared connection, where other commands wait behind
// them. So their replies are small.
constexpr uint64_t old_page_bytes = 1u << 20;
constexpr std::chrono::seconds old_arrival{1};

// Maximum number of old reads under way. More would not be faster, but other
// commands would wait behind all of them.
constexpr size_t most_old_reads = 16;

class hub_state {
public:
  using self_type = hub_self;
  using reader_id = page_hub::reader_id;
  using names = std::vector<std::string>;

  static constexpr const char* name = "pulse.hub";

  hub_state(hub_ptr self, connection_source redis,
            const internal::environment& env)
    : self_(self),
      hub_{self, std::move(redis), internal::hub_timers{self}, env.new_engine(),
           page_hub{}},
      deaths_(self),
      old_backoff_(internal::retry_backoff()) {
    // nop
  }

  hub_state(const hub_state&) = delete;
  hub_state& operator=(const hub_state&) = delete;

  ~hub_state() {
    for (auto& [id, promise] : promises_)
      promise.deliver(
        make_error({errc::closed, "the hub of the readers ended"}));
  }

  hub_self::behavior_type make_behavior() {
    deaths_.begin([this](const caf::down_msg& x) { on_down(x.source); });
    return internal::replies_to_requests<hub_self::behavior_type>(
      self_, name,
      [this](caf::get_atom, const page_request_ptr& x) { return on_ask(*x); },
      [this](caf::tick_atom) { hub_.timers.on_tick(); });
  }

private:
  // -- readers ----------------------------------------------------------------

  caf::result<stream_pages_ptr> on_ask(const page_request& x) {
    const auto id = id_of(self_->current_sender());
    reply(id, {});
    auto promise = internal::new_promise(self_);
    caf::result<stream_pages_ptr> result{promise};
    promises_.emplace(id, std::move(promise));
    hub_.pages.ask(id, x);
    if (x.all && x.streams.empty())
      reply(id, {});
    advance();
    return result;
  }

  reader_id id_of(const caf::strong_actor_ptr& who) {
    const auto reader = caf::actor_cast<caf::actor>(who);
    auto [i, added] = readers_.try_emplace(reader.address(), last_reader_ + 1);
    if (added) {
      ++last_reader_;
      deaths_.add(reader);
    }
    return i->second;
  }

  void on_down(const caf::actor_addr& who) {
    const auto i = readers_.find(who);
    if (i == readers_.end())
      return;
    hub_.pages.leave(i->second);
    promises_.erase(i->second);
    readers_.erase(i);
    if (readers_.empty())
      return self_->quit();
    advance();
  }

  void reply(reader_id who, std::vector<stream_page> pages) {
    if (auto x = promises_.extract(who))
      x.mapped().deliver(stream_pages_ptr{
        std::make_shared<const std::vector<stream_page>>(std::move(pages))});
  }

  void fail(const std::vector<reader_id>& who, const failure& why) {
    for (auto id : who)
      if (auto x = promises_.extract(id))
        x.mapped().deliver(make_error(why));
  }

  // -- reading ----------------------------------------------------------------

  // Does what has become necessary: to be called after each change of the
  // pages.
  void advance() {
    for (auto& x : hub_.pages.take_answers())
      reply(x.to, std::move(x.pages));
    if (!old_paused_)
      for (auto& x : hub_.pages.take_old_reads(most_old_reads - old_reads_))
        read_old(x);
    std::set<hub_tail*> changed;
    for (auto& stream : hub_.pages.take_changed())
      if (auto* tail = tail_of(stream))
        changed.insert(tail);
    for (auto* tail : changed)
      tail->update();
  }

  // @returns the tail that reads a stream; null if nobody reads it any more.
  hub_tail* tail_of(const std::string& stream) {
    auto i = tails_by_stream_.find(stream);
    if (!hub_.pages.has_stream(stream)) {
      if (i != tails_by_stream_.end()) {
        i->second->remove(stream);
        tails_by_stream_.erase(i);
      }
      old_limits_.erase(stream);
      return nullptr;
    }
    if (i == tails_by_stream_.end())
      i = tails_by_stream_.emplace(stream, &free_tail()).first;
    i->second->add(stream);
    return i->second;
  }

  hub_tail& free_tail() {
    for (auto& x : tails_)
      if (!x->full())
        return *x;
    tails_.push_back(std::make_unique<hub_tail>(
      hub_, [this] { advance(); },
      [this](hub_tail& x, const failure& why) { on_tail_failed(x, why); }));
    return *tails_.back();
  }

  void read_old(const page_hub::old_read& x) {
    ++old_reads_;
    auto page = std::make_shared<stream_page>();
    page->stream = x.stream;
    page->after = x.after;
    internal::run_on(self_, hub_.redis.commands,
                     internal::position_command({x.stream}, false),
                     [page](const outcome<reply_ptr>& reply) {
                       if (!reply.ok())
                         return;
                       auto found
                         = internal::read_position(resp::cursor{**reply});
                       page->checked = found.ok();
                       if (found.ok())
                         page->found = *found;
                     });
    const auto limit = old_limits_.try_emplace(x.stream, old_arrival).first;
    const auto count = limit->second.apply(x.count, old_page_bytes);
    internal::run_on(
      self_, hub_.redis.commands,
      internal::read_command({{x.stream, x.after}}, count, false),
      [this, page, from = x.from, count](const outcome<reply_ptr>& reply) {
        on_old_read(*page, from, count, reply);
      });
  }

  void on_old_read(stream_page& x, const page_hub::read& from, uint32_t count,
                   const outcome<reply_ptr>& reply) {
    --old_reads_;
    auto page = reply.ok() ? resp::read_page(**reply, stream_key(""))
                           : outcome<resp::event_page>{reply.error()};
    if (!page.ok())
      return on_old_failed(x, count, page.error());
    const auto& block = *page->block;
    old_backoff_.reset();
    if (auto i = old_limits_.find(x.stream); i != old_limits_.end())
      i->second.worked(block.extents.size(), block.bytes.size(),
                       (*reply)->took);
    x.drained = block.extents.empty();
    if (!x.drained) {
      x.end = static_cast<uint32_t>(block.extents.size());
      x.block = page->block;
      x.took = (*reply)->took;
    }
    hub_.pages.old_came(x, from);
    advance();
  }

  // -- failures ---------------------------------------------------------------

  void on_old_failed(const stream_page& x, uint32_t count, const failure& why) {
    if (auto i = old_limits_.find(x.stream); i != old_limits_.end())
      i->second.failed(count, why.code);
    fail(hub_.pages.old_failed(x.stream, x.after), why);
    if (!is_transient(why.code))
      probe({x.stream}, [] {});
    if (!std::exchange(old_paused_, true))
      hub_.timers.start(old_backoff_.next(hub_.random), [this] {
        old_paused_ = false;
        advance();
      });
    advance();
  }

  // A stream that Redis refuses to read makes the read of all streams fail.
  void on_tail_failed(hub_tail& x, const failure& why) {
    if (is_transient(why.code) || why.code == errc::closed)
      return give_up(x, why);
    probe(
      x.last_read(), [this, &x, why] { give_up(x, why); },
      [&x] { x.read_on(); });
  }

  void give_up(hub_tail& x, const failure& why) {
    for (auto& stream : x.last_read())
      fail(hub_.pages.give_up(stream), why);
    x.back_off();
  }

  // -- streams that Redis refuses to read -------------------------------------

  void probe(
    const names& streams, const std::function<void()>& none,
    const std::function<void()>& some = [] {}) {
    internal::run_on(self_, hub_.redis.commands,
                     internal::probe_command(streams),
                     [=](const outcome<reply_ptr>& x) {
                       if (refuse(streams, x) == 0)
                         return none();
                       probe_refused_later();
                       some();
                       advance();
                     });
  }

  // @returns how many of the streams Redis refuses to read.
  size_t refuse(const names& streams, const outcome<reply_ptr>& x) {
    size_t result = 0;
    if (!x.ok())
      return result;
    resp::cursor at{**x};
    for (auto& stream : streams) {
      if (at.is(resp::node_type::error)) {
        ++result;
        const auto why = resp::error_of(at);
        log(log_level::error, name,
            "cannot read stream " + stream
              + ", goes on with the others: " + to_string(why));
        fail(hub_.pages.refuse(stream), why);
      }
      at.skip();
    }
    return result;
  }

  void probe_refused_later() {
    hub_.timers.cancel(probe_timer_);
    probe_timer_ = hub_.timers.start(refused_interval,
                                     [this] { probe_refused(); });
  }

  void probe_refused() {
    const auto streams = hub_.pages.refused();
    if (streams.empty())
      return;
    internal::run_on(self_, hub_.redis.commands,
                     internal::probe_command(streams),
                     [this, streams](const outcome<reply_ptr>& x) {
                       accept(streams, x);
                       probe_refused_later();
                       advance();
                     });
  }

  void accept(const names& streams, const outcome<reply_ptr>& x) {
    if (!x.ok())
      return;
    resp::cursor at{**x};
    for (auto& stream : streams) {
      if (!at.is(resp::node_type::error)) {
        log(log_level::info, name, "reads stream " + stream + " again");
        hub_.pages.accept(stream);
      }
      at.skip();
    }
  }

  hub_ptr self_;
  internal::hub_context hub_;
  internal::death_watch<hub_ptr> deaths_;
  std::map<caf::actor_addr, reader_id> readers_;
  reader_id last_reader_ = 0;
  /// The requests that are not answered yet.
  std::map<reader_id, caf::response_promise> promises_;
  std::vector<std::unique_ptr<hub_tail>> tails_;
  std::map<std::string, hub_tail*> tails_by_stream_;
  /// By stream, since the events of one may be much larger than those of
  /// another one.
  std::map<std::string, page_limit> old_limits_;
  reconnect_backoff old_backoff_;
  /// The number of old reads under way.
  size_t old_reads_ = 0;
  /// Waits for the end of the pause after an old read that failed.
  bool old_paused_ = false;
  internal::hub_timers::handle probe_timer_;
};

} // namespace

hub_actor spawn_hub(caf::actor_system& sys, connection_source redis,
                    const internal::environment& env) {
  const auto host = redis.host;
  return internal::spawn_hosted_state<hub_state>(sys, host, std::move(redis),
                                                 env);
}

} // namespace pulse
