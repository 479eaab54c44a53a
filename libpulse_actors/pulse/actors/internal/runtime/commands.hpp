#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/script.hpp"

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulse::internal {

/// Makes a batch of one command.
template <class... Ts>
command_ptr one_command(bool repeatable, const Ts&... xs) {
  auto result = std::make_shared<command_batch>();
  resp::write_command(result->bytes, xs...);
  result->count = 1;
  result->repeatable = repeatable;
  return result;
}

/// Builds the call of a script with any number of arguments.
///
///     auto call = script_call{resp::count_script(), {key}};
///     call.arg(group).arg(consumer);
///     self->request(redis, caf::infinite, atom::run_v, call.finish(true));
class script_call {
public:
  script_call(const resp::script& which,
              std::initializer_list<std::string_view> keys)
    : script_(&which), writer_(args_) {
    begin(keys);
  }
  script_call(const resp::script& which, const std::vector<std::string>& keys)
    : script_(&which), writer_(args_) {
    begin(keys);
  }

  script_call(const script_call&) = delete;
  script_call& operator=(const script_call&) = delete;

  template <class T>
  script_call& arg(const T& x) {
    writer_.arg(x);
    ++count_;
    return *this;
  }

  /// Sets what the owner sees of a reply that is under way.
  void watch(std::shared_ptr<reply_progress> progress) {
    progress_ = std::move(progress);
  }

  /// @param repeatable Whether running the script twice has the same effect as
  /// running it once.
  command_ptr finish(bool repeatable, milliseconds timeout = {}) {
    auto result = make(timeout);
    append_call(*result);
    result->repeatable = repeatable;
    result->lua = script_;
    return result;
  }

  /// The same, but the batch also loads the script. Otherwise, if Redis did not
  /// know the script, the connection would send the command again, behind
  /// commands that were sent meanwhile. The reply has that of SCRIPT LOAD
  /// first. It is not repeated.
  command_ptr finish_with_script(milliseconds timeout = {}) {
    auto result = make(timeout);
    resp::write_command(result->bytes, "SCRIPT", "LOAD", script_->source);
    ++result->count;
    append_call(*result);
    return result;
  }

private:
  template <class Keys>
  void begin(const Keys& keys) {
    arg("EVALSHA").arg(script_->sha1).arg(static_cast<int64_t>(keys.size()));
    for (const auto& key : keys)
      arg(key);
  }

  std::shared_ptr<command_batch> make(milliseconds timeout) const {
    auto result = std::make_shared<command_batch>();
    result->timeout = timeout;
    result->progress = progress_;
    return result;
  }

  void append_call(command_batch& result) const {
    resp::command_writer{result.bytes}.begin(count_);
    result.bytes += args_;
    ++result.count;
  }

  const resp::script* script_;
  std::string args_;
  resp::command_writer writer_;
  size_t count_ = 0;
  std::shared_ptr<reply_progress> progress_;
};

} // namespace pulse::internal
