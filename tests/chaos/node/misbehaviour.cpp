#include "chaos/node/misbehaviour.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pulse::chaos {

namespace {

constexpr std::array<std::pair<misdeed, const char*>, 9> names{{
  {misdeed::crash, "crash"},
  {misdeed::hang, "hang"},
  {misdeed::nack, "nack"},
  {misdeed::slow, "slow"},
  {misdeed::poison, "poison"},
  {misdeed::reject, "reject"},
  {misdeed::quit, "quit"},
  {misdeed::retire, "retire"},
  {misdeed::backlog, "backlog"},
}};

uint64_t mixed(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

uint64_t hash(uint64_t x, std::string_view text) {
  for (const char c : text)
    x = mixed(x ^ static_cast<unsigned char>(c));
  return x;
}

// Returns at how many attempts a worker does this to an event.
uint32_t attempts_of(misdeed what, uint64_t base) {
  switch (what) {
    case misdeed::poison:
    case misdeed::reject:
      return UINT32_MAX;
    case misdeed::quit:
      return 1 + static_cast<uint32_t>(mixed(base) % 5);
    case misdeed::backlog:
      return 2;
    default:
      return 1;
  }
}

} // namespace

std::string to_string(misdeed x) {
  for (auto [what, name] : names)
    if (what == x)
      return name;
  return "none";
}

std::vector<misdeed> all_misdeeds() {
  std::vector<misdeed> result;
  for (auto [what, name] : names)
    result.push_back(what);
  return result;
}

bool from_string(std::string_view text, std::vector<misdeed>& out) {
  out.clear();
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto word = text.substr(0, end);
    const auto* i = std::find_if(names.begin(), names.end(),
                                 [&](auto x) { return x.second == word; });
    if (i == names.end())
      return false;
    out.push_back(i->first);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

misdeed choose_misdeed(const misdeed_rates& rates, uint64_t seed,
                       std::string_view sink, std::string_view event,
                       uint32_t attempt) {
  const auto base = hash(hash(seed, sink), event);
  auto drawn = [&](misdeed what) {
    const auto i = rates.find(what);
    return i != rates.end() && i->second > 0
           && mixed(base + static_cast<uint64_t>(what)) % i->second == 0
           && attempt <= attempts_of(what, base);
  };
  for (auto what : {misdeed::poison, misdeed::reject, misdeed::backlog,
                    misdeed::quit, misdeed::crash, misdeed::hang, misdeed::nack,
                    misdeed::slow, misdeed::retire})
    if (drawn(what))
      return what;
  return misdeed::none;
}

} // namespace pulse::chaos
