#include "pulse/resp/find_script.hpp"

#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_scripts.hpp"

namespace pulse::resp {

const script* find_script(std::string_view sha1) noexcept {
  for (const auto* x :
       {&add_script(),       &audit_script(),        &clean_consumers_script(),
        &count_script(),     &create_group_script(), &dead_letter_script(),
        &delay_script(),     &destroy_script(),      &end_consumer_script(),
        &keep_script(),      &leave_script(),        &open_group_script(),
        &redrive_script(),   &release_script(),      &renew_script(),
        &retention_script(), &share_script(),        &stay_script(),
        &take_over_script(), &trim_script()})
    if (x->sha1 == sha1)
      return x;
  return nullptr;
}

} // namespace pulse::resp
