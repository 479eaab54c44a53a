#include "pulse/actors/internal/sink/audit.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

// The time between two audits of a stream. Audits must be frequent, so that the
// sink knows approximately which events other members hold. More than one per
// second would cost Redis too much.
milliseconds interval(const sink_options& x) {
  return std::clamp(x.lease / 3, milliseconds{1'000}, milliseconds{5'000});
}

// Returns the ID after which other members may hold events. In the reply of the
// script, "5-0" means that they may hold 5-0 and later events, "(5-0" that they
// hold only later ones.
std::optional<event_id> behind(std::string_view text) {
  const bool exclusive = !text.empty() && text.front() == '(';
  text.remove_prefix(exclusive ? 1 : 0);
  const auto id = parse_event_id(text);
  if (!id.ok())
    return std::nullopt;
  return exclusive ? *id : id->previous();
}

} // namespace

void sink_audit::tick(sink_context::time_point now) {
  records_.resize(ctx_.streams.size());
  if (ctx_.closing)
    return;
  for (uint32_t i = 0; i < records_.size(); ++i) {
    const auto& x = records_[i];
    if (ctx_.streams[i].is_open() && !x.under_way && now >= x.due)
      audit_stream(i, false);
  }
}

void sink_audit::begin(uint32_t index) {
  audit_stream(index, true);
}

void sink_audit::audit_stream(uint32_t index, bool requested) {
  records_.resize(ctx_.streams.size());
  auto& x = records_[index];
  x.under_way = true;
  x.due = ctx_.now() + jittered(interval(ctx_.options), 0.25, random_);
  script_call call{resp::audit_script(), {ctx_.streams[index].key}};
  call.arg(ctx_.options.name).arg(ctx_.consumer).arg(x.removed);
  ctx_.run(
    call.finish(false),
    [=](const reply_ptr& reply) {
      if (auto found = read(resp::cursor{*reply}))
        on_answer(index, *found);
      else
        failed(index, found.error());
      ended(index, requested);
    },
    [=](const caf::error& err) {
      failed(index, to_failure(err));
      ended(index, requested);
    });
}

void sink_audit::ended(uint32_t index, bool requested) {
  records_[index].under_way = false;
  if (requested)
    finished_.push_back(index);
}

outcome<sink_audit::answer> sink_audit::read(resp::cursor at) {
  uint32_t size = 0;
  if (at.is(resp::node_type::error))
    return resp::error_of(at);
  const auto start = at;
  if (!at.read_array(size) || size != 7)
    return resp::unexpected_reply("audit", start);
  const auto lost = resp::read_number(at, "audit");
  std::string_view exact;
  const bool has_exact = at.read_text(exact);
  const auto removed = resp::read_number(at, "audit");
  const auto delivered = resp::read_id(at, "audit");
  const auto first = resp::read_id(at, "audit");
  const auto last = resp::read_id(at, "audit");
  std::string_view others;
  if (!lost || !has_exact || !removed || !delivered || !first || !last
      || !at.read_text(others))
    return resp::unexpected_reply("audit", start);
  answer result{static_cast<uint64_t>(*lost),
                exact == "1",
                *removed,
                *delivered,
                *first,
                *last,
                std::nullopt};
  result.others = behind(others);
  return result;
}

void sink_audit::on_answer(uint32_t index, const answer& x) {
  auto& known = records_[index];
  auto& stream = ctx_.streams[index];
  known.failing = false;
  ctx_.note_contact();
  if (x.lost > 0) {
    const bool ahead = x.at < x.first;
    ctx_.report_gap(stream.name, ahead ? x.at : known.at,
                    ahead ? x.first : x.at, x.lost, x.exact);
  }
  if (x.last < stream.last_read) {
    ++ctx_.counts.stream_resets;
    notice news;
    news.kind = notice_kind::stream_reset;
    news.stream = stream.name;
    news.after = x.at;
    news.data_loss = true;
    news.text = "stream " + stream.name
                + " lost its newest events: Redis has older data than before; "
                  "the sink goes on after "
                + to_string(x.at);
    ctx_.publish(std::move(news));
    stream.last_read = x.at;
  }
  stream.others_from = x.others;
  known.removed = x.removed;
  known.at = x.at;
}

void sink_audit::failed(uint32_t index, const failure& why) {
  auto& known = records_[index];
  if (!ctx_.streams[index].is_open())
    return;
  if (why.code == errc::no_group || why.code == errc::wrong_type
      || why.code == errc::no_such_stream) {
    ctx_.check_groups = true;
  } else if (!is_transient(why.code) && !std::exchange(known.failing, true)) {
    ctx_.report(
      log_level::warning,
      "cannot check whether events of stream " + ctx_.streams[index].name
        + " were trimmed before the sink read them: " + to_string(why));
  }
}

} // namespace pulse::internal
