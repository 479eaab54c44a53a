#include "pulse/core/errc.hpp"

namespace pulse {

namespace {

struct errc_facts {
  std::string_view name;
  bool transient;
  std::string_view advice;
};

constexpr errc_facts facts[] = {
#define PULSE_ERRC_FACTS(name, transient, advice) {#name, transient, advice},
  PULSE_ERRC_LIST(PULSE_ERRC_FACTS)
#undef PULSE_ERRC_FACTS
};

constexpr errc_facts unknown{"unknown", false, "sent by a newer version"};

const errc_facts& facts_of(errc x) noexcept {
  const auto i = static_cast<size_t>(x);
  return i < std::size(facts) ? facts[i] : unknown;
}

} // namespace

std::string to_string(errc x) {
  return std::string{facts_of(x).name};
}

std::string_view advice(errc x) noexcept {
  return facts_of(x).advice;
}

bool is_transient(errc x) noexcept {
  return facts_of(x).transient;
}

} // namespace pulse
