#include "pulse/actors/internal/caf/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"

#include <caf/io/middleman.hpp>
#include <caf/make_config_option.hpp>

#if CAF_MAJOR_VERSION < 1

#  ifdef __clang__
// libcaf_core was built by GCC. What clang instantiates of these templates
// differs from it, and an option of such a type would crash when it is set.
namespace caf::detail {
template config_option::meta_state* option_meta_state_instance<std::string>();
template config_option::meta_state* option_meta_state_instance<timespan>();
} // namespace caf::detail
#  endif

namespace pulse::internal {

namespace {

std::string render(uint8_t code, caf::atom_value category,
                   const caf::message& context) {
  return describe(caf::error{code, category, context});
}

caf::error accept_any(const caf::config_value&) {
  return caf::none;
}

} // namespace

void register_types(caf::actor_system_config& cfg) {
  cfg.add_message_types<caf::id_block::pulse>();
  cfg.add_message_types<caf::id_block::pulse_internal>();
  cfg.add_error_category(caf::atom("pulse"), render);
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

void prefer_sharing(caf::actor_system_config& cfg) {
  if (!is_set(cfg, "scheduler.policy"))
    cfg.set("scheduler.policy", caf::atom("sharing"));
}

bool is_set(const caf::actor_system_config& cfg, const std::string& name) {
  return caf::get_if(&caf::content(cfg), name) != nullptr;
}

template <class T>
caf::config_option make_option(const std::string& group,
                               const std::string& name,
                               const std::string& description) {
  static const caf::config_option::meta_state type = [] {
    auto x = *caf::detail::option_meta_state_instance<T>();
    x.check = accept_any;
    return x;
  }();
  return {group, name, description, &type};
}

} // namespace pulse::internal

#else

#  include <caf/init_global_meta_objects.hpp>

namespace pulse::internal {

// The table of types belongs to the process. It has no lock, and it must be
// complete before the first actor system exists.
void register_types(caf::actor_system_config&) {
  static const bool once = [] {
    caf::core::init_global_meta_objects();
    caf::io::middleman::init_global_meta_objects();
    caf::init_global_meta_objects<caf::id_block::pulse>();
    caf::init_global_meta_objects<caf::id_block::pulse_atoms>();
    caf::init_global_meta_objects<caf::id_block::pulse_internal>();
    return true;
  }();
  static_cast<void>(once);
}

// The middleman adds its options when it is loaded, so that they tell whether
// it is there.
void load_middleman(caf::actor_system_config& cfg) {
  if (cfg.custom_options().qualified_name_lookup(
        "caf.middleman.app-identifiers")
      == nullptr)
    cfg.load<caf::io::middleman>();
}

// A configuration of CAF 1.x has a value for each option from the beginning.
bool is_set(const caf::actor_system_config& cfg, const std::string& name) {
  caf::actor_system_config plain;
  plain.load<caf::io::middleman>();
  const auto* value = caf::get_if(&caf::content(cfg), name);
  const auto* standard = caf::get_if(&caf::content(plain), name);
  return value != nullptr
         && (standard == nullptr || to_string(*value) != to_string(*standard));
}

void prefer_sharing(caf::actor_system_config& cfg) {
  if (!is_set(cfg, "caf.scheduler.policy"))
    cfg.set("caf.scheduler.policy", "sharing");
}

template <class T>
caf::config_option make_option(const std::string& group,
                               const std::string& name,
                               const std::string& description) {
  static const caf::config_option::meta_state type{
    [](void*, caf::config_value&) { return caf::error{}; },
    caf::detail::option_meta_state_instance<T>()->get,
    caf::detail::option_meta_state_instance<T>()->type_name};
  return {group, name, description, &type};
}

} // namespace pulse::internal

#endif

namespace pulse::internal {

template caf::config_option make_option<std::string>(const std::string&,
                                                     const std::string&,
                                                     const std::string&);
template caf::config_option make_option<caf::timespan>(const std::string&,
                                                       const std::string&,
                                                       const std::string&);

} // namespace pulse::internal
