#include "chaos/node/misbehaviour.hpp"

namespace pulse::chaos {

namespace {

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

} // namespace

misdeed choose_misdeed(const misdeed_rates& rates, uint64_t seed,
                       std::string_view sink, std::string_view event,
                       bool first) {
  const auto base = hash(hash(seed, sink), event);
  auto drawn = [base](uint64_t one_in, misdeed what) {
    return one_in > 0
           && mixed(base + static_cast<uint64_t>(what)) % one_in == 0;
  };
  if (drawn(rates.poison, misdeed::poison))
    return misdeed::poison;
  if (drawn(rates.reject, misdeed::reject))
    return misdeed::reject;
  if (!first)
    return misdeed::none;
  if (drawn(rates.crash, misdeed::crash))
    return misdeed::crash;
  if (drawn(rates.hang, misdeed::hang))
    return misdeed::hang;
  if (drawn(rates.nack, misdeed::nack))
    return misdeed::nack;
  if (drawn(rates.slow, misdeed::slow))
    return misdeed::slow;
  return misdeed::none;
}

} // namespace pulse::chaos
