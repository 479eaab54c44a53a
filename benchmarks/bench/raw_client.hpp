#pragma once

#include <hiredis.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::bench {

struct free_reply {
  void operator()(redisReply* x) const noexcept {
    freeReplyObject(x);
  }
};
using raw_reply = std::unique_ptr<redisReply, free_reply>;

/// A connection without anything of the library: plain hiredis, blocking. Its
/// functions throw std::runtime_error if the connection or a command fails.
class raw_client {
public:
  /// @param url redis://127.0.0.1:<port> or unix://<path>
  explicit raw_client(const std::string& url);

  /// Appends a command to the pipeline.
  void append(const std::vector<std::string_view>& command);
  void append_formatted(const std::string& bytes);

  /// Sends what was appended.
  void flush();

  /// Sends what was appended, and waits for the next reply.
  raw_reply read();

  /// @returns the next reply if it has arrived already; null otherwise.
  raw_reply read_arrived();

  raw_reply run(const std::vector<std::string_view>& command);

  /// Adds events to a stream in the format of the library.
  void fill(const std::string& stream, size_t events, size_t payload);

  /// @returns a number of INFO, e.g. "used_cpu_user".
  double info(std::string_view section, std::string_view field);

private:
  struct disconnect {
    void operator()(redisContext* x) const noexcept {
      redisFree(x);
    }
  };

  static raw_reply checked(void* reply);

  std::unique_ptr<redisContext, disconnect> context_;
};

/// @returns XADD of an event with that payload.
std::string add_command(const std::string& stream, size_t payload);

} // namespace pulse::bench
