#include "pulse/resp/add_batch.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/script.hpp"
#include "pulse/resp/stream_replies.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include <algorithm>

namespace pulse::resp {

namespace {

// Reads one reply of any shape and moves the cursor to the next one.
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

// Returns the reason why EXEC refused a transaction. The reply to EXEC only
// says that an earlier command failed, so the error of that command is added.
failure discarded(const cursor& exec, const failure& first_error) {
  auto result = error_of(exec);
  if (first_error.code != errc::none && result.code == errc::redis_error)
    return {first_error.code, result.what + " (" + first_error.what + ")"};
  return result;
}

std::string bulk_string(std::string_view text) {
  std::string result;
  command_writer{result}.arg(text);
  return result;
}

// Arguments of XADD as bulk strings.
constexpr std::string_view any_id = "$1\r\n*\r\n";
constexpr std::string_view name_field = "$1\r\nn\r\n";
constexpr std::string_view payload_field = "$1\r\np\r\n";
constexpr std::string_view topic_field = "$1\r\nt\r\n";
constexpr std::string_view unique_field = "$1\r\nu\r\n";

} // namespace

add_format::add_format(const stream_options& options)
  : key(stream_key(options.name)),
    xadd(bulk_string("XADD") + bulk_string(key)),
    retention_key(pulse::retention_key(options.name)),
    dedup_prefix(metadata_key(options.name, "dedup:")),
    keeps(retention_of(options)),
    dedup_window(options.dedup_window) {
  // nop
}

void add_batch::append(const new_event& x, bool only_if_exists,
                       std::string_view unique) {
  const unsigned fields = 2u + (x.topic.empty() ? 0u : 1u)
                          + (unique.empty() ? 0u : 1u);
  command_writer out{commands_};
  out.begin(3u + (only_if_exists ? 1u : 0u) + 2u * fields);
  commands_ += format_->xadd;
  if (only_if_exists)
    out.arg("NOMKSTREAM");
  commands_ += any_id;
  const auto begin = commands_.size();
  commands_ += name_field;
  out.arg(x.name);
  commands_ += payload_field;
  out.arg(x.payload);
  if (!x.topic.empty()) {
    commands_ += topic_field;
    out.arg(x.topic);
  }
  if (!unique.empty()) {
    commands_ += unique_field;
    out.arg(unique);
  }
  if (!x.dedup_id.empty())
    dedup_ids_.push_back(x.dedup_id);
  events_.push_back({begin, commands_.size(), fields, only_if_exists,
                     x.dedup_id.empty() ? 0 : uint32_t(dedup_ids_.size())});
  repeatable_ &= !unique.empty();
}

bool add_batch::needs_script() const noexcept {
  return !dedup_ids_.empty() || format_->keeps.hard_max_len > 0;
}

command_ptr add_batch::finish() {
  plain_ = std::make_shared<command_batch>();
  plain_->count = static_cast<uint32_t>(size());
  plain_->bytes = std::move(commands_);
  commands_.clear();
  if (needs_script())
    return script_call({}, {});
  if (format_->keeps.ttl.count() > 0)
    return transaction();
  return plain_;
}

command_ptr add_batch::transaction() {
  in_transaction_ = true;
  auto result = std::make_shared<command_batch>();
  result->bytes.reserve(plain_->bytes.size() + 128);
  write_command(result->bytes, "MULTI");
  result->bytes += plain_->bytes;
  const auto& keeps = format_->keeps;
  const auto ttl = static_cast<int64_t>(keeps.ttl.count());
  if (keeps.ttl_kind == ttl_mode::absolute)
    write_command(result->bytes, "PEXPIRE", format_->key, ttl, "NX");
  else
    write_command(result->bytes, "PEXPIRE", format_->key, ttl);
  write_command(result->bytes, "EXEC");
  result->count = plain_->count + 3;
  return result;
}

command_ptr add_batch::repeat(event_id after, milliseconds age,
                              milliseconds timeout) {
  auto result = script_call(to_string(after), age);
  result->repeatable = true;
  result->timeout = timeout;
  return result;
}

// The fields are copied from the plain commands, where they are bulk strings,
// as the script needs them.
std::shared_ptr<command_batch> add_batch::script_call(std::string_view after,
                                                      milliseconds age) {
  scripted_ = true;
  auto result = std::make_shared<command_batch>();
  result->count = 1;
  result->lua = &add_script();
  const auto keys = 2 + dedup_ids_.size();
  size_t args = 9;
  for (const auto& x : events_)
    args += 2 + 2 * x.fields;
  command_writer out{result->bytes};
  out.begin(3 + keys + args);
  out.arg("EVALSHA").arg(result->lua->sha1).arg(uint64_t{keys});
  out.arg(format_->key).arg(format_->retention_key);
  for (const auto& x : dedup_ids_)
    out.arg(format_->dedup_prefix + x);
  out.arg(after).arg(static_cast<int64_t>(age.count()));
  const auto& keeps = format_->keeps;
  out.arg(keeps.max_len).arg(keeps.hard_max_len);
  out.arg(to_string(keeps.on_full)).arg(keeps.protect_unacked ? "1" : "0");
  out.arg(static_cast<int64_t>(keeps.ttl.count()));
  out.arg(to_string(keeps.ttl_kind));
  out.arg(static_cast<int64_t>(format_->dedup_window.count()));
  for (const auto& x : events_) {
    out.arg(std::string{x.only_if_exists ? "x" : ""}
            + (x.dedup > 0 ? "d" : ""));
    out.arg(uint64_t{2} * x.fields);
    result->bytes.append(plain_->bytes, x.begin, x.end - x.begin);
  }
  return result;
}

// -- replies ------------------------------------------------------------------

add_results add_batch::results(const reply& x) const {
  cursor at{x};
  add_results result;
  result.ids.reserve(size());
  if (scripted_)
    script_results(at, result);
  else if (in_transaction_)
    transaction_results(at, result);
  else
    plain_results(at, result);
  return result;
}

void add_batch::plain_results(cursor& at, add_results& into) const {
  for (size_t i = 0; i < size(); ++i)
    into.ids.push_back(result_of(at));
}

// The replies are OK for MULTI, then QUEUED or an error for each command, then
// the reply to EXEC: an array with the results of the queued commands, or an
// error.
void add_batch::transaction_results(cursor& at, add_results& into) const {
  at.skip();
  cursor exec = at;
  failure first_error;
  for (size_t i = 0; i < size() + 1; ++i) {
    if (first_error.code == errc::none && exec.is(node_type::error))
      first_error = error_of(exec);
    exec.skip();
  }
  uint32_t executed = 0;
  const bool refused = exec.is(node_type::error);
  const bool accepted = exec.read_array(executed);
  for (size_t i = 0; i < size(); ++i) {
    if (!is_queued(at)) {
      into.ids.push_back(result_of(at));
      continue;
    }
    at.skip();
    if (accepted)
      into.ids.push_back(result_of(exec));
    else
      into.ids.emplace_back(refused ? discarded(exec, first_error)
                                    : unexpected_reply("EXEC", exec));
  }
}

// The reply is [results, found, removed, dropped], or one error for all events.
void add_batch::script_results(cursor& at, add_results& into) const {
  uint32_t parts = 0;
  uint32_t events = 0;
  const auto begin = at;
  if (!at.read_array(parts) || parts != 4 || !at.read_array(events)
      || events != size()) {
    const auto why = begin.is(node_type::error)
                       ? error_of(begin)
                       : unexpected_reply("add", begin);
    into.ids.assign(size(), outcome<event_id>{why});
    return;
  }
  plain_results(at, into);
  for (auto* to : {&into.found, &into.removed, &into.dropped}) {
    const auto n = read_number(at, "add");
    *to = n ? static_cast<uint64_t>(*n) : 0;
  }
}

} // namespace pulse::resp
