#include "pulse/actors/internal/sink/outcome_writer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

sink_outcome_writer::~sink_outcome_writer() {
  const auto closed = make_error(
    {errc::closed, "sink " + ctx_.options.name
                     + " was closed before Redis confirmed the ack; the event "
                       "may be delivered again"});
  for (auto* answers : {&answers_, &answers_sent_})
    for (auto& x : *answers)
      x.deliver(closed);
}

void sink_outcome_writer::take_actions() {
  for (auto& x : ctx_.ledger.take_actions()) {
    if (!ctx_.acks()) {
      // Redis keeps no pending list, so a decided event needs no command.
      if (x.kind == action_kind::dead_letter)
        ctx_.report(log_level::warning,
                    "event " + to_string(x.id) + " of stream "
                      + ctx_.streams[x.stream].name
                      + " is lost, because ack is none: " + x.reason);
      ctx_.ledger.forget(x.entry);
      continue;
    }
    switch (x.kind) {
      case action_kind::ack:
        acks_.push_back({x.stream, x.id, x.entry, true});
        break;
      case action_kind::dead_letter:
        dead_.push_back(std::move(x));
        break;
      case action_kind::store_counts:
        counts_.push_back(std::move(x));
        break;
      case action_kind::mark:
        marks_.push_back(std::move(x));
        break;
    }
  }
}

void sink_outcome_writer::ack(uint32_t stream, event_id id) {
  acks_.push_back({stream, id, {}, false});
}

void sink_outcome_writer::make_dead_letter(uint32_t stream, event_id id,
                                           delivery_counts counts,
                                           std::string reason) {
  dead_.push_back(
    {action_kind::dead_letter, {}, stream, id, counts, std::move(reason)});
}

bool sink_outcome_writer::knows(uint32_t stream, event_id id) const {
  auto is_it = [=](const auto& x) { return x.stream == stream && x.id == id; };
  return std::any_of(acks_.begin(), acks_.end(), is_it)
         || std::any_of(acks_sent_.begin(), acks_sent_.end(), is_it)
         || std::any_of(dead_.begin(), dead_.end(), is_it);
}

void sink_outcome_writer::answer_after_ack(caf::response_promise answer) {
  take_actions();
  answers_.push_back(std::move(answer));
}

void sink_outcome_writer::flush() {
  if (ctx_.now() < not_before_)
    return;
  if (acks_sent_.empty() && answers_sent_.empty()
      && !(acks_.empty() && answers_.empty()))
    send_acks();
  for (auto& x : std::exchange(dead_, {}))
    send_dead_letter(std::move(x));
  if (!counts_.empty())
    send_counts();
  if (!marks_.empty())
    send_marks();
}

// -- acks ---------------------------------------------------------------------

void sink_outcome_writer::send_acks() {
  acks_sent_ = std::exchange(acks_, {});
  answers_sent_ = std::exchange(answers_, {});
  auto by_stream = [](const pending_ack& a, const pending_ack& b) {
    return a.stream < b.stream;
  };
  if (!std::is_sorted(acks_sent_.begin(), acks_sent_.end(), by_stream))
    std::stable_sort(acks_sent_.begin(), acks_sent_.end(), by_stream);
  auto batch = std::make_shared<command_batch>();
  batch->repeatable = true;
  resp::command_writer writer{batch->bytes};
  for (auto i = acks_sent_.begin(); i != acks_sent_.end();) {
    auto end = std::upper_bound(i, acks_sent_.end(), *i, by_stream);
    writer.begin(3 + static_cast<size_t>(end - i));
    writer.arg("XACK").arg(ctx_.streams[i->stream].key);
    writer.arg(ctx_.options.name);
    for (; i != end; ++i)
      writer.arg(i->id);
    ++batch->count;
  }
  if (batch->count == 0) { // the acks of these answers were sent before
    acked({});
    return;
  }
  ctx_.run(
    std::move(batch), [this](const reply_ptr& reply) { acked(*reply); },
    [this](const caf::error& err) { ack_failed(to_failure(err)); });
}

void sink_outcome_writer::acked(const resp::reply& reply) {
  resp::cursor at{reply};
  for (; !at.at_end(); at.skip()) {
    if (!at.is(resp::node_type::error))
      continue;
    auto why = resp::error_of(at);
    // The key is no stream any more, so nothing is left to acknowledge.
    if (why.code != errc::wrong_type)
      return ack_failed(why);
    ctx_.report(log_level::warning,
                "Redis refused acks, which are dropped: " + to_string(why));
  }
  if (std::exchange(failing_, false))
    ctx_.report(log_level::info, "acks are confirmed again");
  pause_.reset();
  for (const auto& x : std::exchange(acks_sent_, {})) {
    ctx_.ledger.forget(x.entry);
    acked_events_ += x.handled ? 1 : 0;
    ctx_.counts.acked += x.handled ? 1 : 0;
  }
  for (auto& x : std::exchange(answers_sent_, {}))
    x.deliver(caf::unit);
}

void sink_outcome_writer::ack_failed(const failure& why) {
  acks_.insert(acks_.begin(), acks_sent_.begin(), acks_sent_.end());
  acks_sent_.clear();
  for (auto& x : std::exchange(answers_sent_, {}))
    x.deliver(make_error({why.code, why.what
                                      + "; the ack is not confirmed yet; the "
                                        "sink repeats it"}));
  pause_after(why, "acks");
}

void sink_outcome_writer::pause_after(const failure& why, const char* what) {
  if (!std::exchange(failing_, true))
    ctx_.report(log_level::warning, "Redis did not confirm " + std::string{what}
                                      + ": " + to_string(why)
                                      + "; trying again");
  not_before_ = ctx_.now() + pause_.next(random_);
}

// -- dead letters -------------------------------------------------------------

void sink_outcome_writer::send_dead_letter(action x) {
  const auto& stream = ctx_.streams[x.stream];
  if (!ctx_.options.dead_letter) {
    ++ctx_.counts.dead_letters;
    ctx_.report(log_level::warning, "gives up event " + to_string(x.id)
                                      + " of stream " + stream.name
                                      + " without a dead letter, because "
                                        "dead_letter is off: "
                                      + x.reason);
    acks_.push_back({x.stream, x.id, x.entry, false});
    return;
  }
  const auto dead
    = stream_key(dead_letter_stream(stream.name, ctx_.options.name));
  script_call call{resp::dead_letter_script(),
                   {stream.key, dead,
                    resp::redrives_key(stream.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(x.id).arg(ctx_.options.dead_letter_max_len);
  call.arg("x-id").arg(x.id);
  call.arg("x-stream").arg(stream.name);
  call.arg("x-sink").arg(ctx_.options.name);
  call.arg("x-node").arg(ctx_.consumer);
  call.arg("x-reason").arg(x.reason);
  call.arg("x-deliveries").arg(uint64_t{x.counts.deliveries});
  call.arg("x-failures").arg(uint64_t{x.counts.failures});
  call.arg("x-crashes").arg(uint64_t{x.counts.crashes});
  call.arg("x-time").arg(static_cast<int64_t>(ctx_.env.unix_time().count()));
  ++dead_sent_;
  ctx_.run(
    call.finish(true),
    [this, x](const reply_ptr& reply) {
      --dead_sent_;
      dead_letter_stored(x, *reply);
    },
    [this, x](const caf::error& err) {
      --dead_sent_;
      dead_letter_failed(x, to_failure(err));
    });
}

void sink_outcome_writer::dead_letter_stored(const action& x,
                                             const resp::reply& reply) {
  resp::cursor at{reply};
  if (at.is(resp::node_type::error))
    return dead_letter_failed(x, resp::error_of(at));
  // The reply is nil if the event was acknowledged meanwhile.
  uint32_t parts = 0;
  if (at.read_array(parts) && parts == 2) {
    at.skip();
    const auto& stream = ctx_.streams[x.stream].name;
    ++ctx_.counts.dead_letters;
    ctx_.report(log_level::warning, "event " + to_string(x.id) + " of stream "
                                      + stream
                                      + " is a dead letter now: " + x.reason);
    count_removed(stream, resp::read_number(at, "dead_letter"));
  }
  ctx_.ledger.forget(x.entry);
}

void sink_outcome_writer::count_removed(const std::string& stream,
                                        const outcome<int64_t>& n) {
  if (!n || *n == 0)
    return;
  ctx_.counts.dead_letters_removed += static_cast<uint64_t>(*n);
  ctx_.report(log_level::warning,
              "removed the oldest " + std::to_string(*n)
                + " dead letters of stream " + stream
                + ", because there are more than "
                + std::to_string(ctx_.options.dead_letter_max_len)
                + "; redrive or purge them, or raise dead_letter_max_len");
}

void sink_outcome_writer::dead_letter_failed(const action& x,
                                             const failure& why) {
  dead_.push_back(x);
  pause_after(why, "dead letters");
}

// -- delivery counts ----------------------------------------------------------

std::vector<std::vector<sink_outcome_writer::action>>
sink_outcome_writer::by_stream(std::vector<action> xs) const {
  std::vector<std::vector<action>> result(ctx_.streams.size());
  for (auto& x : xs)
    result[x.stream].push_back(std::move(x));
  return result;
}

command_ptr
sink_outcome_writer::count_call(uint32_t stream,
                                const std::vector<action>& xs) const {
  script_call call{resp::count_script(), {ctx_.streams[stream].key}};
  call.arg(ctx_.options.name).arg(ctx_.consumer);
  for (const auto& x : xs)
    call.arg(x.id).arg(pack(x.counts, x.kind == action_kind::mark));
  return call.finish(true);
}

// The counts help the next node if this node dies. Nothing depends on them, so
// a failed command is not repeated.
void sink_outcome_writer::send_counts() {
  const auto all = by_stream(std::exchange(counts_, {}));
  for (uint32_t i = 0; i < all.size(); ++i)
    if (!all[i].empty())
      ctx_.run(
        count_call(i, all[i]), [](const reply_ptr&) {},
        [](const caf::error&) {});
}

// -- crash candidates ---------------------------------------------------------

// Workers get the events only when Redis has the marks, so failed commands are
// repeated.
void sink_outcome_writer::send_marks() {
  auto all = by_stream(std::exchange(marks_, {}));
  for (uint32_t i = 0; i < all.size(); ++i)
    if (!all[i].empty())
      send_marks_of(i, std::move(all[i]));
}

void sink_outcome_writer::send_marks_of(uint32_t stream,
                                        std::vector<action> marks) {
  auto batch = count_call(stream, marks);
  ctx_.run(
    std::move(batch),
    [this, marks](const reply_ptr& reply) { marked(marks, *reply); },
    [this, marks](const caf::error& err) {
      marks_failed(marks, to_failure(err));
    });
}

void sink_outcome_writer::marked(const std::vector<action>& marks,
                                 const resp::reply& reply) {
  resp::cursor at{reply};
  auto ids = resp::read_ids(at, "count");
  if (!ids)
    return marks_failed(marks, ids.error());
  // The loop runs backwards and marked() puts each event to the front of the
  // queue: that keeps the order of the events.
  for (auto x = marks.rbegin(); x != marks.rend(); ++x) {
    if (std::find(ids->begin(), ids->end(), x->id) != ids->end())
      ctx_.ledger.marked(x->entry);
    else if (ctx_.ledger.lost(x->entry))
      ++ctx_.counts.lost_leases;
  }
}

void sink_outcome_writer::marks_failed(const std::vector<action>& marks,
                                       const failure& why) {
  marks_.insert(marks_.end(), marks.begin(), marks.end());
  if (why.code == errc::no_group || why.code == errc::wrong_type)
    ctx_.check_groups = true;
  pause_after(why, "delivery counts");
}

} // namespace pulse::internal
