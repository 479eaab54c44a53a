#include "pulse-demo/lines.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace pulse::apps {

namespace {

struct level_word {
  std::string_view word;
  std::string_view topic;
};

constexpr level_word levels[]
  = {{"TRACE", "trace"},   {"DEBUG", "debug"},     {"INFO", "info"},
     {"NOTICE", "notice"}, {"WARN", "warning"},    {"WARNING", "warning"},
     {"ERROR", "error"},   {"ERR", "error"},       {"CRITICAL", "critical"},
     {"CRIT", "critical"}, {"FATAL", "critical"},  {"PANIC", "critical"},
     {"ALERT", "alert"},   {"EMERG", "emergency"}, {"SEVERE", "error"}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// "2026-11-23 06:19:43 status …": @returns "status"; empty if the line does
/// not look like that.
std::string_view dpkg_action(std::string_view line) {
  constexpr std::string_view shape = "dddd-dd-dd dd:dd:dd ";
  if (line.size() <= shape.size())
    return {};
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 'd' ? !is_digit(line[i]) : shape[i] != line[i])
      return {};
  line.remove_prefix(shape.size());
  const auto end = line.find(' ');
  // "startup archives unpack" has its action first, too.
  const auto action = line.substr(0, end);
  const bool is_word = end != std::string_view::npos && !action.empty()
                       && std::all_of(action.begin(), action.end(), [](char c) {
                            return c >= 'a' && c <= 'z';
                          });
  return is_word ? action : std::string_view{};
}

/// The first word of the line that is a log level.
std::string_view log_level_in(std::string_view line) {
  for (size_t i = 0; i < line.size();) {
    if (!is_letter(line[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < line.size() && is_letter(line[end]))
      ++end;
    const auto word = line.substr(i, end - i);
    for (const auto& x : levels)
      if (std::equal(word.begin(), word.end(), x.word.begin(), x.word.end(),
                     [](char a, char b) { return upper(a) == b; }))
        return x.topic;
    i = end;
  }
  return {};
}

failure unusable(const std::string& path, const std::string& why) {
  return {errc::invalid_option,
          "cannot use \"" + path + "\": " + why
            + "; name any text file with lines, such as a log: scripts/demo "
              "FILE"};
}

} // namespace

outcome<std::vector<std::string>> read_lines(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return unusable(path, "it is a directory");
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return unusable(path, strerror(errno));
  std::vector<std::string> result;
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  if (in.bad())
    return unusable(path, "reading it failed");
  if (result.empty())
    return unusable(path, "it is empty");
  return result;
}

std::string topic_of(std::string_view line) {
  auto topic = dpkg_action(line);
  if (topic.empty())
    topic = log_level_in(line);
  return topic.empty() ? "line" : std::string{topic};
}

} // namespace pulse::apps
