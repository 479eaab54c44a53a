#include "pulse-node/config/checks.hpp"

#include "pulse/core/names.hpp"
#include "pulse/redis/endpoint.hpp"

#include "pulse-node/config/keys.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

namespace pulse::apps {

namespace {

using problem_list = std::vector<config_problem>;

template <class Section>
const auto& options_of(const Section& x) {
  if constexpr (std::is_same_v<Section, stream_options>)
    return x;
  else
    return x.options;
}

template <class Section>
void check_options(const Section& x, size_t index, problem_list& out) {
  for (auto& problem : pulse::find_problems(options_of(x)))
    out.push_back({key_table<Section>::name, index, std::move(problem.key),
                   std::move(problem.what)});
}

class checker {
public:
  explicit checker(const node_config& config) : config_(config) {
    // nop
  }

  problem_list run() {
    check_redis();
    check_node();
    for (size_t i = 0; i < config_.streams.size(); ++i)
      check_options(config_.streams[i], i, problems_);
    for (size_t i = 0; i < config_.sinks.size(); ++i)
      check_sink(config_.sinks[i], i);
    for (size_t i = 0; i < config_.readers.size(); ++i)
      check_reader(config_.readers[i], i);
    check_duplicates(config_.streams, [](const auto& x) { return x.name; });
    check_duplicates(config_.sinks,
                     [](const auto& x) { return x.options.name; });
    check_duplicates(config_.readers,
                     [](const auto& x) { return x.options.name; });
    return std::move(problems_);
  }

private:
  void add(std::string section, size_t index, std::string key,
           std::string what) {
    problems_.push_back(
      {std::move(section), index, std::move(key), std::move(what)});
  }

  void check_redis() {
    check_options(config_.redis, 0, problems_);
    const auto& url = config_.redis.options.url;
    if (auto result = parse_endpoint(url); !result && !url.empty())
      // The text of this error starts with the key, which `add` adds again.
      add("redis", 0, "url",
          result.error().what.substr(std::string_view{"url: "}.size()));
  }

  void check_node() {
    const auto& node = config_.node;
    if (!node.name.empty())
      if (auto result = check_name("node name", node.name); !result)
        add("node", 0, "name", result.error().what);
    if (!node.listen.empty())
      if (auto result = parse_listen(node.listen); !result)
        add("node", 0, "listen", result.error().what);
    if (config_.caf.threads > 1024)
      add("caf", 0, "threads", "at most 1024");
    if (config_.caf.heartbeat_interval >= config_.caf.connection_timeout)
      add("caf", 0, "connection_timeout",
          "must be longer than heartbeat_interval");
  }

  void check_sink(const sink_section& x, size_t index) {
    check_options(x, index, problems_);
    check_target("sink", index, x.target);
    if (x.options.ack == ack_mode::manual
        && x.target.kind != target_kind::remote)
      add("sink", index, "ack",
          "\"manual\" needs target = \"remote\": the targets log and exec "
          "acknowledge by themselves");
    if (x.options.drain_timeout > config_.node.drain_timeout)
      add("sink", index, "drain_timeout",
          "must not be longer than [node] drain_timeout, after which the "
          "process ends");
  }

  void check_reader(const reader_section& x, size_t index) {
    check_options(x, index, problems_);
    check_target("reader", index, x.target);
    if (x.options.name.empty())
      add("reader", index, "name", "missing: logs and JSON lines say it");
    if (x.target.timeout.count() == 0)
      add("reader", index, "timeout", "must be longer than 0s");
  }

  void check_target(const std::string& section, size_t index,
                    const target_options& x) {
    if (x.kind == target_kind::exec && x.command.empty())
      add(section, index, "command",
          "missing: target = \"exec\" needs the program and its arguments, "
          "such as [\"/usr/local/bin/handle\", \"--fast\"]");
    if (x.kind != target_kind::exec && !x.command.empty())
      add(section, index, "command", "is for target = \"exec\" only");
    if (x.kind != target_kind::log && !x.file.empty())
      add(section, index, "file", "is for target = \"log\" only");
    if (x.workers == 0 || x.workers > 1000)
      add(section, index, "workers", "must be 1 to 1000");
    if (x.kind == target_kind::remote && config_.node.listen.empty())
      add(section, index, "target",
          "\"remote\" needs [node] listen, where other nodes connect to");
  }

  template <class List, class GetName>
  void check_duplicates(const List& list, GetName name_of) {
    using section = typename List::value_type;
    std::set<std::string> seen;
    for (size_t i = 0; i < list.size(); ++i) {
      auto name = name_of(list[i]);
      if (!name.empty() && !seen.insert(name).second)
        add(key_table<section>::name, i, "name",
            "\"" + name + "\" is described twice");
    }
  }

  const node_config& config_;
  problem_list problems_;
};

} // namespace

problem_list find_problems(const node_config& x) {
  return checker{x}.run();
}

problem_list find_password_problems(const node_config& x) {
  const auto& redis = x.redis.options;
  if (redis.password_file.empty() || !redis.password.empty())
    return {};
  const auto& path = redis.password_file;
  auto cannot = [&](const std::string& why) -> problem_list {
    return {
      {"redis", 0, "password_file",
       "cannot read a password from the first line of \"" + path + "\"" + why}};
  };
  // To open a pipe would block.
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)
      && !std::filesystem::is_regular_file(path, ignored))
    return cannot(", which is no regular file");
  std::ifstream in{path};
  std::string password;
  if (in && std::getline(in, password) && !password.empty())
    return {};
  return cannot("");
}

} // namespace pulse::apps
