#pragma once

// What the runner and its nodes have agreed upon.

namespace pulse::chaos {

/// Name of the one stream of a run.
inline constexpr const char* stream_name = "chaos";

/// Lines that a node writes to its standard output. Before `ready_line`, a
/// signal would end it; from then on, SIGTERM and SIGUSR1 wait until it looks
/// at them.
inline constexpr const char* ready_line = "ready\n";

/// Its sink, stream or reader is open for the first time.
inline constexpr const char* open_line = "open\n";

} // namespace pulse::chaos
