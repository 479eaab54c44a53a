#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"
#include "pulse/resp/reply.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulse::resp {

/// How events are added to one stream.
struct add_format {
  explicit add_format(const stream_options& options);

  std::string key;
  /// MAXLEN ~ of each XADD; 0: none.
  uint64_t max_len = 0;
  /// If not 0, adding and expiring happen in one transaction.
  milliseconds ttl{0};
  ttl_mode ttl_kind = ttl_mode::absolute;
};

/// Adds of events to one stream as one buffer of commands, and what the
/// replies mean for each of them.
class add_batch {
public:
  /// `format` must outlive the batch.
  explicit add_batch(const add_format& format);

  /// @param only_if_exists Do not create the stream.
  void append(const new_event& x, bool only_if_exists);

  /// Number of events.
  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  /// Bytes of the commands so far.
  [[nodiscard]] size_t bytes() const noexcept {
    return commands_.size();
  }

  /// Completes the commands and hands them out; call it once, at the end.
  /// @param count Receives the number of commands, and so of replies.
  std::string finish(uint32_t& count);

  /// @returns one result per event, in their order. Each is an ID, or what
  /// Redis said against it; `errc::no_such_stream` if only an existing stream
  /// was wanted.
  [[nodiscard]] std::vector<outcome<event_id>> results(const reply& x) const;

private:
  [[nodiscard]] std::vector<outcome<event_id>>
  transaction_results(cursor& at) const;

  [[nodiscard]] bool in_transaction() const noexcept {
    return format_->ttl.count() > 0;
  }

  const add_format* format_;
  std::string commands_;
  size_t size_ = 0;
};

} // namespace pulse::resp
