#include "pulse/actors/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"

#include <caf/config_option_adder.hpp>
#include <caf/io/middleman.hpp>

#ifdef __clang__
// libcaf_core was built by GCC. What clang instantiates of these templates
// differs from it, and an option of such a type would crash when it is set.
namespace caf::detail {
template config_option::meta_state* option_meta_state_instance<std::string>();
template config_option::meta_state* option_meta_state_instance<timespan>();
} // namespace caf::detail
#endif

namespace pulse {

namespace {

const std::string group = "pulse";

std::string render(uint8_t code, caf::atom_value category,
                   const caf::message& context) {
  return describe(caf::error{code, category, context});
}

// Sets what has no value yet.
template <class T>
void improve(caf::actor_system_config& cfg, const std::string& name, T value) {
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

// Calls `f(name, member, description)` for each option of the group.
template <class F>
void visit_options(F f) {
  using x = redis_options;
  f("redis-url", &x::url,
    "redis://user:password@host:port/db, rediss://... or unix:///path?db=n");
  f("password-file", &x::password_file,
    "file whose first line is the password for Redis");
  f("tls-ca-file", &x::tls_ca_file,
    "rediss: PEM file with the authorities to trust");
  f("tls-cert-file", &x::tls_cert_file,
    "rediss: PEM file with the certificate of this client");
  f("tls-key-file", &x::tls_key_file,
    "rediss: PEM file with the key of this client");
  f("tls-server-name", &x::tls_server_name,
    "rediss: name that the certificate of the server must have");
  f("client-name", &x::client_name, "name of the connections in CLIENT LIST");
  f("connect-timeout", &x::connect_timeout,
    "maximum time of an attempt to connect, such as 5s");
  f("command-timeout", &x::command_timeout,
    "maximum time of a command, such as 5s");
}

void read_into(std::string& x, const caf::settings& from,
               const std::string& name) {
  if (auto found = caf::get_if<std::string>(&from, name))
    x = *found;
}

void read_into(milliseconds& x, const caf::settings& from,
               const std::string& name) {
  if (auto found = caf::get_if<caf::timespan>(&from, name))
    x = std::chrono::duration_cast<milliseconds>(*found);
}

void add_option(caf::config_option_adder& to, std::string redis_options::*,
                const std::string& name, const std::string& description) {
  to.add<std::string>(name, description);
}

void add_option(caf::config_option_adder& to, milliseconds redis_options::*,
                const std::string& name, const std::string& description) {
  to.add<caf::timespan>(name, description);
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

void add_pulse_options(caf::config_option_set& options) {
  caf::config_option_adder adder{options, group};
  visit_options(
    [&](const std::string& name, auto member, const std::string& text) {
      add_option(adder, member, name, text);
    });
}

caf::expected<redis_options>
redis_options_of(const caf::actor_system_config& cfg) {
  redis_options result;
  visit_options([&](const std::string& name, auto member, const auto&) {
    read_into(result.*member, cfg.content, group + "." + name);
  });
  if (auto ok = validate(result); !ok)
    return make_error(ok.error());
  return result;
}

config::config() {
  using namespace std::chrono_literals;
  add_pulse(*this);
  add_pulse_options(custom_options_);
  set("middleman.app-identifiers", std::vector<std::string>{"pulse-1"});
  set("middleman.connection-timeout", caf::timespan{5s});
  // Else parse() would pick up a caf-application.ini that lies around.
  config_file_path.clear();
}

} // namespace pulse
