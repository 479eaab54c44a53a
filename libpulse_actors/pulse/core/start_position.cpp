#include "pulse/core/start_position.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace pulse {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using time_point = std::chrono::system_clock::time_point;

// The year 5138, later than any event. Below this bound no calculation
// overflows.
constexpr uint64_t max_unix_seconds = 99'999'999'999;

std::optional<uint64_t> digits(std::string_view text) {
  uint64_t result = 0;
  const auto* last = text.data() + text.size();
  auto [end, code] = std::from_chars(text.data(), last, result);
  if (text.empty() || code != std::errc{} || end != last)
    return std::nullopt;
  return result;
}

// Days since 1970-01-01. A year is counted from March, so that the leap day is
// its last day.
int64_t days_of(int64_t year, int64_t month, int64_t day) {
  const auto y = month > 2 ? year : year - 1;
  const auto era = (y >= 0 ? y : y - 399) / 400;
  const auto year_of_era = y - era * 400;
  const auto day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  const auto day_of_era = year_of_era * 365 + year_of_era / 4
                          - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

int64_t days_in(int64_t year, int64_t month) {
  if (month == 2)
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Parses a time such as "2026-11-23T10:00:00Z" to Unix seconds.
std::optional<int64_t> parse_utc(std::string_view text) {
  constexpr std::string_view layout = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != layout.size())
    return std::nullopt;
  for (size_t i = 0; i < layout.size(); ++i)
    if (layout[i] != 'd' && layout[i] != text[i])
      return std::nullopt;
  int64_t parts[6] = {};
  constexpr size_t first[] = {0, 5, 8, 11, 14, 17};
  for (size_t i = 0; i < 6; ++i) {
    const auto x = digits(text.substr(first[i], i == 0 ? 4 : 2));
    if (!x)
      return std::nullopt;
    parts[i] = static_cast<int64_t>(*x);
  }
  const auto [year, month, day, hour, minute, second] = parts;
  if (month < 1 || month > 12 || day < 1 || day > days_in(year, month)
      || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  return ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

start_position at_unix_seconds(int64_t x) {
  if (x <= 0)
    return start_position::oldest();
  const event_id first{static_cast<uint64_t>(x) * 1000, 0};
  return start_position::after(first.previous());
}

} // namespace

start_position start_position::at(time_point time) noexcept {
  const auto since_epoch
    = std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
  if (since_epoch <= 0)
    return oldest();
  return after(event_id{static_cast<uint64_t>(since_epoch), 0}.previous());
}

std::string to_string(const start_position& x) {
  switch (x.kind) {
    case start_kind::newest:
      return "newest";
    case start_kind::oldest:
      return "oldest";
    case start_kind::after:
      return "after " + to_string(x.id);
  }
  return "unknown";
}

outcome<start_position> parse_start_position(std::string_view text) {
  if (text == "newest")
    return start_position::newest();
  if (text == "oldest")
    return start_position::oldest();
  if (!text.empty() && text.front() == '@') {
    if (auto x = digits(text.substr(1)); x && *x <= max_unix_seconds)
      return at_unix_seconds(static_cast<int64_t>(*x));
  } else if (auto id = parse_event_id(text)) {
    return start_position::after(*id);
  } else if (auto seconds = parse_utc(text)) {
    return at_unix_seconds(*seconds);
  }
  return failure{errc::invalid_option,
                 "\"" + std::string{text}
                   + "\" is no start position: expected newest, oldest, "
                     "<milliseconds>-<sequence> (after that event), "
                     "@<unix seconds> or a time in UTC as in "
                     "2026-11-23T10:00:00Z"};
}

} // namespace pulse
