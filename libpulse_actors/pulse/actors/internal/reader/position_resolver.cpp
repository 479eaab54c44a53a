#include "pulse/actors/internal/reader/position_resolver.hpp"

#include "pulse/actors/internal/hub/read_commands.hpp"
#include "pulse/actors/internal/runtime/advice.hpp"
#include "pulse/core/log.hpp"

#include <algorithm>
#include <iterator>

namespace pulse::internal {

namespace {

event_id begin_of(const start_position& start, event_id last) {
  switch (start.kind) {
    case start_kind::oldest:
      return event_id::min();
    case start_kind::after:
      return start.id;
    default:
      return last;
  }
}

} // namespace

position_resolver::position_resolver(reader_context& reader,
                                     open_handler on_open,
                                     settle_handler on_settled)
  : reader_(reader),
    on_open_(std::move(on_open)),
    on_settled_(std::move(on_settled)),
    backoff_(retry_backoff()) {
  // nop
}

position_resolver::~position_resolver() {
  for (auto& [stream, x] : unresolved_)
    for (auto& promise : x.waiting)
      promise.deliver(make_error({errc::closed, "the reader was closed"}));
}

bool position_resolver::settled() const noexcept {
  return std::none_of(unresolved_.begin(), unresolved_.end(),
                      [](auto& x) { return x.second.initial; });
}

std::vector<std::string> position_resolver::names() const {
  std::vector<std::string> result;
  for (auto& [stream, x] : unresolved_)
    result.push_back(stream);
  return result;
}

std::map<std::string, start_position> position_resolver::starts() const {
  std::map<std::string, start_position> result;
  for (auto& [stream, x] : unresolved_)
    if (x.initial)
      result.emplace(stream, x.start);
  return result;
}

void position_resolver::add_initial(const std::string& stream,
                                    start_position start) {
  auto& x = unresolved_[stream];
  x.start = start;
  x.initial = true;
}

void position_resolver::add(const std::string& stream, start_position start,
                            caf::response_promise waiting) {
  auto [i, added] = unresolved_.try_emplace(stream);
  if (added)
    i->second.start = start;
  i->second.waiting.push_back(std::move(waiting));
  resolve();
}

bool position_resolver::remove(const std::string& stream) {
  auto i = unresolved_.find(stream);
  if (i == unresolved_.end())
    return false;
  for (auto& promise : i->second.waiting)
    promise.deliver(caf::unit);
  unresolved_.erase(i);
  if (settled())
    on_settled_(nullptr);
  return true;
}

void position_resolver::resolve() {
  if (asking_ || backing_off_ || unresolved_.empty())
    return;
  asking_ = true;
  for (auto& [stream, x] : unresolved_)
    x.asked = true;
  run_on(reader_.self, reader_.commands, position_command(names(), true),
         [this, streams = names()](const outcome<reply_ptr>& x) {
           resolved(streams, x);
         });
}

void position_resolver::resolved(const std::vector<std::string>& streams,
                                 const outcome<reply_ptr>& x) {
  asking_ = false;
  why_ = {};
  if (x.ok()) {
    resp::cursor at{**x};
    found_streams found;
    for (auto& stream : streams) {
      auto state = read_position(at);
      at.skip();
      if (state.ok())
        found.emplace_back(stream, *state);
      else
        not_opened(stream, state.error());
    }
    open(found);
  } else {
    for (auto& stream : streams)
      not_opened(stream, x.error());
  }
  settle();
}

// All streams of an answer are opened together, so that the reader asks for
// their events once.
void position_resolver::open(const found_streams& streams) {
  std::vector<opened_stream> opened;
  std::vector<caf::response_promise> waiting;
  for (auto& [stream, found] : streams) {
    const auto i = unresolved_.find(stream);
    if (i == unresolved_.end())
      continue;
    auto& x = i->second;
    const auto last = found ? found->last : event_id::min();
    const auto begin = begin_of(x.start, last);
    opened.push_back({stream, begin, {x.start, begin, found}, found});
    std::move(x.waiting.begin(), x.waiting.end(), std::back_inserter(waiting));
    unresolved_.erase(i);
  }
  if (!opened.empty())
    on_open_(std::move(opened));
  for (auto& promise : waiting)
    promise.deliver(caf::unit);
}

void position_resolver::not_opened(const std::string& stream, failure why) {
  auto i = unresolved_.find(stream);
  if (i == unresolved_.end())
    return;
  why = with_advice("stream " + stream, why);
  for (auto& promise : std::exchange(i->second.waiting, {}))
    promise.deliver(make_error(why));
  if (!i->second.initial) {
    unresolved_.erase(i);
    return;
  }
  // Each subscriber asks again, but only news are logged.
  auto line = "cannot open: " + to_string(why);
  if (line != i->second.reported)
    log(log_level::warning, reader_.component, line);
  i->second.reported = std::move(line);
  // A failure that is not transient is kept: subscribers need to know that one.
  if (why_.code == errc::none || is_transient(why_.code))
    why_ = std::move(why);
}

void position_resolver::settle() {
  if (settled()) {
    backoff_.reset();
    on_settled_(nullptr);
  } else {
    if (is_transient(why_.code)) {
      backing_off_ = true;
      reader_.timers.start(backoff_.next(reader_.random), [this] {
        backing_off_ = false;
        resolve();
      });
    }
    on_settled_(&why_);
  }
  if (has_unasked())
    resolve();
}

bool position_resolver::has_unasked() const {
  return std::any_of(unresolved_.begin(), unresolved_.end(),
                     [](auto& x) { return !x.second.asked; });
}

} // namespace pulse::internal
