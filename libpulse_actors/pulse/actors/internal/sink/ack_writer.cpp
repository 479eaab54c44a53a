#include "pulse/actors/internal/sink/ack_writer.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

sink_ack_writer::~sink_ack_writer() {
  const auto closed = make_error(
    {errc::closed, "sink " + ctx_.options.name
                     + " was closed before Redis confirmed the ack; the event "
                       "may be delivered again"});
  for (auto* answers : {&answers_, &answers_sent_})
    for (auto& x : *answers)
      x.deliver(closed);
}

void sink_ack_writer::flush() {
  if (gate_.is_open() && sent_.empty() && answers_sent_.empty()
      && !(waiting_.empty() && answers_.empty()))
    send();
}

void sink_ack_writer::list(uint32_t stream, std::vector<event_id>& into) const {
  for (const auto* acks : {&waiting_, &sent_})
    for (const auto& x : *acks)
      if (x.stream == stream)
        into.push_back(x.id);
}

void sink_ack_writer::list_streams(std::set<uint32_t>& into) const {
  for (const auto* acks : {&waiting_, &sent_})
    for (const auto& x : *acks)
      into.insert(x.stream);
}

void sink_ack_writer::send() {
  sent_ = std::exchange(waiting_, {});
  answers_sent_ = std::exchange(answers_, {});
  auto by_stream = [](const pending_ack& a, const pending_ack& b) {
    return a.stream < b.stream;
  };
  if (!std::is_sorted(sent_.begin(), sent_.end(), by_stream))
    std::stable_sort(sent_.begin(), sent_.end(), by_stream);
  auto batch = std::make_shared<command_batch>();
  batch->repeatable = true;
  resp::command_writer writer{batch->bytes};
  for (auto i = sent_.begin(); i != sent_.end();) {
    auto end = std::upper_bound(i, sent_.end(), *i, by_stream);
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

void sink_ack_writer::confirmed(const resp::reply& reply) {
  resp::cursor at{reply};
  for (; !at.at_end(); at.skip()) {
    if (!at.is(resp::node_type::error))
      continue;
    auto why = resp::error_of(at);
    // The key is no stream any more, so nothing is left to acknowledge.
    if (why.code != errc::wrong_type)
      return failed(why);
    ctx_.report(log_level::warning,
                "Redis refused acks, which are dropped: " + to_string(why));
  }
  gate_.worked();
  for (const auto& x : std::exchange(sent_, {})) {
    ctx_.ledger.forget(x.entry);
    acked_ += x.handled ? 1 : 0;
    ctx_.counts.acked += x.handled ? 1 : 0;
  }
  for (auto& x : std::exchange(answers_sent_, {}))
    x.deliver(caf::unit);
}

void sink_ack_writer::failed(const failure& why) {
  waiting_.insert(waiting_.begin(), sent_.begin(), sent_.end());
  sent_.clear();
  for (auto& x : std::exchange(answers_sent_, {}))
    x.deliver(make_error({why.code, why.what
                                      + "; the ack is not confirmed yet; the "
                                        "sink repeats it"}));
  gate_.failed(why);
}

} // namespace pulse::internal
