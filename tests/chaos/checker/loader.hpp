#pragma once

#include "pulse/core/outcome.hpp"

#include "chaos/checker/history.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pulse::chaos {

// The files of a run. Each line starts with a time, except in "settings" and
// "final"; IDs are "<ms>-<seq>", events "<producer>:<n>".
//
//   <slot>.<incarnation>.journal
//     role producer | role sink <name> balanced|keyed <backoff in
//     ms,…> <lease in ms> | role reader
//     oldest|newest producer: i <n> (invoked), o <n> <id> (stored), f <n>
//     <errc> (failed),
//               u <n> <errc> (outcome unknown)
//     sink:     g (opened), k (closing), q (closed);
//               worker w: s <w> <event> <id> <deliveries> <failures> <crashes>
//               (started), then
//               d <w> (done), e <w> (nack), c <w> (crashes),
//               l <w> (ends without an answer), r <w> (ends after an event); h
//               <w> (will hang) n <kind> loss|fine <number> (notice)
//     reader:   v <event> <id> (saw)
//     z <ms> (blocks its pooled threads for so long)
//     x (ends as told)
//   faults:   <begin> <end> <kind> <slot, sink or *> <events that it took from
//             a group> <ID from which it moved a group> <ID to which>
//   samples:  <time> <slot> <rss in kB>
//   settings: <name> <value>
//   final:    entry <id> <event>; dead <sink> <event>; bad <slot> <how>;
//             group <sink> <pending> through|behind <consumer>...;
//             outage <slot> <seconds> <cpu seconds> <connections> <attempts>

/// Makes a history from the contents of the files. The journals of producers
/// must be added first, because the others contain names of their events.
class loader {
public:
  /// @param name The name of the file without ".journal".
  status add_journal(const std::string& name, std::string_view text);
  status add_faults(std::string_view text);
  status add_samples(std::string_view text);
  status add_settings(std::string_view text);
  status add_final(std::string_view text);

  /// Sorts everything by time, and returns the history.
  history finish();

private:
  using words = std::vector<std::string_view>;

  void producer_line(int64_t at, const words& line, uint32_t first);
  struct sink_journal;
  void sink_line(int64_t at, const words& line, sink_journal& state);
  void closed(int64_t at, sink_journal& state);
  uint32_t event_of(std::string_view label, const std::string& where);

  history result_;
};

/// Reads all files of a run. Error: `errc::internal` that names file and line.
outcome<history> load(const std::string& directory);

} // namespace pulse::chaos
