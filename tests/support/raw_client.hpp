#pragma once

#include "pulse/testing/local_redis.hpp"

#include <hiredis.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// Calls `done` every few milliseconds until it returns true. @returns false if
/// that takes longer than `limit`.
template <class F>
bool eventually(F done,
                std::chrono::milliseconds limit = std::chrono::seconds{20}) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

/// A plain blocking client, with which tests check the data in Redis
/// independently.
class raw_client {
public:
  explicit raw_client(const local_redis& server)
    : context_(redisConnectUnix(server.socket_path().c_str()), redisFree) {
    CAF_REQUIRE(context_ && context_->err == 0);
  }

  /// Runs a command. @returns the reply as flat text: elements are separated by
  /// spaces, nil is "nil", errors are unchanged.
  std::string operator()(const std::vector<std::string>& args) {
    return answer_to(args, flat);
  }

  /// Runs a command. @returns the reply as it came over the wire.
  std::string resp(const std::vector<std::string>& args) {
    return answer_to(args, encoded);
  }

  int64_t number(const std::vector<std::string>& args) {
    return std::atoll((*this)(args).c_str());
  }

  /// Number of pending entries of a group.
  int64_t pending(const std::string& stream, const std::string& group) {
    return number({"XPENDING", stream_key_of(stream), group});
  }

  static std::string stream_key_of(const std::string& stream) {
    return "pulse:stream:" + stream;
  }

private:
  std::string answer_to(const std::vector<std::string>& args,
                        std::string (*text_of)(const redisReply&)) {
    std::vector<const char*> argv;
    std::vector<size_t> sizes;
    for (const auto& x : args) {
      argv.push_back(x.data());
      sizes.push_back(x.size());
    }
    auto* reply = static_cast<redisReply*>(
      redisCommandArgv(context_.get(), static_cast<int>(argv.size()),
                       argv.data(), sizes.data()));
    if (reply == nullptr)
      return "no reply";
    std::unique_ptr<redisReply, void (*)(void*)> guard{reply, freeReplyObject};
    return text_of(*reply);
  }

  static std::string encoded(const redisReply& x) {
    const std::string text
      = x.str != nullptr ? std::string{x.str, static_cast<size_t>(x.len)} : "";
    switch (x.type) {
      case REDIS_REPLY_INTEGER:
        return ":" + std::to_string(x.integer) + "\r\n";
      case REDIS_REPLY_NIL:
        return "$-1\r\n";
      case REDIS_REPLY_STATUS:
        return "+" + text + "\r\n";
      case REDIS_REPLY_ERROR:
        return "-" + text + "\r\n";
      case REDIS_REPLY_ARRAY: {
        auto result = "*" + std::to_string(x.elements) + "\r\n";
        for (size_t i = 0; i < x.elements; ++i)
          result += encoded(*x.element[i]);
        return result;
      }
      default:
        return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    }
  }

  static std::string flat(const redisReply& x) {
    switch (x.type) {
      case REDIS_REPLY_INTEGER:
        return std::to_string(x.integer);
      case REDIS_REPLY_NIL:
        return "nil";
      case REDIS_REPLY_ARRAY: {
        std::string result;
        for (size_t i = 0; i < x.elements; ++i)
          result += (i > 0 ? " " : "") + flat(*x.element[i]);
        return result;
      }
      default:
        return {x.str, static_cast<size_t>(x.len)};
    }
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

} // namespace pulse::test
