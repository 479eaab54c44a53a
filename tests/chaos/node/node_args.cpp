#include "chaos/node/node_args.hpp"

#include <cstdlib>

namespace pulse::chaos {

node_args::node_args(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string x{argv[i]};
    const auto equals = x.find('=');
    if (equals != std::string::npos)
      values_[x.substr(0, equals)] = x.substr(equals + 1);
  }
}

std::string node_args::text(const std::string& name) const {
  const auto i = values_.find(name);
  return i != values_.end() ? i->second : std::string{};
}

uint64_t node_args::number(const std::string& name) const {
  return std::strtoull(text(name).c_str(), nullptr, 10);
}

} // namespace pulse::chaos
