#include "bench/raw_client.hpp"

#include "pulse/core/names.hpp"

#include <cstdlib>
#include <stdexcept>

namespace pulse::bench {

namespace {

constexpr std::string_view unix_scheme = "unix://";
constexpr std::string_view tcp_scheme = "redis://127.0.0.1:";

redisContext* dial(std::string_view url) {
  if (url.substr(0, unix_scheme.size()) == unix_scheme)
    return redisConnectUnix(
      std::string{url.substr(unix_scheme.size())}.c_str());
  const std::string port{url.substr(tcp_scheme.size())};
  return redisConnect("127.0.0.1", std::atoi(port.c_str()));
}

std::string format(const std::vector<std::string_view>& command) {
  std::string result = "*" + std::to_string(command.size()) + "\r\n";
  for (const auto& x : command)
    result.append("$")
      .append(std::to_string(x.size()))
      .append("\r\n")
      .append(x)
      .append("\r\n");
  return result;
}

} // namespace

raw_client::raw_client(const std::string& url) : context_(dial(url)) {
  if (!context_ || context_->err != 0)
    throw std::runtime_error("hiredis cannot connect to " + url);
}

void raw_client::append(const std::vector<std::string_view>& command) {
  append_formatted(format(command));
}

void raw_client::append_formatted(const std::string& bytes) {
  redisAppendFormattedCommand(context_.get(), bytes.data(), bytes.size());
}

void raw_client::flush() {
  for (int done = 0; done == 0;)
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK)
      throw std::runtime_error(std::string{"hiredis: "} + context_->errstr);
}

raw_reply raw_client::read() {
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK)
    throw std::runtime_error(std::string{"hiredis: "} + context_->errstr);
  return checked(reply);
}

raw_reply raw_client::read_arrived() {
  void* reply = nullptr;
  if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK)
    throw std::runtime_error(std::string{"hiredis: "} + context_->errstr);
  return reply != nullptr ? checked(reply) : nullptr;
}

raw_reply raw_client::run(const std::vector<std::string_view>& command) {
  append(command);
  return read();
}

raw_reply raw_client::checked(void* reply) {
  raw_reply result{static_cast<redisReply*>(reply)};
  if (result->type == REDIS_REPLY_ERROR)
    throw std::runtime_error(std::string{"Redis: "} + result->str);
  return result;
}

void raw_client::fill(const std::string& stream, size_t events,
                      size_t payload) {
  const auto add = add_command(stream, payload);
  constexpr size_t window = 1'000;
  for (size_t i = 0; i < events + window; ++i) {
    if (i < events)
      append_formatted(add);
    if (i >= window && i < events + window && i - window < events)
      read();
  }
}

double raw_client::info(std::string_view section, std::string_view field) {
  const auto reply = run({"INFO", section});
  const std::string_view text{reply->str, reply->len};
  const auto line = "\n" + std::string{field} + ":";
  const auto at = text.find(line);
  if (at == std::string_view::npos)
    throw std::runtime_error("INFO has no " + std::string{field});
  return std::atof(text.data() + at + line.size());
}

std::string add_command(const std::string& stream, size_t payload) {
  const std::string text(payload, 'x');
  return format({"XADD", stream_key(stream), "*", "n", "added", "p", text});
}

} // namespace pulse::bench
