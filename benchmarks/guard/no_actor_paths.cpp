#include "guard/hot_path.hpp"

namespace pulse::bench {

std::vector<hot_path> actor_paths() {
  return {};
}

} // namespace pulse::bench
