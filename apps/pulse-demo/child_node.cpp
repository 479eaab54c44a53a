#include "pulse-demo/child_node.hpp"

#include <nlohmann/json.hpp>

#include <csignal>

namespace pulse::apps {

namespace {

/// Calls `f` for each whole line that comes from a pipe, until its end. The
/// part of a line that a killed node left behind is dropped.
template <class F>
void for_each_line(int fd, F f) {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const auto n = ::read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    text.append(buffer, static_cast<size_t>(n));
    size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', begin)) {
      f(text.substr(begin, end - begin));
      begin = end + 1;
    }
    text.erase(0, begin);
  }
}

/// Counts a JSON line that the log target of a node wrote.
void count_line(const std::string& line, size_t node, tally& totals) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("id"))
    return;
  if (auto id = parse_event_id(json["id"].get<std::string>()))
    totals.deliver(node, *id, json.value("deliveries", 1u));
}

} // namespace

outcome<std::unique_ptr<child_node>>
child_node::start(size_t index, const std::string& config,
                  const std::string& redis_url, tally& totals, log_lines log) {
  const auto name = "node-" + std::to_string(index + 1);
  auto process
    = child_process::start({sibling_program("pulse-node"), "--config", config,
                            "--name", name, "--exit-with-parent"},
                           {"PULSE_REDIS_URL=" + redis_url});
  if (!process)
    return process.error();
  process->close_input();
  return std::unique_ptr<child_node>{
    new child_node{index, std::move(*process), totals, std::move(log)}};
}

child_node::child_node(size_t index, child_process process, tally& totals,
                       log_lines log)
  : name_("node-" + std::to_string(index + 1)), process_(std::move(process)) {
  events_ = std::thread{[this, index, &totals] {
    for_each_line(process_.output(), [&](const std::string& line) {
      count_line(line, index, totals);
    });
  }};
  logs_ = std::thread{
    [this, log = std::move(log)] { for_each_line(process_.errors(), log); }};
}

child_node::~child_node() {
  // SIGKILL also ends a process that is stopped.
  process_.signal(SIGKILL);
  drain();
}

void child_node::drain() {
  // The threads end when the pipes of the process are closed.
  if (events_.joinable())
    events_.join();
  if (logs_.joinable())
    logs_.join();
}

} // namespace pulse::apps
