#include "pulse/actors/errors.hpp"

#include "common/units.hpp"
#include "pulse-cli/session.hpp"
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>

namespace pulse::apps {

namespace {

struct add_options {
  stream_options stream;
  new_event event;
  bool lines = false;
  bool if_exists = false;
  bool quiet = false;
};

class add_command {
public:
  add_command(session& in, const add_options& options,
              const pulse::stream& stream)
    : json_(in.options().json), options_(options), stream_(stream) {
    // nop
  }

  int add_one() {
    auto x = options_.event;
    if (x.payload == "-")
      x.payload.assign(std::istreambuf_iterator<char>{std::cin}, {});
    auto id = options_.if_exists
                ? stream_.add_if_exists(x.name, x.payload, x.topic)
                : stream_.add(x.name, x.payload, x.topic, x.dedup_id);
    if (!id)
      return report_error(id.error());
    print(*id);
    return exit_ok;
  }

  /// Adds all lines that one read() returns as one batch. This is fast for
  /// files, and it does not delay lines that come one by one.
  int add_lines() {
    std::string rest;
    char buffer[1 << 16];
    for (;;) {
      const auto n = ::read(STDIN_FILENO, buffer, sizeof(buffer));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return report_error(failure{errc::handler_failed,
                                    std::string{"cannot read standard input: "}
                                      + strerror(errno)});
      rest.append(buffer, static_cast<size_t>(n));
      if (n == 0 && !rest.empty())
        rest += '\n';
      if (auto result = add_batch(take_lines(rest)); result != exit_ok)
        return result;
      if (n == 0)
        return result_;
    }
  }

private:
  std::vector<new_event> take_lines(std::string& text) const {
    std::vector<new_event> batch;
    size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', begin)) {
      batch.push_back({options_.event.name, text.substr(begin, end - begin),
                       options_.event.topic});
      begin = end + 1;
    }
    text.erase(0, begin);
    return batch;
  }

  /// @returns `exit_ok`, or the exit status if the command must end here.
  int add_batch(std::vector<new_event> batch) {
    if (batch.empty())
      return exit_ok;
    const auto size = batch.size();
    auto results = stream_.add(std::move(batch));
    if (!results)
      return report_error(results.error());
    for (const auto& x : *results) {
      ++line_;
      if (x.code == errc::none) {
        print(x.id);
      } else {
        result_ = report_error(failure{x.code, x.what},
                               "line " + std::to_string(line_) + ": ");
      }
    }
    return results->size() == size ? int{exit_ok} : int{exit_failed};
  }

  void print(event_id id) const {
    if (options_.quiet)
      return;
    if (json_) {
      nlohmann::ordered_json line;
      line["stream"] = options_.stream.name;
      line["id"] = to_string(id);
      std::cout << line << '\n';
    } else {
      std::cout << to_string(id) << '\n';
    }
    // A program that reads this output may wait for the line.
    std::cout.flush();
  }

  bool json_;
  const add_options& options_;
  pulse::stream stream_;
  uint64_t line_ = 0;
  int result_ = exit_ok;
};

int add(session& in, const add_options& options) {
  auto stream = in.redis().stream(options.stream);
  if (!stream)
    return report_error(stream.error());
  add_command command{in, options, *stream};
  return options.lines ? command.add_lines() : command.add_one();
}

} // namespace

void describe_add(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "add", "Add an event, or one per line of standard input");
  auto options = std::make_shared<add_options>();
  command->add_option("STREAM", options->stream.name, "Stream to add to")
    ->required()
    ->type_name("");
  command
    ->add_option("NAME", options->event.name,
                 "Name of the event, such as order_placed")
    ->required()
    ->type_name("");
  auto* payload
    = command
        ->add_option("PAYLOAD", options->event.payload,
                     "Payload; - reads all of standard input; default: empty")
        ->type_name("");
  command->add_option("--topic", options->event.topic, "Topic of the event")
    ->type_name("TOPIC");
  auto* dedup
    = command
        ->add_option("--dedup-id", options->event.dedup_id,
                     "Add nothing if an event with this dedup ID was\n"
                     "added within --dedup-window; print its ID")
        ->type_name("ID");
  add_duration(
    *command, "--dedup-window",
    [options](milliseconds x) { options->stream.dedup_window = x; },
    "How long the dedup ID is remembered",
    duration_text(options->stream.dedup_window))
    ->needs(dedup);
  auto* lines = command
                  ->add_flag("--stdin", options->lines,
                             "One event per line of standard input")
                  ->excludes(payload)
                  ->excludes(dedup);
  command
    ->add_option("--max-len", options->stream.max_len,
                 "Keep about N events. For a stream that keeps something\n"
                 "else the command fails; see pulse retention")
    ->check(not_negative())
    ->type_name("N");
  command
    ->add_flag("--if-exists", options->if_exists,
               "Fail with status 3 if the stream does not exist")
    ->excludes(lines)
    ->excludes(dedup);
  command->add_flag("-q,--quiet", options->quiet, "Do not print the IDs");
  command->footer(R"(Prints the ID of each event after Redis has stored it.

Examples:
  pulse add orders placed '{"id": 7}' --topic eu
  pulse add payments paid '{"id": 7}' --dedup-id payment-7
  tail -F /var/log/syslog | pulse add logs line --stdin --quiet
  pulse add images uploaded - <photo.jpg)");
  command->callback([options, &chosen] {
    chosen = [options](session& in) { return add(in, *options); };
  });
}

} // namespace pulse::apps
