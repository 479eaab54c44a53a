#pragma once

#include "pulse/core/reading/page_cache.hpp"
#include "pulse/core/reading/page_request.hpp"
#include "pulse/core/reading/stream_page.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulse {

/// Shares reads between the readers of a process. Each reader asks for the
/// events after its cursors, one request at a time. The hub says which reads
/// are needed, gets their pages, and says which reader gets which page.
///
/// There are two kinds of reads. A stream has one *tail read*, which waits in
/// Redis for the next events. It serves all readers that have read everything
/// so far. A reader that is behind gets pages that the hub still has, or that
/// are read for it without waiting: an *old read*, which readers with the same
/// cursor share. When such a read brings nothing, its readers join the tail
/// read. So there are no modes: a slow reader asks later, and a reader that has
/// caught up is at the tail.
///
/// After a page that a reader took, the tail read goes on before the readers
/// ask again. So the hub is one page per stream ahead of its readers at most.
class page_hub {
public:
  using reader_id = uint64_t;

  struct answer {
    reader_id to = 0;
    std::vector<stream_page> pages;
  };

  /// A read of one stream that has begun.
  struct read {
    /// Counted together with the requests of the readers.
    uint64_t number = 0;
    /// See page_cache::entry.
    stream_state known = {};
  };

  /// A read of one stream that is needed now.
  struct old_read {
    std::string stream;
    event_id after;
    uint32_t count = 1;
    /// Its result is to name it.
    read from = {};
  };

  /// What the next tail read of a stream has to do.
  struct tail_read {
    event_id after;
    uint32_t count = 1;
    /// Before the read, Redis has to be asked about the stream.
    bool check = false;
    /// A reader waits for that, so a read that is under way has to end.
    bool urgent = false;
  };

  explicit page_hub(page_cache::limits limits = {}) : cache_(limits) {
    // nop
  }

  /// What a tail read found out about one of its streams.
  struct tail_result {
    stream_page page;
    /// From tail_begins().
    read from;
    /// The read has brought as many events as it asked for, so there may be
    /// more.
    bool full = false;
  };

  // -- readers ----------------------------------------------------------------

  /// Takes the next request of a reader, which replaces the one before. A
  /// reader without streams does not wait for anything.
  void ask(reader_id who, const page_request& what);

  void leave(reader_id who);

  [[nodiscard]] bool has_readers() const noexcept {
    return !readers_.empty();
  }

  /// @returns the answers since the last call. Their readers wait no more.
  std::vector<answer> take_answers() {
    return std::exchange(answers_, {});
  }

  /// Makes the readers stop waiting that need the next events of a stream; only
  /// those at a cursor, if given. @returns them.
  std::vector<reader_id> give_up(const std::string& stream,
                                 std::optional<event_id> cursor = {});

  // -- tail reads -------------------------------------------------------------

  /// @returns the streams since the last call whose tail read has changed:
  /// others have to be read, or from an earlier ID.
  std::set<std::string> take_changed() {
    return std::exchange(changed_, {});
  }

  /// @returns whether a reader has asked for the stream.
  [[nodiscard]] bool has_stream(const std::string& stream) const {
    return streams_.count(stream) > 0;
  }

  /// @returns the tail read that the stream needs; nullopt: none.
  [[nodiscard]] std::optional<tail_read>
  tail_of(const std::string& stream) const;

  /// Call this when a tail read begins.
  /// @param checks Whether Redis is asked about the stream before it.
  /// @returns the read, whose results are to name it. So they count as what was
  /// known at this moment, even if no reader asked for the stream meanwhile.
  read tail_begins(const std::string& stream, bool checks);

  /// Has Redis asked about the stream before its next tail read.
  void check_next(const std::string& stream);

  /// Redis has answered what it was asked before a tail read. The pages have no
  /// events yet.
  void tail_checked(const std::vector<tail_result>& xs);

  /// A tail read has brought events.
  /// @param xs The streams that have some.
  void tail_came(const std::vector<tail_result>& xs);

  /// A tail read has waited for its full time, and brought nothing.
  void tail_drained(const std::vector<tail_result>& xs);

  // -- old reads --------------------------------------------------------------

  /// @returns the next `most` of the old reads that are needed. The readers
  /// take turns. Each read ends by a call of old_came() or old_failed().
  std::vector<old_read> take_old_reads(size_t most);

  /// An old read has succeeded. Its page has events or is drained.
  /// @param from From take_old_reads().
  void old_came(const stream_page& x, const read& from);

  /// An old read has failed. @returns the readers that need it, which wait no
  /// more.
  std::vector<reader_id> old_failed(const std::string& stream, event_id after);

  // -- streams that Redis refuses to read -------------------------------------

  /// Reads of the stream are useless until accept(). @returns the readers that
  /// need it, which wait no more.
  std::vector<reader_id> refuse(const std::string& stream);

  void accept(const std::string& stream);

  /// @returns the streams that Redis refuses to read.
  [[nodiscard]] std::vector<std::string> refused() const;

private:
  /// Where a reader stands in a stream.
  struct cursor {
    event_id after;
    /// Number of the request that named the stream last, counted together with
    /// the reads.
    uint64_t asked = 0;
    bool check = false;
    bool fresh = false;
    /// A reader repeats what it was opened with until it has events.
    std::optional<stream_state> opened;
    /// Number of the request that named this first.
    uint64_t opened_at = 0;
    /// The stream may have been replaced before that, so the reader gets only
    /// pages of later reads.
    bool doubts = false;
    /// What the reader was told at this cursor: a version of what is known, and
    /// that nothing followed.
    uint64_t told = 0;
    bool drained = false;
    /// See stream::incarnation.
    uint64_t incarnation = 0;
  };

  struct stream {
    std::map<reader_id, cursor> readers;
    /// Cursors whose readers the tail read serves: nothing follows them, or
    /// they were first. The tail read begins after the lowest of them.
    std::set<event_id> at_tail;
    /// Cursors for which an old read is needed or under way, and the number of
    /// the read; 0: it has not begun.
    std::map<event_id, uint64_t> behind;
    /// What Redis said about the stream last, and how often that has changed.
    stream_state known;
    uint64_t version = 1;
    /// Number of the last request or read at that moment, or when the stream
    /// was found to go on. An answer to a read that began earlier may be the
    /// older one, and come late.
    uint64_t noted = 0;
    /// Highest ID that the stream is known to have had.
    event_id end;
    /// How often the stream was replaced. A reader that stands in an earlier
    /// one has to hear of it before it gets a page.
    uint64_t incarnation = 0;
    /// How many events the readers want at most: those that have asked since
    /// the last tail read began (0: none has), and those before them. To ask
    /// all readers before each read would take long.
    uint32_t wanted = 0;
    uint32_t wanted_before = 1;
    bool check = false;
    /// Redis was asked about the stream before the last tail read. A reader
    /// that waits for it needs no other one before that, unless its request is
    /// fresh.
    bool checked = false;
    bool urgent = false;
    bool refused = false;
  };

  using stream_map = std::map<std::string, stream>;
  using stream_entry = stream_map::value_type;

  struct by_name {
    bool operator()(const stream_entry* x, const stream_entry* y) const {
      return x->first < y->first;
    }
  };

  using stream_set = std::set<stream_entry*, by_name>;

  struct reader {
    uint32_t count = 1;
    bool waits = false;
    stream_set streams;
    /// The streams to look at before the reader waits: those that it has named,
    /// and those that may have pages for it.
    stream_set due;
  };

  /// A page of a tail read that was just kept.
  struct kept_page {
    const tail_result* what = nullptr;
    stream_entry* from = nullptr;
    /// Whether the next tail read follows this page.
    bool reads_on = false;
    /// The readers that wait for the page.
    std::vector<reader_id> takers;
  };

  void set_stream(reader_id who, reader& x, const page_request::stream& what);
  void drop(reader_id who, reader& x, stream_entry& from);
  void drop_others(reader_id who, reader& x);
  void serve(reader_id who, reader& x);
  static stream_page news_of(const stream_entry& x, cursor& at);
  void hurry(reader_id who, reader& x);
  void make_due(stream_entry& x);
  std::vector<reader_id> make_due(stream_entry& x, const stream_page& page);
  void need(reader_id who, stream_entry& x, event_id after);
  std::pair<std::string, event_id> take_needed();
  void reply(reader_id who, reader& x, std::vector<stream_page> pages);
  void tell_state(const std::vector<tail_result>& xs, bool only_at = false);
  [[nodiscard]] bool has_waiting(const stream& x) const;
  [[nodiscard]] static uint32_t count_of(const stream& x) noexcept;
  void note_state(stream_entry& x, const stream_state& now, uint64_t read);
  bool note_opened(stream_entry& x, const stream_state& opened);
  kept_page keep_tail(stream_entry& x, const tail_result& what);
  void settle_tail(const kept_page& x);
  static bool has_reader_at_end(const stream& x);
  void keep(stream& x, const stream_page& what, const read& from);

  std::map<reader_id, reader> readers_;
  stream_map streams_;
  page_cache cache_;
  std::vector<answer> answers_;
  std::set<std::string> changed_;
  /// Streams and cursors whose old reads have not begun, by the reader that was
  /// the first one to need them.
  std::map<reader_id, std::deque<std::pair<std::string, event_id>>> needed_;
  /// The reader that had the last turn.
  reader_id last_turn_ = 0;
  uint64_t last_number_ = 0;
};

} // namespace pulse
