#pragma once

#include "pulse/core/reading/page_limit.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace pulse {

/// Divides the streams of a read into turns, if one event of each is already
/// too much for a reply. A page_limit cannot make such a read smaller: it would
/// fail again and again.
class read_turns {
public:
  /// Removes the streams whose turn it is not. @returns whether there were any.
  template <class T>
  bool choose(std::map<std::string, T>& streams) {
    if (streams.size() <= share_)
      return false;
    std::map<std::string, T> chosen;
    for (auto i = streams.upper_bound(last_); chosen.size() < share_; ++i) {
      if (i == streams.end())
        i = streams.begin();
      last_ = i->first;
      chosen.insert(*i);
    }
    streams = std::move(chosen);
    return true;
  }

  /// Call this when a read of these many streams failed, and maybe because its
  /// reply was too large. The next read has half of them.
  void failed(size_t streams) noexcept {
    share_ = std::max<size_t>(streams / 2, 1);
  }

  /// Call this when a read succeeded.
  /// @param bytes The size of the reply.
  void worked(uint64_t bytes) noexcept {
    if (share_ == all)
      return;
    if (bytes > page_limit::default_bytes)
      share_ = std::max<size_t>(share_ / 2, 1);
    else
      share_ = share_ > all / 2 ? all : 2 * share_;
  }

private:
  static constexpr size_t all = std::numeric_limits<size_t>::max();

  /// Maximum number of streams of a read.
  size_t share_ = all;
  /// The last stream that had its turn.
  std::string last_;
};

} // namespace pulse
