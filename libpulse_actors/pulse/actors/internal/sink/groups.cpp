#include "pulse/actors/internal/sink/groups.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

void sink_groups::add(const std::string& name, start_position start,
                      answer then) {
  auto found = ctx_.index_of(name);
  if (!found) {
    found = static_cast<uint32_t>(ctx_.streams.size());
    sink_stream fresh;
    fresh.name = name;
    fresh.key = stream_key(name);
    fresh.at = sink_stream::phase::removed;
    ctx_.streams.push_back(std::move(fresh));
  }
  attempts_.resize(ctx_.streams.size());
  auto& x = ctx_.streams[*found];
  if (x.is_open())
    return then({});
  attempts_[*found].waiting.push_back(std::move(then));
  if (x.at != sink_stream::phase::opening) {
    x.at = sink_stream::phase::opening;
    x.start = start;
    open(*found);
  }
}

sink_groups::~sink_groups() {
  const failure closed{errc::closed,
                       "sink " + ctx_.options.name + " was closed"};
  for (auto& then : std::exchange(waiting_for_all_, {}))
    then(closed);
  for (auto& a : attempts_)
    for (auto& then : std::exchange(a.waiting, {}))
      then(closed);
}

void sink_groups::drop(uint32_t index) {
  ctx_.streams[index].at = sink_stream::phase::removed;
  for (auto& then : std::exchange(attempts_[index].waiting, {}))
    then(failure{errc::closed, "stream " + ctx_.streams[index].name
                                 + " was removed from sink "
                                 + ctx_.options.name});
  tell_waiting();
}

void sink_groups::when_open(answer then) {
  waiting_for_all_.push_back(std::move(then));
  tell_waiting();
}

void sink_groups::probe() {
  for (uint32_t i = 0; i < ctx_.streams.size(); ++i)
    if (ctx_.streams[i].is_open()) {
      ctx_.streams[i].at = sink_stream::phase::opening;
      auto& a = attempts_[i];
      // Paused as if it had failed: a group that keeps vanishing makes no loop.
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

// XINFO comes along to see where a group stands that we open for the first
// time, and whether the stream's IDs still reach as far as what was read from
// it: after a flush they may begin again below.
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
    return look(index);
  }
  if (!created)
    return look(index);
  const bool anew = facts && facts->last_generated < floor;
  recovered(index, floor, anew);
  if (anew)
    rewind(index);
  else
    look(index);
}

void sink_groups::recovered(uint32_t index, event_id floor, bool anew) {
  ++ctx_.counts.groups_recovered;
  notice news;
  news.kind = anew ? notice_kind::stream_reset : notice_kind::group_recovered;
  news.stream = ctx_.streams[index].name;
  news.after = anew ? event_id::min() : floor;
  news.data_loss = anew;
  news.text = "the consumer group on stream " + news.stream
              + " was gone; created again after " + to_string(news.after);
  if (anew) {
    ++ctx_.counts.stream_resets;
    news.text += ", since the stream began anew: what it had before and nobody "
                 "took is lost";
  }
  ctx_.publish(std::move(news));
}

// Where the group stands: should it vanish, it begins there again.
void sink_groups::note_position(uint32_t index, resp::cursor& at) {
  if (auto groups = resp::read_group_facts(at))
    for (const auto& g : *groups)
      if (g.name == ctx_.options.name)
        ctx_.streams[index].last_read = g.last_delivered;
}

// The stream's IDs are below what was read: everything in it is new.
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
        look(index);
    },
    [=](const caf::error& err) { failed(index, to_failure(err)); });
}

// Before the first read: what the group is given from now on counts.
void sink_groups::look(uint32_t index) {
  ctx_.look(index, [=] { opened(index); });
}

void sink_groups::opened(uint32_t index) {
  auto& x = ctx_.streams[index];
  auto& a = attempts_[index];
  a.under_way = false;
  if (x.at != sink_stream::phase::opening)
    return; // removed meanwhile
  if (std::exchange(a.failed, false) && !a.last.ok())
    ctx_.say(log_level::info, "stream " + x.name + " is read again");
  a.last = {};
  x.at = sink_stream::phase::open;
  // Later the pause shrinks only after a good while: see probe().
  if (!std::exchange(x.was_open, true))
    a.pause.reset();
  if (ctx_.acks() && x.lease == nullptr) {
    auto fresh = std::make_shared<lease>();
    fresh->stream = x.name;
    fresh->sink = ctx_.options.name;
    fresh->consumer = ctx_.consumer;
    fresh->length = ctx_.options.lease;
    fresh->clock = std::make_shared<lease_clock>();
    x.lease = std::move(fresh);
    ctx_.self->send(ctx_.leases, caf::add_atom_v, x.lease);
  }
  for (auto& then : std::exchange(a.waiting, {}))
    then({});
  tell_waiting();
  ctx_.pump();
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
    ctx_.say(log_level::warning, to_string(why) + "; trying again");
  a.last = why;
  a.failed = true;
  for (auto& then : std::exchange(a.waiting, {}))
    then(why);
  tell_waiting();
}

void sink_groups::tell_waiting() {
  status all;
  for (size_t i = 0; i < attempts_.size(); ++i) {
    if (ctx_.streams[i].at != sink_stream::phase::opening)
      continue;
    if (attempts_[i].last.ok())
      return; // not decided yet
    all = attempts_[i].last;
  }
  for (auto& then : std::exchange(waiting_for_all_, {}))
    then(all);
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

// Just below the lowest event that is not acknowledged: never "$", which loses
// events, nor 0, which repeats all of them.
event_id sink_groups::floor_of(uint32_t index) const {
  auto result = ctx_.streams[index].last_read;
  if (const auto held = ctx_.ledger.lowest(index))
    result = std::min(result, held->previous());
  // Nobody knows what other members held that died with the group.
  if (const auto others = ctx_.streams[index].others_from)
    result = std::min(result, *others);
  return result;
}

} // namespace pulse::internal
