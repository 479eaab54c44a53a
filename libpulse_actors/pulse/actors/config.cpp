#include "pulse/actors/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/caf/config.hpp"

namespace pulse {

namespace {

const std::string group = "pulse";

// Sets what has no value yet.
template <class T>
void improve(caf::actor_system_config& cfg, const std::string& name, T value) {
  if (!internal::is_set(cfg, name))
    cfg.set(name, std::move(value));
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

template <class T>
struct config_type {
  using type = T;
  static constexpr const char* description = "a string in double quotes";
};

template <>
struct config_type<milliseconds> {
  using type = caf::timespan;
  static constexpr const char* description = "a time such as 250ms or 5s";
};

// Leaves `x` alone if `name` is not set.
template <class T>
status read_into(T& x, const caf::settings& from, const std::string& name) {
  using type = typename config_type<T>::type;
  const auto* value = caf::get_if(&from, name);
  if (value == nullptr)
    return {};
  auto converted = internal::value_as<type>(*value);
  if (!converted)
    return failure{errc::invalid_option, name + ": " + to_string(*value)
                                           + " is not "
                                           + config_type<T>::description};
  if constexpr (std::is_same_v<T, milliseconds>)
    x = std::chrono::duration_cast<milliseconds>(*converted);
  else
    x = std::move(*converted);
  return {};
}

} // namespace

void add_pulse(caf::actor_system_config& cfg) {
  using namespace std::chrono_literals;
  internal::register_types(cfg);
  internal::load_middleman(cfg);
  // Stealing delays work that a busy actor makes by up to 20 ms; without a
  // limit per turn, a flooded connection would never write.
  internal::prefer_sharing(cfg);
  improve(cfg, PULSE_CAF_OPTION("scheduler.max-throughput"), size_t{200});
  // Other nodes may rely on it; those that do not are not harmed.
  improve(cfg, PULSE_CAF_OPTION("middleman.heartbeat-interval"),
          caf::timespan{1s});
}

void add_pulse_options(caf::config_option_set& options) {
  visit_options([&](const std::string& name, auto member, const auto& text) {
    using member_type = std::decay_t<decltype(redis_options{}.*member)>;
    using type = typename config_type<member_type>::type;
    options.add(internal::make_option<type>(group, name, text));
  });
}

caf::expected<redis_options>
redis_options_of(const caf::actor_system_config& cfg) {
  redis_options result;
  status types;
  visit_options([&](const std::string& name, auto member, const auto&) {
    if (types)
      types = read_into(result.*member, caf::content(cfg), group + "." + name);
  });
  if (!types)
    return make_error(types.error());
  if (auto ok = validate(result); !ok)
    return make_error(ok.error());
  return result;
}

config::config() {
  using namespace std::chrono_literals;
  add_pulse(*this);
  add_pulse_options(custom_options_);
  set(PULSE_CAF_OPTION("middleman.app-identifiers"),
      std::vector<std::string>{"pulse-1"});
  set(PULSE_CAF_OPTION("middleman.connection-timeout"), caf::timespan{5s});
  // Else parse() would pick up a caf-application file that lies around.
#if CAF_MAJOR_VERSION < 1
  config_file_path.clear();
#else
  config_file_path("");
#endif
}

} // namespace pulse
