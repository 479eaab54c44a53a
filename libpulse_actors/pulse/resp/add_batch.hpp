#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/options.hpp"
#include "pulse/resp/command_batch.hpp"
#include "pulse/resp/reply.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulse::resp {

/// How events are added to one stream.
struct add_format {
  explicit add_format(const stream_options& options);

  std::string key;
  /// Of the keys that remember dedup IDs.
  std::string dedup_prefix;
  /// MAXLEN ~ of each XADD; 0: none.
  uint64_t max_len = 0;
  uint64_t hard_max_len = 0;
  full_policy on_full = full_policy::reject;
  /// If not 0, adding and expiring happen in one transaction.
  milliseconds ttl{0};
  ttl_mode ttl_kind = ttl_mode::absolute;
  milliseconds dedup_window{0};
};

/// What became of the adds of a batch.
struct add_results {
  /// One per event, in their order: an ID, or what Redis said against it;
  /// `errc::no_such_stream` if only an existing stream was wanted.
  std::vector<outcome<event_id>> ids;
  /// Events of a repeated batch that had been stored before.
  uint64_t found = 0;
  /// Other events that made room.
  uint64_t dropped = 0;
};

/// Adds of events to one stream as one batch of commands, and what the replies
/// mean for each of them. Plain XADDs, or one call of a script if it takes
/// more: a dedup ID, a hard limit, a batch of unknown outcome.
class add_batch {
public:
  /// `format` must outlive the batch.
  explicit add_batch(const add_format& format);

  /// @param only_if_exists Do not create the stream.
  /// @param unique Content of the field u; empty: none, the batch cannot be
  /// repeated.
  void append(const new_event& x, bool only_if_exists,
              std::string_view unique = {});

  /// Number of events.
  [[nodiscard]] size_t size() const noexcept {
    return events_.size();
  }

  /// Bytes of the commands, as long as they were not handed out.
  [[nodiscard]] size_t bytes() const noexcept {
    return commands_.size();
  }

  /// Completes the commands and hands them out; call it once, at the end.
  command_ptr finish();

  /// @returns whether repeat() is possible.
  [[nodiscard]] bool repeatable() const noexcept {
    return repeatable_;
  }

  /// Commands that add what is not stored yet. They may be repeated.
  /// @param after An ID that the stream had before the batch was sent; the
  /// lowest one if none is known.
  /// @param age For how long the batch has been under way.
  /// @pre finish() was called, and repeatable()
  command_ptr repeat(event_id after, milliseconds age, milliseconds timeout);

  /// What the replies to the commands handed out last mean.
  [[nodiscard]] add_results results(const reply& x) const;

private:
  // Where an event's fields are in the commands, and what is special about it.
  struct extent {
    size_t begin = 0;
    size_t end = 0;
    unsigned fields = 0;
    bool only_if_exists = false;
    std::string dedup_id;
  };

  [[nodiscard]] bool needs_script() const noexcept;
  [[nodiscard]] bool in_transaction() const noexcept {
    return format_->ttl.count() > 0;
  }
  std::shared_ptr<command_batch> script_call(std::string_view after,
                                             milliseconds age);
  void plain_results(cursor& at, add_results& into) const;
  void transaction_results(cursor& at, add_results& into) const;
  void script_results(cursor& at, add_results& into) const;

  const add_format* format_;
  std::string commands_;
  // The plain form, once it is complete.
  std::shared_ptr<command_batch> plain_;
  std::vector<extent> events_;
  bool has_dedup_ids_ = false;
  bool repeatable_ = true;
  bool scripted_ = false;
};

} // namespace pulse::resp
