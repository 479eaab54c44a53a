#include "common/output/event_text.hpp"
#include "pulse-cli/session.hpp"
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>

namespace pulse::apps {

namespace {

nlohmann::ordered_json to_json(const stream_info& x) {
  nlohmann::ordered_json result;
  result["stream"] = x.name;
  result["length"] = x.length;
  result["added"] = x.added;
  result["first"] = to_string(x.first);
  result["last"] = to_string(x.last);
  result["keeps"] = to_string(x.retention);
  result["lost"] = x.lost;
  result["sinks"] = nlohmann::ordered_json::array();
  for (const auto& group : x.groups) {
    nlohmann::ordered_json sink;
    sink["name"] = group.name;
    sink["consumers"] = group.consumers;
    sink["pending"] = group.pending;
    if (group.lag < 0)
      sink["lag"] = nullptr;
    else
      sink["lag"] = group.lag;
    sink["last_delivered"] = to_string(group.last_delivered);
    result["sinks"].push_back(std::move(sink));
  }
  return result;
}

std::string id_with_time(event_id x) {
  return to_string(x) + "  (" + time_text(x) + ")";
}

void print_sinks(const std::vector<group_info>& groups) {
  size_t width = std::string_view{"sink"}.size();
  for (const auto& x : groups)
    width = std::max(width, x.name.size());
  const auto column = static_cast<int>(width) + 2;
  std::cout << '\n'
            << std::left << std::setw(column) << "sink" << std::right
            << std::setw(9) << "consumers" << std::setw(10) << "pending"
            << std::setw(10) << "lag"
            << "  last delivered\n";
  for (const auto& x : groups)
    std::cout << std::left << std::setw(column) << x.name << std::right
              << std::setw(9) << x.consumers << std::setw(10) << x.pending
              << std::setw(10)
              << (x.lag < 0 ? std::string{"?"} : std::to_string(x.lag)) << "  "
              << to_string(x.last_delivered) << '\n';
}

void print(const stream_info& x) {
  std::cout << "stream  " << x.name << '\n'
            << "events  " << x.length << " stored, " << x.added
            << " ever added\n";
  if (x.length > 0)
    std::cout << "first   " << id_with_time(x.first) << '\n'
              << "last    " << id_with_time(x.last) << '\n';
  std::cout << "keeps   " << to_string(x.retention)
            << (x.retention_stored ? "" : " (nobody has chosen)") << '\n';
  if (x.lost > 0)
    std::cout << "lost    " << x.lost
              << " events were removed that no sink, or not every sink, had "
                 "acknowledged\n";
  if (x.groups.empty())
    std::cout << "sinks   none\n";
  else
    print_sinks(x.groups);
}

int info(session& in, const std::string& name) {
  stream_options options;
  options.name = name;
  auto stream = in.redis().stream(options);
  if (!stream)
    return report_error(stream.error());
  auto facts = stream->info();
  if (!facts)
    return report_error(facts.error());
  if (in.options().json)
    std::cout << to_json(*facts) << '\n';
  else
    print(*facts);
  return exit_ok;
}

} // namespace

void describe_info(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("info",
                                     "Show a stream: its size and its sinks");
  auto name = std::make_shared<std::string>();
  command->add_option("STREAM", *name, "Stream to look at")
    ->required()
    ->type_name("");
  command->footer(
    R"(keeps: what is not trimmed, see pulse retention. lost: how many events were
removed, at most, that no sink, or not every sink, had acknowledged.
pending: delivered, not acknowledged yet. lag: not delivered yet; "?" (null in
JSON) if Redis cannot tell, which happens after events were removed.

Examples:
  pulse info orders
  pulse info orders --json | jq '.sinks[] | select(.lag > 1000)')");
  command->callback([name, &chosen] {
    chosen = [name](session& in) { return info(in, *name); };
  });
}

} // namespace pulse::apps
