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

// Sets what has no value yet.
template <class T>
void improve(caf::actor_system_config& cfg, const char* name, T value) {
  if (!caf::get_if(&cfg.content, name))
    cfg.set(name, std::move(value));
}

// CAF constructs every loaded module and keeps the last one of a kind. Ours
// comes first, so that a middleman with other parameters wins, and so that
// modules that need one find it.
void load_middleman(caf::actor_system_config& cfg) {
  caf::actor_system_config plain;
  plain.load<caf::io::middleman>();
  auto& ours = plain.module_factories.back();
  for (auto& loaded : cfg.module_factories)
    if (loaded.target_type() == ours.target_type())
      return;
  cfg.module_factories.insert(cfg.module_factories.begin(), std::move(ours));
}

} // namespace

void add_pulse(caf::actor_system_config& cfg) {
  using namespace std::chrono_literals;
  cfg.add_message_types<caf::id_block::pulse>();
  cfg.add_message_types<caf::id_block::pulse_internal>();
  cfg.add_error_category(caf::atom("pulse"), render);
  load_middleman(cfg);
  // Stealing delays work that a busy actor makes by up to 20 ms; without a
  // limit per turn, a flooded connection would never write.
  improve(cfg, "scheduler.policy", caf::atom("sharing"));
  improve(cfg, "scheduler.max-throughput", size_t{200});
  // Other nodes may rely on it; those that do not are not harmed.
  improve(cfg, "middleman.heartbeat-interval", caf::timespan{1s});
}

config::config() {
  using namespace std::chrono_literals;
  add_pulse(*this);
  set("middleman.app-identifiers", std::vector<std::string>{"pulse-1"});
  set("middleman.connection-timeout", caf::timespan{5s});
  // Else parse() would pick up a caf-application.ini that lies around.
  config_file_path.clear();
}

} // namespace pulse
