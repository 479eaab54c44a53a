#include "pulse/core/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace pulse {

namespace {

// Levenshtein's distance, one row at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

} // namespace

std::string nearest(std::string_view text,
                    const std::vector<std::string>& choices) {
  // A choice that differs from `text` in more than half of its characters is
  // not what the user meant. Long texts are not compared, since that takes
  // long.
  constexpr size_t max_size = 64;
  if (text.size() > max_size)
    return {};
  auto best = max_size;
  std::string result;
  for (auto& choice : choices) {
    const auto x = edit_distance(text, choice);
    if (x < best && x <= choice.size() / 2) {
      best = x;
      result = choice;
    }
  }
  return result;
}

std::string list_choices(std::string_view text,
                         const std::vector<std::string>& choices) {
  std::string result;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (i > 0)
      result += i + 1 == choices.size() ? " or " : ", ";
    result += choices[i];
  }
  if (auto guess = nearest(text, choices); !guess.empty())
    result += "; did you mean " + guess + "?";
  return result;
}

} // namespace pulse
