#include "pulse/core/names.hpp"
#include "pulse/redis/endpoint.hpp"

#include "common/config_keys.hpp"

#include <algorithm>
#include <set>

namespace pulse::apps {

namespace {

using problem_list = std::vector<config_problem>;

/// Address of a member, or of the number that a wrapper refers to.
template <class T>
void* address_of(T& member) {
  return &member;
}

void* address_of(bytes_of<uint64_t>& wrapper) {
  return &wrapper.value;
}

/// Gives the member of `key` the value that it has in `healthy`.
template <class Section>
bool heal(Section& x, Section& healthy, const std::string& key) {
  void* source = nullptr;
  auto find = [&](const char* name, auto&& member) {
    if (name == key)
      source = address_of(member);
  };
  key_table<Section>::visit(find, healthy);
  if (source == nullptr)
    return false;
  // The same table, so the same type behind the same key.
  auto copy = [&](const char* name, auto&& member) {
    using member_type = std::decay_t<decltype(member)>;
    if (name != key)
      return;
    if constexpr (std::is_same_v<member_type, bytes_of<uint64_t>>)
      member.value = *static_cast<uint64_t*>(source);
    else
      member = *static_cast<member_type*>(source);
  };
  key_table<Section>::visit(copy, x);
  return true;
}

/// Splits "sink.lease: too short" into key and text.
config_problem to_problem(const failure& why, std::string section,
                          size_t index) {
  const auto prefix = section + ".";
  config_problem result{std::move(section), index, {}, why.what};
  const auto colon = why.what.find(": ");
  if (why.what.compare(0, prefix.size(), prefix) == 0
      && colon != std::string::npos) {
    result.key = why.what.substr(prefix.size(), colon - prefix.size());
    result.what = why.what.substr(colon + 2);
  }
  // In C++ the conditions are a struct, in files they are keys.
  if (result.key == "filter")
    result.key = "topic_pattern";
  return result;
}

template <class Section>
const auto& options_of(const Section& x) {
  if constexpr (std::is_same_v<Section, stream_options>)
    return x;
  else
    return x.options;
}

/// validate() of the library stops at the first violation: it is noted, healed
/// and the rest is checked again, so that people see all of them at once.
template <class Section>
void check_options(Section x, size_t index, Section healthy,
                   problem_list& out) {
  std::set<std::string> seen;
  for (auto result = validate(options_of(x)); !result;
       result = validate(options_of(x))) {
    out.push_back(to_problem(result.error(), key_table<Section>::name, index));
    const auto& key = out.back().key;
    if (!seen.insert(key).second || !heal(x, healthy, key))
      return;
  }
}

class checker {
public:
  explicit checker(const node_config& config) : config_(config) {
    // nop
  }

  problem_list run() {
    check_redis();
    check_node();
    for (size_t i = 0; i < config_.streams.size(); ++i) {
      stream_options healthy;
      healthy.name = "name";
      check_options(config_.streams[i], i, healthy, problems_);
    }
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
    check_options(config_.redis, 0, redis_section{}, problems_);
    const auto& url = config_.redis.options.url;
    if (auto result = parse_endpoint(url); !result && !url.empty())
      // Its text starts with the key, too.
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
    sink_section healthy;
    healthy.options.name = "name";
    healthy.options.streams = {"stream"};
    check_options(x, index, healthy, problems_);
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
    reader_section healthy;
    healthy.options.name = "name";
    healthy.options.streams = {"stream"};
    check_options(x, index, healthy, problems_);
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

problem_list validate(const node_config& x) {
  return checker{x}.run();
}

} // namespace pulse::apps
