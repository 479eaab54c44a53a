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

// A sink with very many streams audits each of them less often: so many streams
// a second at most.
constexpr size_t most_per_second = 1'000;
constexpr size_t most_per_tick = 1'000;

// For how long Redis keeps the position of the group after the last audit.
constexpr milliseconds position_kept{60'000};
constexpr int audits_kept = 6;

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
  if (ctx_.closing)
    return;
  const auto& open = ctx_.streams.open();
  for (auto i : round_.due(now, open, period(), most_per_tick))
    if (!records_[i].under_way)
      audit_stream(i, false);
}

milliseconds sink_audit::period() const {
  return period_for(ctx_.streams.open().size(), interval(ctx_.options),
                    most_per_second);
}

void sink_audit::begin(uint32_t index) {
  audit_stream(index, true);
}

void sink_audit::audit_stream(uint32_t index, bool requested) {
  records_.resize(ctx_.streams.size());
  auto& x = records_[index];
  x.under_way = true;
  // The reply is compared with what the sink knows now. When the reply arrives,
  // the sink may know of newer events.
  auto& stream = ctx_.streams[index];
  const auto asked = stream.history.ask(ctx_.disturbances);
  // No outcome of these events is on its way to Redis before the audit.
  const uint64_t held = stream.lease ? ctx_.ledger.undecided(index) : 0;
  script_call call{resp::audit_script(),
                   {stream.key,
                    resp::position_key(stream.name, ctx_.options.name),
                    resp::members_key(stream.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(ctx_.consumer).arg(asked.last_event);
  call.arg(asked.audited ? "1" : "0").arg(asked.store_count ? "1" : "0");
  const auto lowest = ctx_.ledger.lowest(index);
  call.arg(lowest ? lowest->previous() : event_id::max());
  const auto kept = std::max(position_kept, audits_kept * period());
  call.arg(static_cast<int64_t>(kept.count()));
  call.arg(ctx_.shares_keys() ? "0" : "1");
  ctx_.run(
    call.finish(false),
    [=](const reply_ptr& reply) {
      if (auto found = read(resp::cursor{*reply}))
        on_answer(index, *found, asked, held);
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
  if (!at.read_array(size) || size != 14)
    return resp::unexpected_reply("audit", start);
  status ok;
  auto number = [&] {
    const auto x = resp::read_number(at, "audit");
    ok = !x ? status{x.error()} : ok;
    return x ? *x : 0;
  };
  auto id = [&] {
    const auto x = resp::read_id(at, "audit");
    ok = !x ? status{x.error()} : ok;
    return x ? *x : event_id{};
  };
  auto count = [](int64_t x) {
    return x < 0 ? std::optional<uint64_t>{} : static_cast<uint64_t>(x);
  };
  answer result;
  auto& found = result.found;
  found.stream.length = static_cast<uint64_t>(number());
  found.stream.added = static_cast<uint64_t>(number());
  found.stream.first = id();
  found.stream.last = id();
  found.stream.max_deleted = id();
  found.at = id();
  found.read = count(number());
  found.passed = count(number());
  found.corrected = number() == 1;
  found.has_asked_event = number() == 1;
  std::string_view others;
  if (!ok || !at.read_text(others))
    return resp::unexpected_reply("audit", start);
  result.others = behind(others);
  result.own = static_cast<uint64_t>(number());
  std::string_view own;
  if (!ok || !at.read_text(own))
    return resp::unexpected_reply("audit", start);
  result.own_from = behind(own);
  result.keyed = static_cast<uint64_t>(number());
  if (!ok)
    return ok.error();
  return result;
}

void sink_audit::on_answer(uint32_t index, const answer& x,
                           const group_history::question& asked,
                           uint64_t held) {
  auto& stream = ctx_.streams[index];
  records_[index].failing = false;
  ctx_.note_contact();
  if (auto found = stream.history.on_audit(x.found, asked))
    report(index, *found);
  stream.others_from = x.others;
  stream.own_from = x.own_from;
  report_keyed(index, x.keyed);
  if (x.own < held)
    missing_.push_back(index);
}

void sink_audit::report_keyed(uint32_t index, uint64_t members) {
  auto& known = records_[index];
  if (std::exchange(known.mixed, members > 0) || members == 0)
    return;
  ctx_.report(log_level::warning,
              "stream " + ctx_.streams[index].name + ": "
                + std::to_string(members)
                + " other members of this sink have dispatch = keyed, and this "
                  "one has "
                + to_string(ctx_.options.dispatch)
                + ": the order of topics is not kept; give all nodes the same "
                  "dispatch");
}

void sink_audit::report(uint32_t index, const group_history::finding& x) {
  using type = group_history::finding::type;
  auto& stream = ctx_.streams[index];
  if (x.kind == type::gap)
    return ctx_.report_gap(stream.name, x.after, x.first_available, x.lost,
                           x.exact);
  notice news;
  news.stream = stream.name;
  news.after = x.after;
  news.data_loss = true;
  if (x.kind == type::moved) {
    ++ctx_.counts.gaps;
    ctx_.counts.lost += x.lost;
    news.kind = notice_kind::gap;
    news.first_available = x.first_available;
    news.lost_at_most = x.lost;
    news.text = "somebody moved sink " + ctx_.options.name + " on stream "
                + stream.name + " forwards, from " + to_string(x.after)
                + " or later to " + to_string(x.first_available)
                + ": it will not get up to " + std::to_string(x.lost)
                + " events";
  } else {
    ++ctx_.counts.stream_resets;
    news.kind = notice_kind::stream_reset;
    news.text = "stream " + stream.name
                + " was deleted, or Redis has older data than before; events "
                  "may be lost; the sink goes on after "
                + to_string(x.after);
    stream.last_read = x.after;
  }
  ctx_.publish(std::move(news));
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
