#include "pulse-node/config/dump.hpp"

#include "pulse-node/config/keys.hpp"
#include "pulse-node/config/values.hpp"

#include <utility>

namespace pulse::apps {

namespace {

template <class T>
std::string line_of(const std::string& key, const T& value) {
  return key + " = " + toml_text(value) + "\n";
}

template <class T>
std::string line_of(const std::string& key, const std::optional<T>& value) {
  return value ? line_of(key, *value) : "# " + key + ": what Redis stores\n";
}

template <class Section>
void dump_section(std::string& out, const Section& x, bool is_list) {
  const std::string name = key_table<Section>::name;
  if (!out.empty())
    out += '\n';
  out += (is_list ? "[[" + name + "]]" : "[" + name + "]") + "\n";
  auto write = [&](const char* key, const auto& value) {
    out += line_of(key, value);
  };
  key_table<Section>::visit(write, x);
}

} // namespace

std::string dump(const node_config& x) {
  auto shown = x;
  shown.redis.options.url = public_url(x.redis.options.url);
  const auto& config = std::as_const(shown);
  std::string out;
  visit_single_sections(
    [&](const auto& section) { dump_section(out, section, false); }, config);
  visit_section_lists(
    [&](const auto& list) {
      for (const auto& section : list)
        dump_section(out, section, true);
    },
    config);
  return out;
}

} // namespace pulse::apps
