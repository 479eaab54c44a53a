#include "pulse/actors/internal/sink/groups.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/advice.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

// The groups of so many streams are created at a time, so that the commands of
// very many streams do not fill the queue of the connection.
constexpr size_t most_at_a_time = 1'000;

bool is_busy_group(const resp::cursor& at) {
  return at.is(resp::node_type::error) && at.text().substr(0, 9) == "BUSYGROUP";
}

// Reads the only entry, if any, of the second reply.
outcome<std::optional<event>> entry_of(resp::reply& reply,
                                       const std::string& stream) {
  resp::cursor at{reply};
  at.skip();
  resp::event_page page;
  page.block = std::make_shared<event_block>();
  page.block->streams.push_back(stream);
  if (auto ok = resp::read_entries(at, 0, page); !ok)
    return ok.error();
  page.block->bytes = std::move(reply.bytes);
  if (page.block->extents.empty())
    return std::optional<event>{};
  return std::optional{event{page.block, 0}};
}

} // namespace

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
  const auto index = ctx_.streams.add(name);
  attempts_.resize(ctx_.streams.size());
  return index;
}

void sink_groups::begin(uint32_t index, start_position start) {
  auto& x = ctx_.streams[index];
  if (x.at == sink_stream::phase::opening)
    return; // the options name the stream twice
  ctx_.streams.move_to(index, sink_stream::phase::opening);
  x.start = start;
  begin_attempt(index);
}

void sink_groups::drop(uint32_t index) {
  ctx_.streams.move_to(index, sink_stream::phase::removed);
  attempts_[index].drop_if_failed = false;
  const auto removed = make_error(
    {errc::closed, "stream " + ctx_.streams[index].name
                     + " was removed from sink " + ctx_.options.name});
  for (auto& promise : std::exchange(attempts_[index].waiting, {}))
    promise.deliver(removed);
}

void sink_groups::check() {
  while (!ctx_.streams.open().empty()) {
    const auto i = ctx_.streams.open().back();
    ctx_.streams.move_to(i, sink_stream::phase::opening);
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
  for (auto i : ctx_.streams.opening()) {
    auto& a = attempts_[i];
    if (!a.under_way && !a.queued && now >= a.due)
      begin_attempt(i);
  }
}

void sink_groups::begin_attempt(uint32_t index) {
  attempts_[index].queued = true;
  queue_.push_back(index);
  go_on();
}

// A stream may have been removed while it waited.
void sink_groups::go_on() {
  while (!queue_.empty() && under_way_ < most_at_a_time) {
    const auto index = queue_.front();
    queue_.pop_front();
    attempts_[index].queued = false;
    if (ctx_.streams[index].at == sink_stream::phase::opening
        && !attempts_[index].under_way)
      open(index);
  }
}

void sink_groups::attempt_ended(uint32_t index) {
  if (std::exchange(attempts_[index].under_way, false))
    --under_way_;
  go_on();
}

void sink_groups::open(uint32_t index) {
  attempts_[index].under_way = true;
  ++under_way_;
  if (ctx_.streams[index].was_open)
    look(index);
  else
    create_first(index);
}

void sink_groups::create_first(uint32_t index) {
  const auto& x = ctx_.streams[index];
  script_call call{resp::open_group_script(),
                   {x.key, resp::position_key(x.name, ctx_.options.name),
                    resp::delayed_key(x.name, ctx_.options.name),
                    resp::late_acks_key(x.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(start_of(x));
  ctx_.run(
    call.finish(true),
    [=](const reply_ptr& reply) { on_created_first(index, *reply); },
    [=](const caf::error& err) { failed(index, to_failure(err)); });
}

// If the group exists, the sink notes its position, and which events it waits
// for, in case somebody deletes it before the first audit.
void sink_groups::on_created_first(uint32_t index, const resp::reply& reply) {
  resp::cursor at{reply};
  if (at.is(resp::node_type::error))
    return failed(index, resp::error_of(at));
  uint32_t size = 0;
  const auto start = at;
  std::string_view again;
  std::string_view lowest;
  if (!at.read_array(size) || size != 3 || !at.read_text(again))
    return failed(index, resp::unexpected_reply("open_group", start));
  const auto delivered = resp::read_id(at, "open_group");
  if (!delivered || !at.read_text(lowest))
    return failed(index, resp::unexpected_reply("open_group", start));
  ctx_.streams[index].last_read = *delivered;
  if (const auto id = parse_event_id(lowest); id.ok())
    ctx_.streams[index].note_other_holds(*id);
  if (const auto id = parse_event_id(again); id.ok())
    report_again(index, *id);
  created_.push_back(index);
}

void sink_groups::report_again(uint32_t index, event_id after) {
  group_history::restart how;
  how.after = after;
  recovered(index, how);
}

// The sink had a group, but Redis has none. What the stream is now tells where
// the group begins again.
void sink_groups::look(uint32_t index) {
  const auto& x = ctx_.streams[index];
  const auto last = x.history.last_event();
  auto batch = std::make_shared<command_batch>();
  resp::write_command(batch->bytes, "XINFO", "STREAM", x.key);
  resp::write_command(batch->bytes, "XRANGE", x.key, last, last);
  batch->count = 2;
  batch->repeatable = true;
  ctx_.run(
    std::move(batch),
    [=](const reply_ptr& reply) { on_looked(index, last, *reply); },
    [=](const caf::error& err) { failed(index, to_failure(err)); });
}

void sink_groups::on_looked(uint32_t index, event_id last, resp::reply& reply) {
  const auto& x = ctx_.streams[index];
  resp::cursor at{reply};
  std::optional<stream_state> found;
  if (auto facts = resp::read_stream_facts(at))
    found = stream_state{facts->length, facts->entries_added, facts->first,
                         facts->last_generated, facts->max_deleted};
  else if (facts.error().code != errc::no_such_stream)
    return failed(index, facts.error());
  if (last != x.history.last_event())
    return look(index); // the sink read events meanwhile
  auto same = entry_of(reply, x.name);
  if (!same)
    return failed(index, same.error());
  create_again(index, x.history.restart_after(floor_of(index), found, *same),
               found.value_or(stream_state{}));
}

void sink_groups::create_again(uint32_t index,
                               const group_history::restart& how,
                               const stream_state& found) {
  const auto& x = ctx_.streams[index];
  script_call call{resp::create_group_script(),
                   {x.key, resp::delayed_key(x.name, ctx_.options.name),
                    resp::late_acks_key(x.name, ctx_.options.name)}};
  call.arg(ctx_.options.name).arg(how.after).arg(how.read);
  call.arg(found.added).arg(found.last);
  if (how.alone)
    call.arg(how.alone->from)
      .arg(how.alone->to)
      .arg(how.alone->count)
      .arg(how.alone->floor);
  ctx_.run(
    call.finish(false),
    [=](const reply_ptr& reply) { on_created_again(index, how, *reply); },
    [=](const caf::error& err) { failed(index, to_failure(err)); });
}

void sink_groups::on_created_again(uint32_t index, group_history::restart how,
                                   const resp::reply& reply) {
  resp::cursor at{reply};
  auto& x = ctx_.streams[index];
  if (is_busy_group(at)) {
    ctx_.ledger.group_restarted(index);
    x.history.restarted_by_other();
    return created_.push_back(index);
  }
  const auto created = resp::read_number(at, "create_group");
  if (!created)
    return failed(index, created.error());
  if (*created == 0)
    return look(index);
  if (*created == 2 && how.alone)
    how.after = how.alone->floor;
  ctx_.ledger.group_restarted(index);
  x.history.restarted(how);
  if (how.kind == group_history::restart::type::new_stream)
    x.last_read = event_id::min();
  recovered(index, how);
  created_.push_back(index);
}

void sink_groups::recovered(uint32_t index, const group_history::restart& how) {
  using type = group_history::restart::type;
  ++ctx_.counts.groups_recovered;
  notice news;
  news.kind = notice_kind::group_recovered;
  news.stream = ctx_.streams[index].name;
  news.after = how.after;
  news.data_loss = how.kind != type::same_stream;
  news.text = "the consumer group on stream " + news.stream
              + " was missing; the sink created it again after "
              + to_string(news.after);
  if (how.kind == type::new_stream) {
    news.kind = notice_kind::stream_reset;
    ++ctx_.counts.stream_resets;
    news.text += ", because the stream began anew: events that it had before "
                 "and that no sink had acknowledged are lost";
  } else if (how.kind == type::unknown) {
    news.text += "; if the stream was deleted as well, events that it had "
                 "before and that no sink had acknowledged are lost";
  }
  ctx_.publish(std::move(news));
}

void sink_groups::opened(uint32_t index) {
  auto& x = ctx_.streams[index];
  auto& a = attempts_[index];
  attempt_ended(index);
  if (x.at != sink_stream::phase::opening)
    return; // the stream was removed meanwhile
  if (std::exchange(a.failed, false) && !a.last.ok())
    ctx_.report(log_level::info, "stream " + x.name + " is read again");
  a.last = {};
  ctx_.streams.move_to(index, sink_stream::phase::open);
  // Only the first success resets the pause. Later check() resets it if the
  // last trouble was long ago.
  if (!std::exchange(x.was_open, true))
    a.pause.reset();
  a.drop_if_failed = false;
  for (auto& promise : std::exchange(a.waiting, {}))
    promise.deliver(caf::unit);
}

void sink_groups::failed(uint32_t index, failure why) {
  auto& x = ctx_.streams[index];
  auto& a = attempts_[index];
  attempt_ended(index);
  if (x.at != sink_stream::phase::opening)
    return;
  why = with_advice("sink " + ctx_.options.name + " on stream " + x.name, why);
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
  for (auto i : ctx_.streams.opening()) {
    if (attempts_[i].last.ok())
      return std::nullopt;
    result = attempts_[i].last;
  }
  return result;
}

std::string sink_groups::start_of(const sink_stream& x) {
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
  const auto& x = ctx_.streams[index];
  if (x.others_from)
    result = std::min(result, *x.others_from);
  // Those include events that a lost reply gave to this sink.
  if (x.own_from && ctx_.streams.must_recover(index))
    result = std::min(result, *x.own_from);
  return result;
}

} // namespace pulse::internal
