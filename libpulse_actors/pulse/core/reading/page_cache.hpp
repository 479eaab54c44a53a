#pragma once

#include "pulse/core/reading/stream_page.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace pulse {

/// The pages that were read last, for readers that come a little later than
/// others. It is bounded by size and by number of events: the pages that were
/// added first are removed first.
class page_cache {
public:
  struct limits {
    size_t bytes = 16u << 20;
    size_t events = 64u << 10;
  };

  /// A page, and how old it is.
  struct entry {
    stream_page page;
    /// Number of the read, see `query::asked`.
    uint64_t read = 0;
    /// The stream as it was last known when the read began.
    stream_state known;
  };

  /// What a reader looks for: at most `count` events after `after`.
  struct query {
    event_id after;
    uint32_t count = 1;
    /// For a reader that has just begun, or begins anew: the stream at that
    /// moment. It must not get events that had been removed by then. So it gets
    /// only pages of reads whose number is higher than `asked`, or before which
    /// the stream had lost no other events.
    std::optional<stream_state> opened = std::nullopt;
    uint64_t asked = 0;
    /// Whether only pages of reads with a higher number than `asked` will do.
    bool fresh = false;
  };

  page_cache() = default;

  explicit page_cache(limits x) noexcept : limits_(x) {
    // nop
  }

  /// Adds a page that has events. After that, find() has an answer for each
  /// query at the begin of the page that it suits, until shrink() is called.
  void add(entry x);

  /// Removes the oldest pages if there are too many. The page that was added
  /// last stays, however large it is. Call this when the readers that wait for
  /// the added pages have got them.
  void shrink();

  /// @returns a page with the next events after `x.after`, or a part of it;
  /// nullopt if no page suits the query. It says nothing about the stream if it
  /// begins in the middle of a page, or if the reader was opened since.
  [[nodiscard]] std::optional<stream_page> find(const std::string& stream,
                                                const query& x) const;

  /// Removes the page of a stream that ends at `last`, if it is here.
  void remove(const std::string& stream, event_id last);

  /// Removes all pages of a stream.
  void forget(const std::string& stream);

  [[nodiscard]] size_t bytes() const noexcept {
    return bytes_;
  }

private:
  struct cached {
    entry what;
    uint64_t number = 0;
    size_t bytes = 0;
    /// Neither this page nor one that ends later begins at a lower ID. So a
    /// search knows where to stop.
    event_id lowest_after;
  };

  /// The pages of a stream by their last IDs.
  using pages = std::map<event_id, cached>;

  struct age {
    std::string stream;
    event_id last;
    uint64_t number = 0;
  };

  void erase(std::map<std::string, pages>::iterator stream, pages::iterator x);
  void erase_covered(std::map<std::string, pages>::iterator stream,
                     const entry& x);
  static void note_after(pages& all, pages::iterator added);

  limits limits_;
  std::map<std::string, pages> streams_;
  /// The pages in the order of their coming, and some that are gone.
  std::deque<age> order_;
  uint64_t last_number_ = 0;
  size_t count_ = 0;
  size_t bytes_ = 0;
  size_t events_ = 0;
};

} // namespace pulse
