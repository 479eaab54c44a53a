#include "common/units.hpp"
#include "pulse-cli/session.hpp"
#include <nlohmann/json.hpp>

#include <iomanip>
#include <iostream>

namespace pulse::apps {

namespace {

nlohmann::ordered_json to_json(const std::string& stream,
                               const stream_retention& x) {
  nlohmann::ordered_json result;
  result["stream"] = stream;
  result["max_len"] = x.max_len;
  result["protect_unacked"] = x.protect_unacked;
  result["max_age_ms"] = x.max_age.count();
  result["hard_max_len"] = x.hard_max_len;
  result["on_full"] = to_string(x.on_full);
  result["ttl_ms"] = x.ttl.count();
  result["ttl_kind"] = to_string(x.ttl_kind);
  return result;
}

void print(const stream_retention& x) {
  auto line = [](const char* name, const std::string& value) {
    std::cout << std::left << std::setw(17) << name << value << '\n';
  };
  auto limit = [](uint64_t n) {
    return n > 0 ? std::to_string(n) : std::string{"no limit"};
  };
  auto time = [](milliseconds t) {
    return t.count() > 0 ? duration_text(t) : std::string{"no limit"};
  };
  line("max_len", limit(x.max_len));
  line("protect_unacked", x.protect_unacked ? "true" : "false");
  line("max_age", time(x.max_age));
  line("hard_max_len", limit(x.hard_max_len));
  line("on_full", to_string(x.on_full));
  line("ttl", time(x.ttl));
  line("ttl_kind", to_string(x.ttl_kind));
}

int retention(session& in, const stream_options& options) {
  auto stream = in.redis().stream(options);
  if (!stream)
    return report_error(stream.error());
  auto keeps = stream->retention();
  if (!keeps)
    return report_error(keeps.error());
  if (in.options().json)
    std::cout << to_json(options.name, *keeps) << '\n';
  else
    print(*keeps);
  return exit_ok;
}

// An option with the names of its enumerators as values.
template <class T>
void add_choice(CLI::App& app, const std::string& option, std::optional<T>& to,
                const std::string& type, const std::string& help) {
  app
    .add_option_function<std::string>(
      option,
      [option, &to](const std::string& text) {
        if (auto ok = from_string(text, to.emplace()); !ok)
          throw CLI::ValidationError(option, ok.error().what);
      },
      help)
    ->type_name(type);
}

} // namespace

void describe_retention(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("retention",
                                     "Show or change what a stream keeps");
  auto options = std::make_shared<stream_options>();
  options->retention = retention_mode::change;
  auto& x = *options;
  command->add_option("STREAM", x.name, "Stream to look at or to change")
    ->required()
    ->type_name("");
  command
    ->add_option("--max-len", x.max_len,
                 "Keep about the newest N events; 0: no limit")
    ->check(not_negative())
    ->type_name("N");
  command
    ->add_option("--protect-unacked", x.protect_unacked,
                 "Whether events that a sink has not\nacknowledged stay")
    ->type_name("true|false");
  add_duration(
    *command, "--max-age", [&x](milliseconds t) { x.max_age = t; },
    "Remove older events; 0s: no limit");
  command
    ->add_option("--hard-max-len", x.hard_max_len,
                 "Limit that holds even if a sink is slow;\n0: none")
    ->check(not_negative())
    ->type_name("N");
  add_choice(*command, "--on-full", x.on_full, "reject|drop_oldest",
             "What a full stream does with an add");
  add_duration(
    *command, "--ttl", [&x](milliseconds t) { x.ttl = t; },
    "Time to live of the whole stream; 0s: none");
  add_choice(*command, "--ttl-kind", x.ttl_kind, "absolute|sliding",
             "Whether that begins with the first or the\nlast event");
  command->footer(
    R"(Redis stores what a stream keeps, for all programs that add to it. The options
that are given here replace what is stored. Programs that add to the stream
follow within 5 seconds; then it is trimmed. Without options nothing changes.

Examples:
  pulse retention orders
  pulse retention orders --max-len 1000000 --max-age 7d)");
  command->callback([options, &chosen] {
    chosen = [options](session& in) { return retention(in, *options); };
  });
}

} // namespace pulse::apps
