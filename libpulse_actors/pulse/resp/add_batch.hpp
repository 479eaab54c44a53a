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
  /// The first arguments of an XADD, as bulk strings: its name and the key.
  std::string xadd;
  /// The key that stores what the stream keeps.
  std::string retention_key;
  /// Prefix of the keys that store dedup IDs.
  std::string dedup_prefix;
  /// It may change as long as a batch is not finished. With a hard limit each
  /// batch is a call of the script; with a ttl, adding and expiring happen in
  /// one transaction.
  stream_retention keeps;
  milliseconds dedup_window{0};
};

/// The results of the adds of a batch.
struct add_results {
  /// One result for each event, in order: the ID, or the error of Redis;
  /// `errc::no_such_stream` if the stream must exist and does not.
  std::vector<outcome<event_id>> ids;
  /// How many events of a repeated batch had been stored before.
  uint64_t found = 0;
  /// How many older events were removed because the stream was full: those
  /// that all sinks had acknowledged, and others.
  uint64_t removed = 0;
  uint64_t dropped = 0;
};

/// Adds events to one stream by one batch of commands, and reads the replies.
/// The commands are plain XADDs. If they are not enough, they are one call of a
/// script: for dedup IDs, a hard limit, or a batch whose outcome is unknown.
class add_batch {
public:
  /// `format` must outlive the batch.
  explicit add_batch(const add_format& format) : format_(&format) {
    // nop
  }

  /// Adds an event to the batch.
  /// @param only_if_exists The add fails if the stream does not exist.
  /// @param unique Content of the field u. If it is empty, the entry has no
  /// such field, and the batch cannot be repeated.
  void append(const new_event& x, bool only_if_exists,
              std::string_view unique = {});

  /// Number of events.
  [[nodiscard]] size_t size() const noexcept {
    return events_.size();
  }

  /// Size of the commands in bytes, before finish().
  [[nodiscard]] size_t bytes() const noexcept {
    return commands_.size();
  }

  /// @returns whether finish() returns a call of the script. If Redis does not
  /// know the script yet, the connection repeats the call behind all commands
  /// that were sent meanwhile.
  [[nodiscard]] bool needs_script() const noexcept;

  /// Completes and returns the commands. Call it once, at the end.
  command_ptr finish();

  /// @returns whether repeat() is possible.
  [[nodiscard]] bool repeatable() const noexcept {
    return repeatable_;
  }

  /// @returns commands that add only the events that are not stored yet. These
  /// commands may be repeated.
  /// @param after An ID that the stream had before the batch was sent; the
  /// lowest ID if none is known.
  /// @param age How long ago the batch was sent for the first time.
  /// @pre finish() was called, and repeatable()
  command_ptr repeat(event_id after, milliseconds age, milliseconds timeout);

  /// @returns the results that the replies to the last commands contain.
  [[nodiscard]] add_results results(const reply& x) const;

private:
  // The position of the fields of an event in the commands, and its options.
  struct extent {
    size_t begin = 0;
    size_t end = 0;
    unsigned fields = 0;
    bool only_if_exists = false;
    /// The number of the dedup ID, the first is 1; 0: it has none.
    uint32_t dedup = 0;
  };

  command_ptr transaction();
  std::shared_ptr<command_batch> script_call(std::string_view after,
                                             milliseconds age);
  void plain_results(cursor& at, add_results& into) const;
  void transaction_results(cursor& at, add_results& into) const;
  void script_results(cursor& at, add_results& into) const;

  const add_format* format_;
  std::string commands_;
  // The plain commands, after finish().
  std::shared_ptr<command_batch> plain_;
  std::vector<extent> events_;
  std::vector<std::string> dedup_ids_;
  bool in_transaction_ = false;
  bool repeatable_ = true;
  bool scripted_ = false;
};

} // namespace pulse::resp
