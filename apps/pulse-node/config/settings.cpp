#include "pulse-node/config/settings.hpp"

#include "pulse-node/config/keys.hpp"
#include "pulse-node/config/values.hpp"

#include <algorithm>
#include <cstdlib>

namespace pulse::apps {

const setting* find_setting(const std::vector<setting>& settings,
                            const std::string& section,
                            const std::string& key) {
  auto matches = [&](const setting& x) {
    return x.section == section && x.key == key;
  };
  auto i = std::find_if(settings.rbegin(), settings.rend(), matches);
  return i == settings.rend() ? nullptr : &*i;
}

status apply(const setting& x, node_config& out) {
  status result;
  visit_single_sections(
    [&](auto& section) {
      using table = key_table<std::decay_t<decltype(section)>>;
      if (table::name != x.section)
        return;
      auto write = [&](const char* key, auto&& member) {
        if (key == x.key)
          result = from_text(x.value, member);
      };
      table::visit(write, section);
    },
    out);
  // The file has no such key on purpose: everybody who may read the file could
  // read the password.
  if (x.section == "redis" && x.key == "password")
    out.redis.options.password = x.value;
  if (!result)
    return failure{result.error().code, x.origin + ": " + result.error().what};
  return {};
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
