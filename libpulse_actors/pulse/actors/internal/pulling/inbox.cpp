#include "pulse/actors/internal/pulling/inbox.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/messaging.hpp"
#include "pulse/actors/type_ids.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace pulse {

namespace internal {

namespace {

// A longer time could overflow.
constexpr milliseconds longest_wait = std::chrono::hours{24 * 365};

} // namespace

caf::expected<std::unique_ptr<inbox_core>>
inbox_core::make(caf::actor_system& sys, pull_source_options options,
                 pull_endpoint from) {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0)
    return make_error(
      {errc::internal, "an inbox needs a file descriptor: "
                         + std::generic_category().message(errno)});
  return std::make_unique<inbox_core>(sys, std::move(options), std::move(from),
                                      std::make_shared<pull_queue>(fd));
}

inbox_core::inbox_core(caf::actor_system& sys, pull_source_options options,
                       pull_endpoint from, std::shared_ptr<pull_queue> queue)
  : sys_(sys),
    options_(std::move(options)),
    from_(std::move(from)),
    queue_(std::move(queue)) {
  // nop
}

caf::expected<void> inbox_core::subscribe() {
  auto options = options_;
  options.from = from_.find();
  auto source = spawn_pull_source(sys_, std::move(options), queue_);
  std::unique_lock guard{mutex_};
  source_ = source;
  guard.unlock();
  auto done = from_.subscribe(caf::actor_cast<event_listener>(source));
  if (!done)
    caf::anon_send_exit(source, caf::exit_reason::kill);
  return done;
}

caf::expected<std::vector<delivery>> inbox_core::get(size_t most,
                                                     milliseconds limit) {
  if (most == 0)
    return make_error(
      {errc::invalid_option, "an inbox must be asked for at least one event"});
  if (queue_->wake())
    if (auto done = subscribe(); !done) {
      queue_->sleep_on();
      return done.error();
    }
  return queue_->get(most, std::clamp(limit, milliseconds{0}, longest_wait));
}

void inbox_core::close() {
  std::unique_lock guard{mutex_};
  const auto source = std::exchange(source_, pull_source{});
  guard.unlock();
  if (source)
    tell(source, caf::close_atom_v);
  queue_->close();
}

} // namespace internal

basic_inbox::basic_inbox(std::unique_ptr<internal::inbox_core> core) noexcept
  : core_(std::move(core)) {
  // nop
}

basic_inbox::basic_inbox(basic_inbox&&) noexcept = default;
basic_inbox& basic_inbox::operator=(basic_inbox&&) noexcept = default;
basic_inbox::~basic_inbox() = default;

size_t basic_inbox::available() const {
  return core_->queue().available();
}

int basic_inbox::fd() const noexcept {
  return core_->queue().fd();
}

void basic_inbox::close() {
  core_->close();
}

// -- sinks --------------------------------------------------------------------

sink_inbox::sink_inbox(std::unique_ptr<internal::inbox_core> core) noexcept
  : basic_inbox(std::move(core)) {
  // nop
}

caf::expected<std::vector<delivery>> sink_inbox::get(size_t most,
                                                     milliseconds limit) {
  return core().get(most, limit);
}

caf::expected<std::vector<delivery>> sink_inbox::poll(size_t most) {
  return get(most, milliseconds{0});
}

// -- readers ------------------------------------------------------------------

reader_inbox::reader_inbox(std::unique_ptr<internal::inbox_core> core) noexcept
  : basic_inbox(std::move(core)) {
  // nop
}

caf::expected<std::vector<event>> reader_inbox::get(size_t most,
                                                    milliseconds limit) {
  auto taken = core().get(most, limit);
  if (!taken)
    return std::move(taken.error());
  std::vector<event> result;
  result.reserve(taken->size());
  for (const auto& x : *taken) {
    result.push_back(*x);
    x.ack();
  }
  return result;
}

caf::expected<std::vector<event>> reader_inbox::poll(size_t most) {
  return get(most, milliseconds{0});
}

} // namespace pulse
