#include "pulse/actors/internal/reader/blocking_fetcher.hpp"

#include "pulse/actors/internal/reader/read_commands.hpp"
#include "pulse/core/names.hpp"

namespace pulse::internal {

namespace {

// An unblock has no effect if it reaches Redis before the read. So it is
// repeated at this interval.
constexpr milliseconds unblock_interval{20};

} // namespace

blocking_fetcher::blocking_fetcher(reader_ptr self, reader_timers& timers,
                                   std::function<connection_actor()> open,
                                   handler on_end)
  : self_(self),
    timers_(timers),
    open_(std::move(open)),
    on_end_(std::move(on_end)) {
  // nop
}

void blocking_fetcher::fetch(const cursor_set& streams, uint32_t count) {
  connect();
  busy_ = true;
  run_on(self_, redis_, read_command(streams, count, !failed_),
         [this](outcome<reply_ptr> x) { ended(std::move(x)); });
}

void blocking_fetcher::run(command_ptr batch, reply_handler then) {
  connect();
  run_on(self_, redis_, std::move(batch), std::move(then));
}

void blocking_fetcher::connect() {
  if (!redis_)
    redis_ = open_();
}

void blocking_fetcher::interrupt() {
  if (!busy_ || interrupted_)
    return;
  interrupted_ = true;
  unblock();
}

void blocking_fetcher::unblock() {
  tell(redis_, atom::unblock_v);
  unblock_timer_ = timers_.start(unblock_interval, [this] { unblock(); });
}

void blocking_fetcher::ended(outcome<reply_ptr> x) {
  busy_ = false;
  timers_.cancel(unblock_timer_);
  using duration = std::chrono::steady_clock::duration;
  const auto interrupted = std::exchange(interrupted_, false);
  auto page = x.ok() ? resp::read_page(**x, stream_key(""))
                     : outcome<resp::event_page>{x.error()};
  failed_ = !page.ok();
  // This connection has terminated; the next read opens another one.
  if (failed_ && page.error().code == errc::closed)
    redis_ = nullptr;
  if (interrupted && page.ok()) {
    resp::event_page nothing;
    nothing.block = std::make_shared<event_block>();
    page = std::move(nothing);
  }
  on_end_({std::move(page), interrupted, x ? (*x)->took : duration{0}});
}

void blocking_fetcher::close() {
  if (redis_)
    tell(redis_, caf::close_atom_v);
  redis_ = nullptr;
}

} // namespace pulse::internal
