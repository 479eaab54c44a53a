#include "pulse/actors/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"

#include <caf/io/middleman.hpp>

namespace pulse {

namespace {

std::string render(uint8_t code, caf::atom_value category,
                   const caf::message& context) {
  return describe(caf::error{code, category, context});
}

} // namespace

void add_pulse(caf::actor_system_config& cfg) {
  using namespace std::chrono_literals;
  cfg.add_message_types<caf::id_block::pulse>();
  cfg.add_message_types<caf::id_block::pulse_internal>();
  cfg.add_error_category(caf::atom("pulse"), render);
  cfg.load<caf::io::middleman>();
  // Stealing delays work that a busy actor makes by up to 20 ms; without a
  // limit per turn, a flooded connection would never write.
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-throughput", size_t{200});
  // Without both, a peer that falls silent is never noticed.
  cfg.set("middleman.heartbeat-interval", caf::timespan{1s});
  cfg.set("middleman.connection-timeout", caf::timespan{5s});
  // Nodes of other applications do not get in.
  cfg.set("middleman.app-identifiers", std::vector<std::string>{"pulse-1"});
}

config::config() {
  add_pulse(*this);
  // Else parse() would pick up a caf-application.ini that lies around.
  config_file_path.clear();
}

} // namespace pulse
