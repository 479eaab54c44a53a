#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace pulse::chaos {

/// The arguments "name=value" of pulse-chaos-node. A missing one is empty or 0.
class node_args {
public:
  node_args(int argc, char** argv);

  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] uint64_t number(const std::string& name) const;

private:
  std::map<std::string, std::string> values_;
};

} // namespace pulse::chaos
