#pragma once

// Names that the runner and its nodes share.

namespace pulse::chaos {

/// Name of the one stream of a run.
inline constexpr const char* stream_name = "chaos";

/// A node writes this line to its standard output when it has blocked its
/// signals. Before that, a signal would end it; afterwards SIGTERM and SIGUSR1
/// wait until the node handles them.
inline constexpr const char* ready_line = "ready\n";

/// A node writes this line when its sink, stream or reader is open for the
/// first time.
inline constexpr const char* open_line = "open\n";

} // namespace pulse::chaos
