#include "pulse/actors/internal/stream/operations.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/advice.hpp"
#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/resp/retention.hpp"
#include "pulse/resp/stream_replies.hpp"
#include "pulse/resp/stream_scripts.hpp"

namespace pulse::internal {

namespace {

template <class T>
void answer_outcome(const std::string& stream, caf::response_promise& promise,
                    outcome<T> x) {
  if (x)
    promise.deliver(std::move(*x));
  else
    promise.deliver(make_error(about_stream(stream, x.error())));
}

// For commands that reply with the number of entries that they removed.
void answer_count(const std::string& stream, resp::reply& from,
                  caf::response_promise& promise) {
  resp::cursor at{from};
  auto x = resp::read_number(at, "a removal");
  answer_outcome(stream, promise,
                 x ? outcome<uint64_t>{static_cast<uint64_t>(*x)}
                   : outcome<uint64_t>{x.error()});
}

void answer_existed(const std::string& stream, resp::reply& from,
                    caf::response_promise& promise) {
  resp::cursor at{from};
  auto x = resp::read_number(at, "destroy");
  answer_outcome(stream, promise,
                 x ? outcome<bool>{*x != 0} : outcome<bool>{x.error()});
}

void answer_events(const std::string& stream, resp::reply& from,
                   caf::response_promise& promise) {
  auto page = resp::range_page(from, stream);
  if (!page)
    return promise.deliver(make_error(about_stream(stream, page.error())));
  std::vector<event> result;
  result.reserve(page->block->extents.size());
  for (uint32_t i = 0; i < page->block->extents.size(); ++i)
    result.emplace_back(page->block, i);
  promise.deliver(std::move(result));
}

outcome<stream_info> info_of(const std::string& stream,
                             const resp::reply& from) {
  resp::cursor at{from};
  auto facts = resp::read_stream_facts(at);
  if (!facts)
    return facts.error();
  auto groups = resp::read_group_facts(at);
  if (!groups)
    return groups.error();
  stream_info result;
  // A user without the right to read the retention still gets the rest.
  if (auto retention = resp::read_retention_fields(at)) {
    result.retention_stored = retention->is_stored;
    result.retention = retention->keeps;
    result.lost = retention->lost;
  }
  result.name = stream;
  result.length = facts->length;
  result.added = facts->entries_added;
  result.first = facts->first;
  result.last = facts->last;
  for (auto& x : *groups)
    result.groups.push_back(
      {std::move(x.name), x.consumers, x.pending, x.lag, x.last_delivered});
  return result;
}

} // namespace

stream_operation remove_events(const std::string& key,
                               const std::vector<event_id>& ids) {
  auto commands = std::make_shared<command_batch>();
  resp::command_writer out{commands->bytes};
  out.begin(2 + ids.size()).arg("XDEL").arg(key);
  for (auto id : ids)
    out.arg(id);
  commands->count = 1;
  return {std::move(commands), answer_count};
}

stream_operation read_range(const std::string& key, const range_query& query) {
  return {one_command(true, "XRANGE", key, query.from, query.to, "COUNT",
                      uint64_t{query.limit}),
          answer_events};
}

stream_operation trim_exactly(const std::string& key, uint64_t max_len) {
  return {one_command(false, "XTRIM", key, "MAXLEN", "=", max_len),
          answer_count};
}

stream_operation read_info(const resp::add_format& format,
                           const stream_counters& counters) {
  auto commands = std::make_shared<command_batch>();
  resp::write_command(commands->bytes, "XINFO", "STREAM", format.key);
  resp::write_command(commands->bytes, "XINFO", "GROUPS", format.key);
  resp::command_writer out{commands->bytes};
  out.begin(2 + resp::retention_fields.size());
  out.arg("HMGET").arg(format.retention_key);
  for (auto field : resp::retention_fields)
    out.arg(field);
  commands->count = 3;
  commands->repeatable = true;
  return {std::move(commands),
          [&counters](const std::string& stream, resp::reply& from,
                      caf::response_promise& promise) {
            auto info = info_of(stream, from);
            if (info)
              info->counters = counters;
            answer_outcome(stream, promise, std::move(info));
          }};
}

stream_operation destroy_stream(const resp::add_format& format) {
  return {script_call{resp::destroy_script(),
                      {format.key, format.retention_key}}
            .finish(false),
          answer_existed};
}

command_ptr trim_by_retention(const resp::add_format& format) {
  script_call call{resp::trim_script(), {format.key, format.retention_key}};
  call.arg(format.keeps.max_len);
  call.arg(static_cast<int64_t>(format.keeps.max_age.count()));
  call.arg(format.keeps.protect_unacked ? "1" : "0");
  return call.finish(true);
}

outcome<trimmed> read_trimmed(const resp::reply& from) {
  resp::cursor at{from};
  uint32_t size = 0;
  if (at.is(resp::node_type::error))
    return resp::error_of(at);
  if (!at.read_array(size) || size != 6)
    return resp::unexpected_reply("trim", resp::cursor{from});
  auto removed = resp::read_number(at, "trim");
  if (!removed)
    return removed.error();
  auto length = resp::read_number(at, "trim");
  if (!length)
    return length.error();
  std::string_view held_by;
  if (!at.read_text(held_by))
    return resp::unexpected_reply("trim", at);
  auto age = resp::read_number(at, "trim");
  if (!age)
    return age.error();
  auto silence = resp::read_number(at, "trim");
  if (!silence)
    return silence.error();
  auto lost = resp::read_number(at, "trim");
  if (!lost)
    return lost.error();
  return trimmed{static_cast<uint64_t>(*removed),
                 static_cast<uint64_t>(*length),
                 std::string{held_by},
                 milliseconds{*age},
                 milliseconds{*silence},
                 static_cast<uint64_t>(*lost)};
}

failure about_stream(const std::string& name, const failure& x) {
  return with_advice("stream \"" + name + "\"", x);
}

} // namespace pulse::internal
