#include "common/config_settings.hpp"

#include "common/config_keys.hpp"
#include "common/config_values.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace pulse::apps {

const setting* origin_of(const config_problem& x,
                         const std::vector<setting>& settings) {
  auto is_origin = [&](const setting& y) {
    return y.section == x.section && y.key == x.key;
  };
  auto i = std::find_if(settings.rbegin(), settings.rend(), is_origin);
  return i == settings.rend() ? nullptr : &*i;
}

void apply(const setting& x, loaded_config& out) {
  visit_single_sections(
    [&](auto& section) {
      using table = key_table<std::decay_t<decltype(section)>>;
      if (table::name != x.section)
        return;
      auto write = [&](const char* key, auto&& member) {
        if (key != x.key)
          return;
        if (auto result = from_text(x.value, member); !result)
          out.errors.push_back(x.origin + ": " + result.error().what);
      };
      table::visit(write, section);
    },
    out.config);
  // Deliberately no key of the file: a password in it would be readable by
  // whoever may read the rest.
  if (x.section == "redis" && x.key == "password")
    out.config.redis.options.password = x.value;
}

void check_password(const node_config& config,
                    std::vector<config_problem>& problems) {
  const auto& redis = config.redis.options;
  if (redis.password_file.empty() || !redis.password.empty())
    return;
  std::ifstream in{redis.password_file};
  std::string password;
  if (!in || !std::getline(in, password) || password.empty())
    problems.push_back({"redis", 0, "password_file",
                        "cannot read a password from the first line of \""
                          + redis.password_file + "\""});
}

std::vector<setting> environment_settings() {
  std::vector<setting> result;
  auto add = [&](const std::string& section, const std::string& key) {
    auto name = "PULSE_" + section + "_" + key;
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (const auto* value = std::getenv(name.c_str()))
      result.push_back({section, key, value, name});
  };
  node_config config;
  visit_single_sections(
    [&](const auto& section) {
      using type = std::decay_t<decltype(section)>;
      for (const auto& key : keys_of<type>())
        add(key_table<type>::name, key);
    },
    config);
  add("redis", "password");
  return result;
}

} // namespace pulse::apps
