#include "pulse-node/node.hpp"

#include "pulse/actors/ask.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/handler.hpp"
#include "pulse/core/log.hpp"

#include <caf/io/middleman.hpp>

#include "common/output/event_json.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace pulse::apps {

namespace {

/// @returns the failure of a request, if it failed.
template <class T>
status to_status(const caf::expected<T>& x) {
  return x ? status{} : status{to_failure(x.error())};
}

/// "1 stream", "2 sinks"
std::string counted(size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

/// Makes a handler log its failures. A sink delivers the event again after a
/// failure; a reader does not.
event_handler logged(event_handler handler, std::string component) {
  return [handler = std::move(handler),
          component = std::move(component)](const event& x) {
    auto result = handler(x);
    if (!result)
      log(log_level::warning, component, result.error().what);
    return result;
  };
}

// A worker runs one command at a time. Events that wait behind a long command
// could be handled by another node instead.
uint32_t credit_of(const target_options& x) {
  return x.kind == target_kind::exec ? 1 : 0;
}

} // namespace

node::node(caf::actor_system& sys, node_config config, root_actor root)
  : sys_(sys), config_(std::move(config)), root_(std::move(root)) {
  // nop
}

outcome<std::unique_ptr<node>> node::make(caf::actor_system& sys,
                                          node_config config) {
  auto root = spawn_root(sys, config.redis.options);
  if (!root)
    return to_failure(root.error());
  return std::unique_ptr<node>{
    new node{sys, std::move(config), std::move(*root)}};
}

node::~node() {
  stop_commands_->raise();
  for (auto& x : workers_)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
}

status node::start(bool wait_for_redis) {
  if (auto result = reach_redis(wait_for_redis); !result)
    return result;
  if (auto result = open_streams(); !result)
    return result;
  for (const auto& x : config_.sinks)
    if (auto result = open_sink(x); !result)
      return result;
  for (const auto& x : config_.readers)
    if (auto result = open_reader(x); !result)
      return result;
  if (auto result = publish(); !result)
    return result;
  log(log_level::info, "node " + config_.node.name,
      "ready: " + counted(config_.streams.size(), "stream") + ", "
        + counted(config_.sinks.size(), "sink") + ", "
        + counted(config_.readers.size(), "reader") + " on "
        + public_url(config_.redis.options.url));
  return {};
}

status node::close() {
  auto result = ask_within<void>(sys_, config_.node.drain_timeout, root_,
                                 caf::close_atom_v);
  stop_commands_->raise();
  return to_status(result);
}

status node::reach_redis(bool wait) {
  for (;;) {
    auto result = to_status(ask<caf::timespan>(sys_, root_, caf::ping_atom_v));
    if (result)
      return {};
    if (!wait || !is_transient(result.error().code))
      return result;
    log(log_level::warning, "node " + config_.node.name,
        "waiting for Redis: " + to_string(result.error()));
    // Some errors, such as LOADING, are answered at once. The pause avoids a
    // busy loop.
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
}

status node::open_streams() {
  for (const auto& x : config_.streams)
    if (auto stream = ask<stream_actor>(sys_, root_, caf::open_atom_v, x);
        !stream)
      return to_failure(stream.error());
  return {};
}

status node::open_sink(const sink_section& x) {
  auto sink = ask<sink_actor>(sys_, root_, caf::open_atom_v, x.options);
  if (!sink || x.target.kind == target_kind::remote)
    return to_status(sink);
  auto handler = handler_of(x.target, {}, x.options.ack_wait);
  if (!handler)
    return handler.error();
  auto started
    = spawn_handler(sys_, *sink,
                    as_handler(logged(*handler, "sink " + x.options.name)),
                    {x.target.workers, credit_of(x.target)});
  return to_status(ask<void>(sys_, started, caf::subscribe_atom_v));
}

status node::open_reader(const reader_section& x) {
  auto options = x.options;
  // A command that runs is no lost answer.
  if (x.target.kind == target_kind::exec)
    options.answer_wait = std::max(options.answer_wait,
                                   x.target.timeout + milliseconds{10'000});
  auto reader = ask<reader_actor>(sys_, root_, caf::open_atom_v, options);
  if (!reader || x.target.kind == target_kind::remote)
    return to_status(reader);
  auto handler = handler_of(x.target, x.options.name, x.target.timeout);
  if (!handler)
    return handler.error();
  return subscribe(*reader, x.target,
                   logged(*handler, "reader " + x.options.name));
}

status node::publish() {
  if (config_.node.listen.empty())
    return {};
  const auto address = parse_listen(config_.node.listen);
  const auto* host = address->host.empty() ? nullptr : address->host.c_str();
  auto port = sys_.middleman().publish(root_, address->port, host, true);
  if (!port)
    return failure{errc::unavailable,
                   "cannot listen at \"" + config_.node.listen
                     + "\" ([node] listen): " + describe(port.error())};
  log(log_level::info, "node " + config_.node.name,
      "actors of other nodes find it at port " + std::to_string(*port));
  return {};
}

outcome<event_handler> node::handler_of(const target_options& target,
                                        const std::string& reader,
                                        milliseconds timeout) {
  if (target.kind == target_kind::exec)
    return run_commands({target.command, timeout, reader, config_.node.name,
                         true, stop_commands_});
  auto& shared = output_;
  auto writer = shared;
  if (!target.file.empty() || !shared) {
    auto opened = line_writer::open(target.file);
    if (!opened)
      return opened.error();
    writer = *opened;
    if (target.file.empty())
      shared = writer;
  }
  return write_lines(writer,
                     [context = event_context{reader, config_.node.name}](
                       const event& x) { return json_line(x, context); });
}

status node::subscribe(const reader_actor& to, const target_options& target,
                       const event_handler& handler) {
  for (uint32_t i = 0; i < target.workers; ++i) {
    workers_.push_back(spawn_worker(sys_, handler));
    auto result = ask<void>(sys_, to, caf::subscribe_atom_v, workers_.back(),
                            subscription{credit_of(target)});
    if (!result)
      return to_failure(result.error());
  }
  return {};
}

} // namespace pulse::apps
