#include "common/event_worker.hpp"

#include "pulse/actors/errors.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace pulse::apps {

namespace {

event_listener::behavior_type worker(event_listener::pointer,
                                     const event_handler& handler) {
  return {
    [handler](const event& x) -> caf::result<void> {
      if (auto result = handler(x); !result)
        return make_error(result.error());
      return caf::unit;
    },
  };
}

std::vector<std::string> variables(const event& x,
                                   const command_options& options) {
  std::vector<std::string> result;
  auto add = [&](const char* name, std::string_view value) {
    // A variable ends at its first zero byte, so a name with one, which only
    // other clients can make, must not look like another name.
    result.push_back(name
                     + ("=" + std::string{value.substr(0, value.find('\0'))}));
  };
  add("PULSE_STREAM", x.stream());
  add("PULSE_ID", to_string(x.id()));
  add("PULSE_NAME", x.name());
  add("PULSE_TOPIC", x.topic());
  if (options.reader.empty()) {
    add("PULSE_SINK", x.sink());
    add("PULSE_DELIVERIES", std::to_string(x.counts().deliveries));
  } else {
    add("PULSE_READER", options.reader);
  }
  if (!options.node.empty())
    add("PULSE_NODE", options.node);
  return result;
}

} // namespace

event_listener spawn_worker(caf::actor_system& sys, event_handler handler) {
  return sys.spawn<caf::detached>(worker, std::move(handler));
}

event_handler write_lines(std::shared_ptr<line_writer> out,
                          event_format format) {
  return [out = std::move(out), format = std::move(format)](const event& x) {
    return out->write(format(x));
  };
}

event_handler run_commands(command_options options) {
  return [options = std::move(options)](const event& x) -> status {
    command_call call;
    call.argv = options.argv;
    call.environment = variables(x, options);
    call.input = x.payload();
    call.timeout = options.timeout;
    call.stop = options.stop.get();
    call.output_to_stderr = options.output_to_stderr;
    const auto end = run(call);
    if (end.ok())
      return {};
    return failure{errc::handler_failed, "the command \"" + options.argv[0]
                                           + "\" " + to_string(end) + " ("
                                           + pulse::to_string(x) + ")"};
  };
}

} // namespace pulse::apps
