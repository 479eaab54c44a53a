#include "pulse/resp/add_batch.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/stream_replies.hpp"

namespace pulse::resp {

namespace {

// Reads one reply, whatever it is, so that the next one is at the cursor.
outcome<event_id> result_of(cursor& at) {
  if (at.read_nil())
    return failure{errc::no_such_stream, "there is no such stream"};
  auto result = read_id(at, "XADD");
  if (!result)
    at.skip();
  return result;
}

bool is_queued(const cursor& at) {
  return at.is(node_type::status) && at.text() == "QUEUED";
}

// Why EXEC refused: its own reply only says that something before it failed.
failure discarded(const cursor& exec, const failure& first_error) {
  auto result = error_of(exec);
  if (first_error.code != errc::none && result.code == errc::redis_error)
    return {first_error.code, result.what + " (" + first_error.what + ")"};
  return result;
}

} // namespace

add_format::add_format(const stream_options& options)
  : key(stream_key(options.name)),
    max_len(options.protect_unacked ? 0 : options.max_len),
    ttl(options.ttl),
    ttl_kind(options.ttl_kind) {
  // nop
}

add_batch::add_batch(const add_format& format) : format_(&format) {
  if (in_transaction())
    write_command(commands_, "MULTI");
}

void add_batch::append(const new_event& x, bool only_if_exists) {
  const bool trims = format_->max_len > 0;
  const bool has_topic = !x.topic.empty();
  command_writer out{commands_};
  out.begin(7u + (only_if_exists ? 1u : 0u) + (trims ? 3u : 0u)
            + (has_topic ? 2u : 0u));
  out.arg("XADD").arg(format_->key);
  if (only_if_exists)
    out.arg("NOMKSTREAM");
  if (trims)
    out.arg("MAXLEN").arg("~").arg(format_->max_len);
  out.arg("*").arg("n").arg(x.name).arg("p").arg(x.payload);
  if (has_topic)
    out.arg("t").arg(x.topic);
  ++size_;
}

std::string add_batch::finish(uint32_t& count) {
  count = static_cast<uint32_t>(size_);
  if (in_transaction()) {
    const auto ttl = static_cast<int64_t>(format_->ttl.count());
    if (format_->ttl_kind == ttl_mode::absolute)
      write_command(commands_, "PEXPIRE", format_->key, ttl, "NX");
    else
      write_command(commands_, "PEXPIRE", format_->key, ttl);
    write_command(commands_, "EXEC");
    count += 3;
  }
  return std::move(commands_);
}

std::vector<outcome<event_id>> add_batch::results(const reply& x) const {
  cursor at{x};
  if (in_transaction())
    return transaction_results(at);
  std::vector<outcome<event_id>> result;
  result.reserve(size_);
  for (size_t i = 0; i < size_; ++i)
    result.push_back(result_of(at));
  return result;
}

// The replies: OK, then QUEUED or an error for each command, then what EXEC
// answers: an array with the results of what was queued, or that it refuses.
std::vector<outcome<event_id>>
add_batch::transaction_results(cursor& at) const {
  at.skip();
  cursor exec = at;
  failure first_error;
  for (size_t i = 0; i < size_ + 1; ++i) {
    if (first_error.code == errc::none && exec.is(node_type::error))
      first_error = error_of(exec);
    exec.skip();
  }
  uint32_t executed = 0;
  const bool refused = exec.is(node_type::error);
  const bool accepted = exec.read_array(executed);
  std::vector<outcome<event_id>> result;
  result.reserve(size_);
  for (size_t i = 0; i < size_; ++i) {
    if (!is_queued(at)) {
      result.push_back(result_of(at));
      continue;
    }
    at.skip();
    if (accepted)
      result.push_back(result_of(exec));
    else
      result.emplace_back(refused ? discarded(exec, first_error)
                                  : unexpected_reply("EXEC", exec));
  }
  return result;
}

} // namespace pulse::resp
