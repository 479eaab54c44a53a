#include "pulse/core/delivery/give_up.hpp"

namespace pulse {

std::string describe_used_up(const delivery_counts& x,
                             uint32_t max_deliveries) {
  return "gave up after " + std::to_string(x.failures) + " failures and "
         + std::to_string(x.crashes) + " crashes (max_deliveries is "
         + std::to_string(max_deliveries) + ")";
}

} // namespace pulse
