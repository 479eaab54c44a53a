#include "pulse/core/names.hpp"

#include "common/output/event_json.hpp"
#include "common/output/event_text.hpp"
#include "pulse-cli/session.hpp"
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <optional>

// pulse dead list | show | redrive | purge: works on dead letters, which are
// events that a sink gave up.

namespace pulse::apps {

namespace {

struct dead_options {
  std::string stream;
  std::string sink;
  std::vector<std::string> letters;
  bool all = false;
  uint32_t limit = 100;
  std::optional<milliseconds> older_than;
  redrive_request redrive;
};

using command = int (*)(session&, pulse::stream&, const dead_options&);

outcome<std::vector<event_id>> ids_of(const std::vector<std::string>& texts) {
  std::vector<event_id> result;
  for (const auto& text : texts) {
    auto id = parse_event_id(text);
    if (!id)
      return id.error();
    result.push_back(*id);
  }
  return result;
}

/// "1 crash", "2 crashes"
std::string plural(uint64_t n, const std::string& one,
                   const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string plural(uint64_t n, const std::string& what) {
  return plural(n, what, what + "s");
}

// -- list and show ------------------------------------------------------------

nlohmann::ordered_json to_json(const dead_letter& x) {
  nlohmann::ordered_json result;
  result["letter"] = to_string(x.id);
  result["stream"] = x.origin.stream;
  result["id"] = to_string(x.origin.id);
  result["sink"] = x.sink;
  result["node"] = x.node;
  result["reason"] = x.reason;
  result["time"] = x.time.count();
  result["deliveries"] = x.counts.deliveries;
  result["failures"] = x.counts.failures;
  result["crashes"] = x.counts.crashes;
  result["redrives"] = x.redrives;
  result["history"] = x.history;
  result["name"] = x.name;
  result["topic"] = x.topic;
  if (is_utf8(x.payload))
    result["payload"] = x.payload;
  else
    result["payload_base64"] = base64(x.payload);
  return result;
}

void print_json(const dead_letter& x) {
  std::cout << to_json(x).dump(-1, ' ', false,
                               nlohmann::ordered_json::error_handler_t::replace)
            << '\n';
}

std::string time_of(milliseconds x) {
  return time_text({static_cast<uint64_t>(std::max<int64_t>(x.count(), 0)), 0});
}

void print_line(const dead_letter& x) {
  std::cout << to_string(x.id) << "  " << escaped(x.name);
  if (!x.topic.empty())
    std::cout << " [" << escaped(x.topic) << ']';
  std::cout << "  event " << to_string(x.origin.id) << ", "
            << plural(x.counts.deliveries, "delivery", "deliveries");
  if (x.redrives > 0)
    std::cout << ", redriven " << x.redrives << "x";
  std::cout << ": " << escaped(x.reason) << '\n';
}

void print_whole(const dead_letter& x) {
  std::cout << "letter    " << to_string(x.id) << '\n'
            << "event     " << to_string(x.origin.id) << " of stream "
            << escaped(x.origin.stream) << '\n'
            << "added     " << time_text(x.origin.id) << '\n'
            << "given up  " << time_of(x.time) << " by " << escaped(x.node)
            << '\n'
            << "reason    " << escaped(x.reason) << '\n'
            << "counts    "
            << plural(x.counts.deliveries, "delivery", "deliveries") << ", "
            << plural(x.counts.failures, "failure") << ", "
            << plural(x.counts.crashes, "crash", "crashes") << ", "
            << plural(x.redrives, "redrive") << '\n';
  std::string_view history = x.history;
  while (!history.empty()) {
    const auto line = history.substr(0, history.find('\n'));
    history.remove_prefix(std::min(history.size(), line.size() + 1));
    const auto space = std::min(line.find(' '), line.size() - 1);
    std::cout << "before    "
              << time_of(milliseconds{
                   std::atoll(std::string{line.substr(0, space)}.c_str())})
              << ' ' << escaped(line.substr(space + 1)) << '\n';
  }
  std::cout << "name      " << escaped(x.name) << '\n';
  if (!x.topic.empty())
    std::cout << "topic     " << escaped(x.topic) << '\n';
  std::cout << "payload   " << escaped(x.payload) << '\n';
}

/// Prints how many letters each sink of the stream has.
int count_letters(session& in, pulse::stream& stream) {
  auto facts = stream.info();
  if (!facts)
    return report_error(facts.error());
  for (const auto& sink : facts->groups) {
    stream_options options;
    options.name = dead_letter_stream(facts->name, sink.name);
    auto letters = in.redis().stream(options);
    if (!letters)
      return report_error(letters.error());
    const auto there = letters->info();
    if (!there && there.error() != errc::no_such_stream)
      return report_error(there.error());
    const uint64_t n = there ? there->length : 0;
    if (in.options().json)
      std::cout << nlohmann::ordered_json{{"sink", sink.name}, {"letters", n}}
                << '\n';
    else
      std::cout << sink.name << "  " << plural(n, "dead letter") << '\n';
  }
  return exit_ok;
}

int list(session& in, pulse::stream& stream, const dead_options& options) {
  if (options.sink.empty())
    return count_letters(in, stream);
  dead_query query;
  query.sink = options.sink;
  for (uint32_t left = options.limit; left > 0;) {
    query.limit = std::min(left, 1'000u);
    auto letters = stream.dead_letters(query);
    if (!letters)
      return report_error(letters.error());
    for (const auto& x : *letters)
      in.options().json ? print_json(x) : print_line(x);
    left -= static_cast<uint32_t>(letters->size());
    if (letters->size() < query.limit)
      return exit_ok;
    query.from = letters->back().id.next();
  }
  return exit_ok;
}

int show(session& in, pulse::stream& stream, const dead_options& options) {
  auto ids = ids_of(options.letters);
  if (!ids)
    return report_error(ids.error());
  for (auto id : *ids) {
    auto letters = stream.dead_letters({options.sink, id, id, 1});
    if (!letters)
      return report_error(letters.error());
    if (letters->empty())
      return report_error(failure{
        errc::no_such_delivery, "sink " + options.sink + " has no dead letter "
                                  + to_string(id) + ": see pulse dead list"});
    in.options().json ? print_json(letters->front())
                      : print_whole(letters->front());
  }
  return exit_ok;
}

// -- redrive and purge --------------------------------------------------------

int redrive(session& in, pulse::stream& stream, const dead_options& options) {
  auto ids = ids_of(options.letters);
  if (!ids)
    return report_error(ids.error());
  if (ids->empty() == !options.all)
    return misused("give the IDs of letters, or --all");
  auto request = options.redrive;
  request.sink = options.sink;
  request.letters = std::move(*ids);
  auto done = stream.redrive(request);
  if (!done)
    return report_error(done.error());
  if (in.options().json) {
    std::cout << nlohmann::ordered_json{{"redriven", done->redriven},
                                        {"skipped_limit", done->skipped_limit},
                                        {"skipped_missing",
                                         done->skipped_missing}}
              << '\n';
  } else {
    std::cout << "redrove " << plural(done->redriven, "letter") << '\n';
    if (done->skipped_limit > 0)
      std::cout << "left " << plural(done->skipped_limit, "letter")
                << " that were redriven too often (see --max-redrives)\n";
    if (done->skipped_missing > 0)
      std::cout
        << "left " << plural(done->skipped_missing, "letter")
        << " whose event or sink no longer exists: add the event again, or "
           "purge the letter\n";
  }
  return done->skipped_limit + done->skipped_missing == 0 ? int{exit_ok}
                                                          : int{exit_failed};
}

int purge(session& in, pulse::stream& stream, const dead_options& options) {
  auto ids = ids_of(options.letters);
  if (!ids)
    return report_error(ids.error());
  if ((ids->empty() ? 0 : 1) + (options.all ? 1 : 0)
        + (options.older_than ? 1 : 0)
      != 1)
    return misused("give the IDs of letters, or --all, or --older-than TIME");
  purge_request request;
  request.sink = options.sink;
  request.letters = std::move(*ids);
  if (options.older_than) {
    using namespace std::chrono;
    const auto now = system_clock::now().time_since_epoch();
    request.before.ms = static_cast<uint64_t>(
      duration_cast<milliseconds>(now - *options.older_than).count());
    request.before.seq = 0;
  }
  auto n = stream.purge(request);
  if (!n)
    return report_error(n.error());
  if (in.options().json)
    std::cout << nlohmann::ordered_json{{"purged", *n}} << '\n';
  else
    std::cout << "purged " << plural(*n, "letter") << '\n';
  return exit_ok;
}

// -- command line -------------------------------------------------------------

int run(session& in, const dead_options& options, command what) {
  stream_options how;
  how.name = options.stream;
  auto stream = in.redis().stream(how);
  return stream ? what(in, *stream, options) : report_error(stream.error());
}

struct dead_commands {
  CLI::App* app;
  action* chosen;
  std::shared_ptr<dead_options> options = std::make_shared<dead_options>();

  CLI::App* add(const char* name, const char* help, command what) {
    auto* result = app->add_subcommand(name, help);
    result->add_option("STREAM", options->stream, "Stream of the events")
      ->required()
      ->type_name("");
    result->callback([x = options, what, to = chosen] {
      *to = [x, what](session& in) { return run(in, *x, what); };
    });
    return result;
  }

  CLI::Option* add_sink(CLI::App* to) {
    return to->add_option("SINK", options->sink, "Sink that gave the events up")
      ->type_name("");
  }

  CLI::Option* add_letters(CLI::App* to, const char* help) {
    return to->add_option("LETTER", options->letters, help)->type_name("");
  }
};

} // namespace

void describe_dead(CLI::App& app, action& chosen) {
  auto* dead = app.add_subcommand("dead",
                                  "List, show, redrive or purge dead letters");
  dead->require_subcommand(1);
  dead->footer(R"(Examples:
  pulse dead list orders
  pulse dead list orders billing --json | jq .reason | sort | uniq -c
  pulse dead redrive orders billing --all --rate 20
  pulse dead purge orders billing --older-than 720h)");
  dead_commands commands{dead, &chosen};
  auto& options = *commands.options;

  auto* sub = commands.add("list", "List letters, oldest first", list);
  commands.add_sink(sub)->description(
    "Sink that gave the events up; without it, the\nnumber of letters of each "
    "sink is listed");
  sub->add_option("-n,--limit", options.limit, "Most letters to list")
    ->check(not_negative())
    ->type_name("N")
    ->capture_default_str();

  sub = commands.add("show", "Show all about a letter", show);
  commands.add_sink(sub)->required();
  commands.add_letters(sub, "ID of the letter")->required();

  sub = commands.add("redrive",
                     "Let the sink deliver the events of letters again",
                     redrive);
  commands.add_sink(sub)->required();
  commands.add_letters(sub, "IDs of letters");
  sub->add_flag("--all", options.all, "All letters that exist now");
  sub
    ->add_option("--rate", options.redrive.rate,
                 "Letters per second; 0: no limit")
    ->check(not_negative())
    ->type_name("N")
    ->capture_default_str();
  sub
    ->add_option("--max-redrives", options.redrive.max_redrives,
                 "Skip letters that were redriven N times already")
    ->check(not_negative())
    ->type_name("N")
    ->capture_default_str();
  sub->footer("Other sinks do not get the events again. The exit status is 1 "
              "if letters\nwere skipped.");

  sub = commands.add("purge", "Delete letters for good", purge);
  commands.add_sink(sub)->required();
  commands.add_letters(sub, "IDs of letters");
  sub->add_flag("--all", options.all, "All letters of the sink");
  add_duration(
    *sub, "--older-than",
    [x = commands.options](milliseconds age) { x->older_than = age; },
    "Letters that are older than this, such as 720h");
}

} // namespace pulse::apps
