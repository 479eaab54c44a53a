#include "pulse/core/delivery/crash_isolation.hpp"

namespace pulse {

bool crash_isolation::enter(const delivery_ticket& x) {
  // Each attempt is a new dispatch of the same entry with another round, so
  // only the serial number is compared.
  if (current_.serial == x.serial)
    return true;
  waiting_.push_back(x);
  return false;
}

} // namespace pulse
