#include "pulse/actors/internal/stream/dead_letters.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/runtime/requests.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>

namespace pulse::internal {

namespace {

constexpr milliseconds step_time{100};
constexpr size_t largest_step = 100;
constexpr size_t most_letters = 1'000;

} // namespace

stream_dead_letters::stream_dead_letters(stream_self::pointer self,
                                         const stream_options& options,
                                         const connection_actor& redis,
                                         const environment& env,
                                         std::function<void()> changed)
  : self_(self),
    options_(options),
    redis_(redis),
    env_(env),
    changed_(std::move(changed)) {
  // nop
}

// CAF sends no reply, or none with a reason, for promises that are destroyed,
// so they are settled here. Letters that were redriven stay redriven; the other
// letters stay where they are.
stream_dead_letters::~stream_dead_letters() {
  for (auto& promise : open_)
    promise.deliver(make_error(
      {errc::closed, "stream " + options_.name + " was closed meanwhile"}));
  while (!jobs_.empty())
    fail(jobs_.begin(), {errc::closed, "the stream was closed"});
}

// -- listing and deleting -----------------------------------------------------

caf::result<std::vector<dead_letter>>
stream_dead_letters::list(const dead_query& x) {
  if (auto ok = check(x.sink, 0); !ok)
    return make_error(ok.error());
  if (x.limit < 1 || x.limit > most_letters)
    return make_error(
      about(x.sink, {errc::invalid_option,
                     "the limit of a list is " + std::to_string(x.limit)
                       + ": use 1 to " + std::to_string(most_letters)}));
  return ask(x.sink,
             one_command(true, "XRANGE", key_of(x.sink), x.from, x.to, "COUNT",
                         uint64_t{x.limit}),
             [](resp::cursor& at) { return resp::read_dead_letters(at); });
}

caf::result<uint64_t> stream_dead_letters::purge(const purge_request& x) {
  if (auto ok = check(x.sink, x.letters.size()); !ok)
    return make_error(ok.error());
  auto commands = std::make_shared<command_batch>();
  commands->count = 1;
  if (x.letters.empty()) {
    resp::write_command(commands->bytes, "XTRIM", key_of(x.sink), "MINID", "=",
                        x.before);
  } else {
    resp::command_writer out{commands->bytes};
    out.begin(2 + x.letters.size()).arg("XDEL").arg(key_of(x.sink));
    for (auto id : x.letters)
      out.arg(id);
  }
  return ask(x.sink, std::move(commands),
             [](resp::cursor& at) -> outcome<uint64_t> {
               auto n = resp::read_number(at, "purge");
               if (!n)
                 return n.error();
               return static_cast<uint64_t>(*n);
             });
}

template <class Read>
caf::response_promise stream_dead_letters::ask(const std::string& sink,
                                               command_ptr commands,
                                               Read read) {
  open_.push_front(new_promise(self_));
  const auto promise = open_.begin();
  const auto failed = [=](const failure& why) {
    promise->deliver(make_error(about(sink, why)));
    open_.erase(promise);
  };
  run_on(
    self_, redis_, std::move(commands),
    [=](const resp::reply& reply) {
      resp::cursor at{reply};
      auto x = read(at);
      if (!x)
        return failed(x.error());
      promise->deliver(std::move(*x));
      open_.erase(promise);
    },
    failed);
  return *promise;
}

// -- redriving ----------------------------------------------------------------

caf::result<redrive_result>
stream_dead_letters::redrive(const redrive_request& x) {
  if (auto ok = check(x.sink, x.letters.size()); !ok)
    return make_error(ok.error());
  job fresh;
  fresh.request = x;
  fresh.promise = new_promise(self_);
  fresh.due = self_->clock().now();
  auto promise = fresh.promise;
  jobs_.push_front(std::move(fresh));
  if (x.letters.empty())
    find_end(jobs_.begin());
  else
    step(jobs_.begin());
  return promise;
}

// A redrive ends at the last letter that exists now. So an event that becomes a
// dead letter again during the redrive is not redriven a second time.
void stream_dead_letters::find_end(job_ptr x) {
  run(x,
      one_command(true, "XREVRANGE", key_of(x->request.sink), "+", "-", "COUNT",
                  "1"),
      [=](const resp::reply& reply) {
        resp::cursor at{reply};
        auto last = resp::read_dead_letters(at);
        if (!last)
          return fail(x, last.error());
        if (last->empty())
          return finish(x);
        x->to = to_string(last->front().id);
        step(x);
      });
}

size_t stream_dead_letters::step_size(const job& x) const {
  const auto rate = x.request.rate;
  const auto steps_per_second
    = static_cast<size_t>(std::chrono::seconds{1} / step_time);
  if (rate == 0)
    return largest_step;
  return std::clamp(rate / steps_per_second, size_t{1}, largest_step);
}

void stream_dead_letters::step(job_ptr x) {
  const auto& request = x->request;
  const auto size = step_size(*x);
  script_call call{resp::redrive_script(),
                   {stream_key(options_.name), key_of(request.sink),
                    resp::redrives_key(options_.name, request.sink)}};
  call.arg(request.sink).arg(uint64_t{request.max_redrives});
  call.arg(static_cast<int64_t>(env_.unix_time().count()));
  size_t asked = size;
  if (request.letters.empty()) {
    call.arg("range").arg(x->from).arg(x->to).arg(uint64_t{size});
  } else {
    call.arg("ids");
    asked = std::min(size, request.letters.size() - x->next);
    for (size_t i = 0; i < asked; ++i)
      call.arg(request.letters[x->next + i]);
  }
  // The next step has to wait as long as these letters take at the requested
  // rate.
  if (request.rate > 0)
    x->due = self_->clock().now()
             + std::chrono::microseconds{1'000'000 * asked / request.rate};
  run(x, call.finish(true),
      [=](const resp::reply& reply) { stepped(x, asked, reply); });
}

void stream_dead_letters::stepped(job_ptr x, size_t asked,
                                  const resp::reply& reply) {
  resp::cursor at{reply};
  std::string last;
  auto done = resp::read_redrive(at, last);
  if (!done)
    return fail(x, done.error());
  x->so_far.redriven += done->redriven;
  x->so_far.skipped_limit += done->skipped_limit;
  x->so_far.skipped_missing += done->skipped_missing;
  x->next += asked;
  x->from = "(" + last;
  const bool at_end
    = x->request.letters.empty()
        ? done->redriven + done->skipped_limit + done->skipped_missing < asked
        : x->next >= x->request.letters.size();
  if (at_end)
    return finish(x);
  if (x->due <= self_->clock().now())
    step(x);
}

void stream_dead_letters::tick(time_point now) {
  for (auto x = jobs_.begin(); x != jobs_.end();) {
    // The step may finish and erase the job.
    auto current = x++;
    if (!current->step_under_way && current->due <= now)
      step(current);
  }
}

stream_dead_letters::time_point
stream_dead_letters::next_tick() const noexcept {
  auto result = time_point::max();
  for (const auto& x : jobs_)
    if (!x.step_under_way)
      result = std::min(result, x.due);
  return result;
}

void stream_dead_letters::finish(job_ptr x) {
  const auto& n = x->so_far;
  log(log_level::info, "pulse.stream " + options_.name,
      "redrove " + std::to_string(n.redriven) + " dead letters of sink \""
        + x->request.sink + "\", left " + std::to_string(n.skipped_limit)
        + " that died too often and " + std::to_string(n.skipped_missing)
        + " whose event is gone");
  x->promise.deliver(x->so_far);
  jobs_.erase(x);
}

void stream_dead_letters::fail(job_ptr x, const failure& why) {
  auto text = why.what;
  if (const auto n = x->so_far.redriven; n > 0)
    text += " (after " + std::to_string(n) + " letters were redriven)";
  x->promise.deliver(make_error(about(x->request.sink, {why.code, text})));
  jobs_.erase(x);
}

// -- helpers ------------------------------------------------------------------

template <class Then>
void stream_dead_letters::run(job_ptr x, command_ptr commands, Then then) {
  x->step_under_way = true;
  run_on(
    self_, redis_, std::move(commands),
    [=](const resp::reply& reply) {
      x->step_under_way = false;
      then(reply);
      changed_();
    },
    [=](const failure& why) { fail(x, why); });
}

status stream_dead_letters::check(const std::string& sink,
                                  size_t letters) const {
  if (auto ok = check_name("sink name", sink); !ok)
    return ok;
  if (letters > most_letters)
    return about(sink,
                 {errc::invalid_option,
                  std::to_string(letters) + " letters are named: name at most "
                    + std::to_string(most_letters) + ", or none for all"});
  return {};
}

failure stream_dead_letters::about(const std::string& sink,
                                   const failure& why) const {
  return about_stream(options_.name, {why.code, "dead letters of sink \"" + sink
                                                  + "\": " + why.what});
}

std::string stream_dead_letters::key_of(const std::string& sink) const {
  return stream_key(dead_letter_stream(options_.name, sink));
}

} // namespace pulse::internal
