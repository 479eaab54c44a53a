#pragma once

#include "pulse/actors/internal/hub/source.hpp"
#include "pulse/actors/internal/reader/context.hpp"
#include "pulse/core/reading/page_request.hpp"
#include "pulse/core/reading/stream_page.hpp"

#include <functional>
#include <vector>

namespace pulse::internal {

/// Gets the pages of a reader from the hub, one request at a time. If the hub
/// dies of a defect, the reader asks the next one.
class page_fetcher {
public:
  using pages = std::vector<stream_page>;
  using handler = std::function<void(outcome<stream_pages_ptr>)>;

  /// @param on_end Called with the pages of a request, or the reason of its
  /// failure. After a failure the reader may ask again at once. If the request
  /// was replaced meanwhile, busy() is still true.
  page_fetcher(reader_context& reader, hub_source_ptr hubs, handler on_end);

  /// Whether a request is under way.
  [[nodiscard]] bool busy() const noexcept {
    return busy_;
  }

  /// Whether the next request has to name all streams: the hub knows none.
  [[nodiscard]] bool begins_anew() const noexcept {
    return anew_;
  }

  /// Replaces a request that is under way. What the hub answered before it got
  /// the next one counts nevertheless.
  void fetch(page_request x);

  /// Gives up the request that is under way, and its pages. The hub then
  /// forgets the streams of this reader.
  void cancel();

private:
  void send(page_request x);
  void came(uint64_t number, stream_pages_ptr x);
  void ended(outcome<stream_pages_ptr> x);
  void hub_ended();

  reader_context& reader_;
  hub_source_ptr hubs_;
  handler on_end_;
  hub_actor hub_;
  reconnect_backoff backoff_;
  bool busy_ = false;
  bool anew_ = true;
  /// Number of the last request, and of the last one that was given up.
  uint64_t last_ = 0;
  uint64_t given_up_ = 0;
};

} // namespace pulse::internal
