#include "pulse/actors/producer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/handlers.hpp"
#include "pulse/actors/internal/producing/actor.hpp"
#include "pulse/actors/type_ids.hpp"
#include "pulse/core/exception_text.hpp"
#include "pulse/core/log.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace pulse {

namespace {

using internal::add_queue;

caf::expected<void> to_expected(const status& x) {
  if (!x)
    return make_error(x.error());
  return {};
}

// Calls the function on a thread of its own.
failure_listener spawn_listener(caf::actor_system& sys,
                                std::shared_ptr<add_queue> queue,
                                failure_handler handler) {
  auto call = [queue = std::move(queue), handler = std::move(handler)](
                const failed_add& x) -> caf::result<void> {
    try {
      queue->call(handler, x);
      return caf::unit;
    } catch (...) {
      return make_error({errc::handler_failed,
                         "the failure handler threw " + exception_text()});
    }
  };
  return sys.spawn<caf::detached>([call](failure_listener::pointer) {
    return failure_listener::behavior_type{call};
  });
}

} // namespace

producer::producer(caf::actor_system& sys, internal::produced_stream stream,
                   const producer_options& how, failure_handler on_failure)
  : how_(how),
    queue_(
      std::make_shared<add_queue>(how, internal::producer_name(stream.name))) {
  if (on_failure)
    listener_ = spawn_listener(sys, queue_, std::move(on_failure));
  handle_ = internal::spawn_producer(sys, std::move(stream), how, queue_,
                                     listener_);
}

producer::producer(producer&& other) noexcept = default;

producer& producer::operator=(producer&& other) noexcept {
  if (this != &other) {
    end();
    how_ = other.how_;
    queue_ = std::move(other.queue_);
    listener_ = std::move(other.listener_);
    handle_ = std::move(other.handle_);
  }
  return *this;
}

producer::~producer() {
  end();
}

void producer::end() {
  if (!queue_)
    return; // moved from
  const auto lost = close(how_.close_timeout);
  if (!lost.empty())
    log(log_level::warning, "pulse.producer",
        std::to_string(lost.size())
          + " events were given up, because the producer was destroyed; the "
            "first one is \""
          + lost.front().event.name + "\": " + to_string(lost.front().why));
  queue_ = nullptr;
}

caf::expected<void> producer::add(std::string name, std::string payload,
                                  std::string topic, std::string dedup_id) {
  new_event x{std::move(name), std::move(payload), std::move(topic),
              std::move(dedup_id)};
  return add(x);
}

caf::expected<void> producer::add(new_event& x) {
  return add_within(how_.max_wait, x);
}

caf::expected<void> producer::add_within(milliseconds timeout, new_event& x) {
  return to_expected(queue_->add(x, add_queue::clock::now() + timeout));
}

caf::expected<void> producer::try_add(new_event& x) {
  return add_within(milliseconds{0}, x);
}

std::future<caf::expected<event_id>> producer::add_future(new_event x) {
  auto promise = std::make_unique<internal::add_promise>();
  auto result = promise->get_future();
  const auto deadline = add_queue::clock::now() + how_.max_wait;
  if (auto ok = queue_->add(x, deadline, std::move(promise)); !ok) {
    internal::add_promise refused;
    refused.set_value(make_error(ok.error()));
    return refused.get_future();
  }
  return result;
}

caf::expected<std::vector<failed_add>> producer::flush(milliseconds timeout) {
  if (auto ok = queue_->flush(add_queue::clock::now() + timeout); !ok)
    return make_error(ok.error());
  return queue_->take_failed();
}

std::vector<failed_add> producer::take_failed() {
  return queue_->take_failed();
}

std::vector<failed_add> producer::close(milliseconds timeout) {
  queue_->stop({errc::closed, "the producer is closed"});
  // What has not ended in time is given up.
  static_cast<void>(queue_->flush(add_queue::clock::now() + timeout));
  queue_->give_up();
  caf::anon_send_exit(handle_, caf::exit_reason::user_shutdown);
  if (listener_)
    caf::anon_send_exit(listener_, caf::exit_reason::user_shutdown);
  return queue_->take_failed();
}

producer_info producer::info() const {
  return queue_->info();
}

} // namespace pulse
