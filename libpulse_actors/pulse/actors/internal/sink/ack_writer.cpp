#include "pulse/actors/internal/sink/ack_writer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

// So many late acks of a stream are remembered, and for so long after the last
// one. Nodes look for events that are not pending any more every few seconds.
constexpr int64_t most_late_acks = 10'000;
constexpr milliseconds late_acks_kept{600'000};

caf::error not_confirmed(const failure& why) {
  return make_error({why.code, why.what
                                 + "; the ack is not confirmed yet; the sink "
                                   "repeats it"});
}

template <class T>
bool by_stream(const T& a, const T& b) {
  return a.stream < b.stream;
}

} // namespace

sink_ack_writer::~sink_ack_writer() {
  const auto closed = make_error(
    {errc::closed, "sink " + ctx_.options.name
                     + " was closed before Redis confirmed the ack; the event "
                       "may be delivered again"});
  for (auto* answers : {&answers_, &answers_sent_})
    for (auto& x : *answers)
      x.promise.deliver(closed);
}

void sink_ack_writer::add(uint32_t stream, event_id id,
                          const delivery_ticket& entry, bool handled) {
  const pending_ack x{stream, id, entry, handled};
  if (refusals_.count(stream) > 0)
    refuse(x);
  else
    waiting_.push_back(x);
}

void sink_ack_writer::answer_when_confirmed(std::vector<uint32_t> streams,
                                            caf::response_promise answer) {
  pending_answer x{std::move(streams), std::move(answer)};
  if (is_refused(x))
    this->answer(x);
  else
    answers_.push_back(std::move(x));
}

bool sink_ack_writer::is_refused(const pending_answer& x) const {
  return std::any_of(x.streams.begin(), x.streams.end(),
                     [this](uint32_t i) { return refusals_.count(i) > 0; });
}

void sink_ack_writer::answer(pending_answer& x) const {
  for (auto i : x.streams)
    if (const auto why = refusals_.find(i); why != refusals_.end())
      return x.promise.deliver(not_confirmed(why->second));
  x.promise.deliver(caf::unit);
}

void sink_ack_writer::flush() {
  if (!gate_.is_open() || !sent_.empty() || !answers_sent_.empty())
    return;
  if (!refused_.empty() && refusal_gate_.is_open()) {
    waiting_.insert(waiting_.begin(), refused_.begin(), refused_.end());
    refused_.clear();
  }
  if (!waiting_.empty() || !answers_.empty())
    send();
}

void sink_ack_writer::list(uint32_t stream, std::vector<event_id>& into) const {
  for (const auto* acks : {&waiting_, &sent_, &refused_})
    for (const auto& x : *acks)
      if (x.stream == stream)
        into.push_back(x.id);
}

void sink_ack_writer::list_streams(std::set<uint32_t>& into) const {
  for (const auto* acks : {&waiting_, &sent_, &refused_})
    for (const auto& x : *acks)
      into.insert(x.stream);
}

void sink_ack_writer::send() {
  sent_ = std::exchange(waiting_, {});
  answers_sent_ = std::exchange(answers_, {});
  const auto order = by_stream<pending_ack>;
  if (!std::is_sorted(sent_.begin(), sent_.end(), order))
    std::stable_sort(sent_.begin(), sent_.end(), order);
  auto batch = std::make_shared<command_batch>();
  batch->repeatable = true;
  note_late_acks(*batch);
  notes_sent_ = batch->count;
  resp::command_writer writer{batch->bytes};
  for (auto i = sent_.begin(); i != sent_.end();) {
    auto end = std::upper_bound(i, sent_.end(), *i, order);
    writer.begin(3 + static_cast<size_t>(end - i));
    writer.arg("XACK").arg(ctx_.streams[i->stream].key);
    writer.arg(ctx_.options.name);
    for (; i != end; ++i)
      writer.arg(i->id);
    ++batch->count;
  }
  if (batch->count == 0) { // the acks of these answers were sent before
    confirmed({});
    return;
  }
  ctx_.run(
    std::move(batch), [this](const reply_ptr& reply) { confirmed(*reply); },
    [this](const caf::error& err) { failed(to_failure(err)); });
}

// An ack is late if the event may belong to another node now, or may wait for
// its next attempt. Other nodes must know that the event is not pending because
// of this ack (see claim_anew). The ack also ends the wait, so the event must
// not be found among those that wait.
void sink_ack_writer::note_late_acks(command_batch& batch) const {
  for (auto i = sent_.begin(); i != sent_.end();) {
    const auto stream = i->stream;
    const bool in_time = ctx_.kept_in_time(stream);
    const auto before = batch.count;
    for (; i != sent_.end() && i->stream == stream; ++i)
      if (!in_time || may_be_elsewhere(*i))
        note_late_ack(batch, *i);
    if (batch.count > before)
      limit_late_acks(batch, stream);
  }
}

// A worker that answers late finds no entry of its event. Events that no
// subscriber got have no entry either, but nobody else had them.
bool sink_ack_writer::may_be_elsewhere(const pending_ack& x) const {
  return x.entry.serial != 0 ? !ctx_.ledger.is_only_here(x.entry) : x.handled;
}

void sink_ack_writer::note_late_ack(command_batch& batch,
                                    const pending_ack& x) const {
  const auto& name = ctx_.streams[x.stream].name;
  resp::write_command(batch.bytes, "ZADD",
                      resp::late_acks_key(name, ctx_.options.name),
                      static_cast<int64_t>(ctx_.env.unix_time().count()), x.id);
  resp::write_command(batch.bytes, "ZREM",
                      resp::delayed_key(name, ctx_.options.name), x.id);
  batch.count += 2;
}

void sink_ack_writer::limit_late_acks(command_batch& batch,
                                      uint32_t stream) const {
  const auto key = resp::late_acks_key(ctx_.streams[stream].name,
                                       ctx_.options.name);
  resp::write_command(batch.bytes, "ZREMRANGEBYRANK", key, int64_t{0},
                      -most_late_acks - 1);
  resp::write_command(batch.bytes, "PEXPIRE", key,
                      static_cast<int64_t>(late_acks_kept.count()));
  batch.count += 2;
}

// The reply has a part for each command about late acks, which do not matter,
// and then one for each stream.
void sink_ack_writer::confirmed(const resp::reply& reply) {
  gate_.worked();
  resp::cursor at{reply};
  for (auto n = std::exchange(notes_sent_, 0u); n > 0; --n)
    at.skip();
  const auto acks = std::exchange(sent_, {});
  for (auto i = acks.begin(); i != acks.end(); at.skip()) {
    const auto stream = i->stream;
    const auto end = std::upper_bound(i, acks.end(), *i,
                                      by_stream<pending_ack>);
    const auto why = refusal(at);
    if (why) {
      refusals_.insert_or_assign(stream, *why);
      refusal_gate_.failed(*why);
    } else if (refusals_.erase(stream) > 0 && refusals_.empty()) {
      refusal_gate_.worked();
    }
    for (; i != end; ++i)
      why ? refuse(*i) : settle(*i);
  }
  for (auto& x : std::exchange(answers_sent_, {}))
    answer(x);
}

std::optional<failure> sink_ack_writer::refusal(const resp::cursor& at) const {
  if (at.at_end() || !at.is(resp::node_type::error))
    return std::nullopt;
  auto why = resp::error_of(at);
  if (why.code != errc::wrong_type)
    return why;
  // The key is no stream any more, so nothing is left to acknowledge.
  ctx_.report(log_level::warning,
              "Redis refused acks, which are dropped: " + to_string(why));
  return std::nullopt;
}

void sink_ack_writer::settle(const pending_ack& x) {
  ctx_.ledger.forget(x.entry);
  acked_ += x.handled ? 1 : 0;
  ctx_.counts.acked += x.handled ? 1 : 0;
}

// The event keeps no place that events of other streams need, unless there are
// very many of them: then Redis probably refuses all acks.
void sink_ack_writer::refuse(const pending_ack& x) {
  refused_.push_back(x);
  if (refused_.size() < ctx_.options.max_in_flight)
    ctx_.ledger.park(x.entry);
}

void sink_ack_writer::failed(const failure& why) {
  waiting_.insert(waiting_.begin(), sent_.begin(), sent_.end());
  sent_.clear();
  for (auto& x : std::exchange(answers_sent_, {}))
    x.promise.deliver(not_confirmed(why));
  gate_.failed(why);
}

} // namespace pulse::internal
