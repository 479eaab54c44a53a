#include "pulse/actors/internal/sink/groups.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

sink_groups::~sink_groups() {
  const auto closed
    = make_error({errc::closed, "sink " + ctx_.options.name + " was closed"});
  for (auto& a : attempts_)
    for (auto& promise : a.waiting)
      promise.deliver(closed);
}

void sink_groups::add_initial(const std::string& name, start_position start) {
  begin(insert(name), start);
}

void sink_groups::add(const std::string& name, start_position start,
                      caf::response_promise promise) {
  const auto index = insert(name);
  const auto& x = ctx_.streams[index];
  if (x.is_open())
    return promise.deliver(caf::unit);
  auto& a = attempts_[index];
  a.waiting.push_back(std::move(promise));
  if (x.at == sink_stream::phase::opening)
    return;
  a.drop_if_failed = true;
  begin(index, start);
}

uint32_t sink_groups::insert(const std::string& name) {
  if (auto found = ctx_.index_of(name))
    return *found;
  sink_stream fresh;
  fresh.name = name;
  fresh.key = stream_key(name);
  fresh.at = sink_stream::phase::removed;
  ctx_.streams.push_back(std::move(fresh));
  attempts_.resize(ctx_.streams.size());
  return static_cast<uint32_t>(ctx_.streams.size() - 1);
}

void sink_groups::begin(uint32_t index, start_position start) {
  auto& x = ctx_.streams[index];
  if (x.at == sink_stream::phase::opening)
    return; // the options name the stream twice
  x.at = sink_stream::phase::opening;
  x.start = start;
  open(index);
}

void sink_groups::drop(uint32_t index) {
  ctx_.streams[index].at = sink_stream::phase::removed;
  attempts_[index].drop_if_failed = false;
  const auto removed = make_error(
    {errc::closed, "stream " + ctx_.streams[index].name
                     + " was removed from sink " + ctx_.options.name});
  for (auto& promise : std::exchange(attempts_[index].waiting, {}))
    promise.deliver(removed);
}

void sink_groups::check() {
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i)
    if (ctx_.streams[i].is_open()) {
      ctx_.streams[i].at = sink_stream::phase::opening;
      auto& a = attempts_[i];
      // The stream waits as after a failed attempt. Otherwise a group that
      // vanishes again and again would cause a loop without pauses.
      if (ctx_.now() - a.due > std::chrono::minutes{1})
        a.pause.reset();
      a.due = ctx_.now() + a.pause.next(random_);
      a.failed = true;
    }
}

void sink_groups::tick(sink_context::time_point now) {
  for (uint32_t i = 0; i < attempts_.size(); ++i) {
    auto& a = attempts_[i];
    if (ctx_.streams[i].at == sink_stream::phase::opening && !a.under_way
        && now >= a.due)
      open(i);
  }
}

// XINFO is in the same batch for two reasons. The sink needs the position of a
// group that it opens for the first time. And after a flush the IDs of a stream
// may begin again below the last ID that was read.
void sink_groups::open(uint32_t index) {
  auto& x = ctx_.streams[index];
  attempts_[index].under_way = true;
  const auto floor = floor_of(index);
  auto batch = std::make_shared<command_batch>();
  resp::write_command(batch->bytes, "XGROUP", "CREATE", x.key,
                      ctx_.options.name, start_of(x, floor), "MKSTREAM");
  resp::write_command(batch->bytes, "XINFO", "STREAM", x.key);
  resp::write_command(batch->bytes, "XINFO", "GROUPS", x.key);
  batch->count = 3;
  batch->repeatable = true;
  ctx_.run(
    std::move(batch),
    [=](const reply_ptr& reply) { on_reply(index, floor, *reply); },
    [=](const caf::error& err) { failed(index, to_failure(err)); });
}

void sink_groups::on_reply(uint32_t index, event_id floor,
                           const resp::reply& reply) {
  resp::cursor at{reply};
  bool created = true;
  if (at.is(resp::node_type::error)) {
    if (at.text().substr(0, 9) != "BUSYGROUP")
      return failed(index, resp::error_of(at));
    created = false;
    at.skip();
  } else if (auto ok = resp::read_ok(at, "XGROUP CREATE"); !ok) {
    return failed(index, ok.error());
  }
  auto facts = resp::read_stream_facts(at);
  if (!ctx_.streams[index].was_open) {
    note_position(index, at);
    return created_.push_back(index);
  }
  if (!created)
    return created_.push_back(index);
  const bool anew = facts && facts->last_generated < floor;
  recovered(index, floor, anew);
  if (anew)
    rewind(index);
  else
    created_.push_back(index);
}

void sink_groups::recovered(uint32_t index, event_id floor, bool anew) {
  ++ctx_.counts.groups_recovered;
  notice news;
  news.kind = anew ? notice_kind::stream_reset : notice_kind::group_recovered;
  news.stream = ctx_.streams[index].name;
  news.after = anew ? event_id::min() : floor;
  news.data_loss = anew;
  news.text = "the consumer group on stream " + news.stream
              + " was missing; the sink created it again after "
              + to_string(news.after);
  if (anew) {
    ++ctx_.counts.stream_resets;
    news.text += ", because the stream began anew: events that it had before "
                 "and that no sink had acknowledged are lost";
  }
  ctx_.publish(std::move(news));
}

// Notes the position of the group, where it must begin again if it vanishes.
void sink_groups::note_position(uint32_t index, resp::cursor& at) {
  if (auto groups = resp::read_group_facts(at))
    for (const auto& g : *groups)
      if (g.name == ctx_.options.name)
        ctx_.streams[index].last_read = g.last_delivered;
}

// All IDs of the stream are lower than the last ID that was read, so all its
// events are new. The group begins before the first one.
void sink_groups::rewind(uint32_t index) {
  ctx_.streams[index].last_read = event_id::min();
  ctx_.run(
    one_command(true, "XGROUP", "SETID", ctx_.streams[index].key,
                ctx_.options.name, "0"),
    [=](const reply_ptr& reply) {
      resp::cursor at{*reply};
      if (auto ok = resp::read_ok(at, "XGROUP SETID"); !ok)
        failed(index, ok.error());
      else
        created_.push_back(index);
    },
    [=](const caf::error& err) { failed(index, to_failure(err)); });
}

void sink_groups::opened(uint32_t index) {
  auto& x = ctx_.streams[index];
  auto& a = attempts_[index];
  a.under_way = false;
  if (x.at != sink_stream::phase::opening)
    return; // the stream was removed meanwhile
  if (std::exchange(a.failed, false) && !a.last.ok())
    ctx_.report(log_level::info, "stream " + x.name + " is read again");
  a.last = {};
  x.at = sink_stream::phase::open;
  // Only the first success resets the pause. Later check() resets it if the
  // last trouble was long ago.
  if (!std::exchange(x.was_open, true))
    a.pause.reset();
  keep_lease(x);
  a.drop_if_failed = false;
  for (auto& promise : std::exchange(a.waiting, {}))
    promise.deliver(caf::unit);
}

void sink_groups::keep_lease(sink_stream& x) {
  if (!ctx_.acks() || x.lease != nullptr)
    return;
  auto fresh = std::make_shared<lease>();
  fresh->stream = x.name;
  fresh->sink = ctx_.options.name;
  fresh->consumer = ctx_.consumer;
  fresh->length = ctx_.options.lease;
  fresh->clock = std::make_shared<lease_clock>();
  x.lease = std::move(fresh);
  tell(ctx_.leases, caf::add_atom_v, x.lease);
}

void sink_groups::failed(uint32_t index, failure why) {
  auto& x = ctx_.streams[index];
  auto& a = attempts_[index];
  a.under_way = false;
  if (x.at != sink_stream::phase::opening)
    return;
  why.what = "sink " + ctx_.options.name + " on stream " + x.name + ": "
             + why.what;
  const auto pause = a.pause.next(random_);
  a.due = ctx_.now() + pause;
  if (a.last.ok() || a.last.error().code != why.code)
    ctx_.report(log_level::warning, to_string(why) + "; trying again");
  a.last = why;
  a.failed = true;
  for (auto& promise : std::exchange(a.waiting, {}))
    promise.deliver(make_error(why));
  if (a.drop_if_failed)
    drop(index);
}

std::optional<status> sink_groups::all_open() const {
  status result;
  for (size_t i = 0; i < attempts_.size(); ++i) {
    if (ctx_.streams[i].at != sink_stream::phase::opening)
      continue;
    if (attempts_[i].last.ok())
      return std::nullopt;
    result = attempts_[i].last;
  }
  return result;
}

std::string sink_groups::start_of(const sink_stream& x, event_id floor) {
  if (x.was_open)
    return to_string(floor);
  switch (x.start.kind) {
    case start_kind::newest:
      return "$";
    case start_kind::oldest:
      return "0";
    default:
      return to_string(x.start.id);
  }
}

// Returns the position just before the lowest event that is not acknowledged. A
// group that is created again there loses no events, as it would with "$", and
// does not repeat all events, as it would with 0.
event_id sink_groups::floor_of(uint32_t index) const {
  auto result = ctx_.streams[index].last_read;
  if (const auto held = ctx_.ledger.lowest(index))
    result = std::min(result, held->previous());
  // Events that other members held must be read again, too, because the pending
  // lists of all members vanished with the group.
  if (const auto others = ctx_.streams[index].others_from)
    result = std::min(result, *others);
  return result;
}

} // namespace pulse::internal
