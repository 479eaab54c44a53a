#include "pulse-node/config/file.hpp"

#include "pulse/core/nearest.hpp"

#include "pulse-node/config/checks.hpp"
#include "pulse-node/config/keys.hpp"
#include "pulse-node/config/values.hpp"
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

namespace pulse::apps {

namespace {

std::string joined(const std::vector<std::string>& xs) {
  std::string result;
  for (const auto& x : xs)
    result += (result.empty() ? "" : ", ") + x;
  return result;
}

/// "the integer 15", for errors.
std::string describe(const toml::node& x) {
  switch (x.type()) {
    case toml::node_type::integer:
      return "the number " + std::to_string(x.as_integer()->get());
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return x.as_boolean()->get() ? "true" : "false";
    case toml::node_type::string:
      return "the text \"" + x.as_string()->get() + "\"";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

/// What to say if a value of the wrong type stands where a T belongs.
template <class T>
constexpr const char* expectation() {
  if constexpr (std::is_same_v<T, std::string>)
    return "a text in quotes";
  else if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_integral_v<T>)
    return "a number, 0 or higher";
  else if constexpr (std::is_same_v<T, bytes_of<uint64_t>>)
    return "a size in bytes such as 4096 or \"8MiB\"";
  else if constexpr (std::is_same_v<T, milliseconds>)
    return "a duration in quotes such as \"15s\"";
  else if constexpr (std::is_same_v<T, start_position>)
    return "\"newest\", \"oldest\", an event ID or a time, in quotes";
  else
    return "a name in quotes";
}

/// Reads `text` through the tables, notes every mistake with its place.
class reader_of_file {
public:
  reader_of_file(const std::string& name, loaded_config& out)
    : name_(name), out_(out) {
    // nop
  }

  /// @returns false if the text is no TOML at all.
  bool read(std::string_view text) {
    try {
      root_ = toml::parse(text, name_);
    } catch (const toml::parse_error& e) {
      // The first line explains the mistake; the others speak of the parser.
      const auto why = e.description();
      report_error(e.source().begin,
                   std::string{why.substr(0, why.find('\n'))});
      return false;
    }
    std::vector<std::string> known;
    visit_single_sections([&](auto& x) { read_single(x, known); }, out_.config);
    visit_section_lists([&](auto& xs) { read_list(xs, known); }, out_.config);
    check_keys(root_, known, "");
    return true;
  }

  /// Notes a problem that was found in the finished configuration; not if it
  /// only follows from a value that could not be read.
  void report_error(const config_problem& x) {
    const auto& node = node_of(x);
    if (std::find(unreadable_.begin(), unreadable_.end(), &node)
        == unreadable_.end())
      report_error(node.source().begin, x.section
                                          + (x.key.empty() ? "" : "." + x.key)
                                          + ": " + x.what);
  }

  /// Moves what was noted to the errors, in the order of the file.
  void finish() {
    std::stable_sort(complaints_.begin(), complaints_.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    for (const auto& x : complaints_)
      // A value that is not in the file has no line.
      out_.errors.push_back(name_ + ":"
                            + (x.at.line == 0
                                 ? ""
                                 : std::to_string(x.at.line) + ":"
                                     + std::to_string(x.at.column) + ":")
                            + " " + x.what);
  }

private:
  using position = toml::source_position;

  void report_error(position at, std::string what) {
    complaints_.push_back({at, std::move(what)});
  }

  // -- sections ---------------------------------------------------------------

  template <class Section>
  void read_single(Section& x, std::vector<std::string>& known) {
    const std::string section = key_table<Section>::name;
    known.push_back(section);
    auto* node = root_.get(section);
    if (node == nullptr)
      return;
    if (auto* table = node->as_table())
      read_table(*table, x);
    else
      report_error(node->source().begin, section + ": write [" + section
                                           + "] once, then its keys below");
  }

  template <class Section>
  void read_list(std::vector<Section>& xs, std::vector<std::string>& known) {
    const std::string section = key_table<Section>::name;
    known.push_back(section);
    auto* node = root_.get(section);
    if (node == nullptr)
      return;
    auto* array = node->as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
      report_error(node->source().begin, section + ": write [[" + section
                                           + "]] in double brackets, once for "
                                             "each "
                                           + section);
      return;
    }
    for (auto& element : *array)
      read_table(*element.as_table(), xs.emplace_back());
  }

  template <class Section>
  void read_table(toml::table& table, Section& x) {
    const std::string prefix = std::string{key_table<Section>::name} + ".";
    std::vector<std::string> known;
    auto read = [&](const char* key, auto&& member) {
      known.emplace_back(key);
      if (auto* node = table.get(key)) {
        const auto before = complaints_.size();
        read_value(*node, prefix + key, member);
        if (complaints_.size() > before)
          unreadable_.push_back(node);
      }
    };
    key_table<Section>::visit(read, x);
    check_keys(table, known, prefix);
  }

  void check_keys(const toml::table& table,
                  const std::vector<std::string>& known,
                  const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name{key.str()};
      if (std::find(known.begin(), known.end(), name) != known.end())
        continue;
      const auto meant = nearest(name, known);
      report_error(key.source().begin,
                   prefix + name
                     + (prefix.empty() ? ": unknown section" : ": unknown key")
                     + (meant.empty() ? "; known are " + joined(known)
                                      : "; did you mean \"" + meant + "\"?"));
    }
  }

  // -- values -----------------------------------------------------------------

  template <class T>
  void read_value(const toml::node& node, const std::string& key, T& x) {
    constexpr bool is_bytes = std::is_same_v<T, bytes_of<uint64_t>>;
    if constexpr (std::is_same_v<T, bool>) {
      if (const auto* value = node.as_boolean()) {
        x = value->get();
        return;
      }
    } else if constexpr (std::is_integral_v<T>) {
      if (read_number(node, key, x))
        return;
    } else {
      if constexpr (is_bytes)
        if (read_number(node, key, x.value))
          return;
      if (const auto* value = node.as_string()) {
        if (auto result = from_text(value->get(), x); !result)
          report_error(node.source().begin, key + ": " + result.error().what);
        return;
      }
    }
    report_error(node.source().begin, key + ": expected " + expectation<T>()
                                        + ", found " + describe(node));
  }

  template <class T>
  void read_value(const toml::node& node, const std::string& key,
                  std::vector<T>& xs) {
    const auto* array = node.as_array();
    if (array == nullptr) {
      report_error(node.source().begin,
                   key + ": expected a list in [ ], found " + describe(node));
      return;
    }
    xs.clear();
    for (const auto& element : *array)
      read_value(element, key, xs.emplace_back());
  }

  template <class T>
  void read_value(const toml::node& node, const std::string& key,
                  std::optional<T>& x) {
    read_value(node, key, x.emplace());
  }

  /// @returns false if the node is no integer; complains if it is out of range.
  template <class Number>
  bool read_number(const toml::node& node, const std::string& key, Number& x) {
    const auto* value = node.as_integer();
    if (value == nullptr)
      return false;
    constexpr uint64_t limit = std::numeric_limits<Number>::max();
    if (value->get() < 0 || static_cast<uint64_t>(value->get()) > limit)
      report_error(node.source().begin, key + ": expected a number from 0 to "
                                          + std::to_string(limit) + ", found "
                                          + std::to_string(value->get()));
    else
      x = static_cast<Number>(value->get());
    return true;
  }

  // -- places -----------------------------------------------------------------

  /// @returns the value of the key, or its section if the file does not have
  /// the key, or the whole file if it does not have the section.
  const toml::node& node_of(const config_problem& x) const {
    const auto* node = root_.get(x.section);
    if (node != nullptr && node->is_array())
      node = node->as_array()->get(x.index);
    if (node == nullptr)
      return root_;
    if (const auto* table = node->as_table())
      if (const auto* value = table->get(x.key))
        return *value;
    return *node;
  }

  struct complaint {
    position at;
    std::string what;
  };

  const std::string& name_;
  loaded_config& out_;
  toml::table root_;
  std::vector<complaint> complaints_;
  std::vector<const toml::node*> unreadable_;
};

} // namespace

loaded_config load_config_text(std::string_view text, const std::string& name,
                               const std::vector<setting>& settings) {
  loaded_config result;
  reader_of_file file{name, result};
  const bool readable = file.read(text);
  for (const auto& x : settings)
    if (auto applied = apply(x, result.config); !applied)
      result.errors.push_back(applied.error().what);
  if (readable) {
    auto report = [&](const config_problem& x) {
      if (const auto* from = find_setting(settings, x.section, x.key))
        result.errors.push_back(from->origin + ": " + x.what);
      else
        file.report_error(x);
    };
    for (const auto& x : find_problems(result.config))
      report(x);
    for (const auto& x : find_password_problems(result.config))
      report(x);
  }
  file.finish();
  return result;
}

loaded_config load_config(const std::string& path,
                          const std::vector<setting>& settings) {
  std::ifstream in{path, std::ios::binary};
  // A directory opens well and fails only when it is read.
  if (!in || std::filesystem::is_directory(path)) {
    loaded_config result;
    result.errors.push_back("cannot read the configuration file \"" + path
                            + "\": "
                            + (in ? "it is a directory" : strerror(errno)));
    return result;
  }
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  return load_config_text(text, path, settings);
}

} // namespace pulse::apps
