#include "simulation/world/trace.hpp"

#include <cstdio>

namespace pulse::simulation {

namespace {

// A long command would hide the others.
constexpr size_t longest_text = 240;

std::string printable(std::string_view text) {
  std::string result;
  for (auto c : text.substr(0, longest_text))
    result += c >= ' ' && c <= '~' ? c : '.';
  return result + (text.size() > longest_text ? "…" : "");
}

} // namespace

void trace::note(std::string_view what, uint64_t who, std::string_view text) {
  ++steps_;
  const auto at
    = std::chrono::duration_cast<std::chrono::microseconds>(now_ - start_);
  mix(static_cast<uint64_t>(at.count()));
  mix(what);
  mix(who);
  mix(text);
  if (keep == 0 && !print)
    return;
  char head[96];
  std::snprintf(head, sizeof(head), "%10.3f ms  %-10.*s %3llu  ",
                static_cast<double>(at.count()) / 1000.0,
                static_cast<int>(what.size()), what.data(),
                static_cast<unsigned long long>(who));
  auto line = head + printable(text);
  if (print)
    print(line);
  last_.push_back(std::move(line));
  if (last_.size() > keep)
    last_.pop_front();
}

// FNV-1a.
void trace::mix(std::string_view bytes) noexcept {
  for (auto c : bytes)
    digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}

void trace::mix(uint64_t x) noexcept {
  digest_ = (digest_ ^ x) * 0x100000001b3;
}

} // namespace pulse::simulation
