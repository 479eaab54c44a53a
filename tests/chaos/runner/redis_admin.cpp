#include "chaos/runner/redis_admin.hpp"

#include "chaos/node/labels.hpp"
#include <hiredis.h>

namespace pulse::chaos {

namespace {

constexpr timeval patience{0, 500'000};
constexpr size_t page = 2'000;

std::string text(const redisReply* x) {
  return x->str != nullptr ? std::string{x->str, static_cast<size_t>(x->len)}
                           : std::string{};
}

// Returns the value after a name in a flat list of names and values; null if
// the list does not have the name.
const redisReply* value(const redisReply* list, const std::string& name) {
  for (size_t i = 0; i + 1 < list->elements; i += 2)
    if (text(list->element[i]) == name)
      return list->element[i + 1];
  return nullptr;
}

int64_t number_of(const redisReply* list, const std::string& name) {
  const auto* x = value(list, name);
  return x != nullptr && x->type == REDIS_REPLY_INTEGER ? x->integer : -1;
}

std::string text_of(const redisReply* list, const std::string& name) {
  const auto* x = value(list, name);
  return x != nullptr ? text(x) : std::string{};
}

} // namespace

reply_holder
redis_admin::operator()(const std::vector<std::string>& command) const {
  std::unique_ptr<redisContext, void (*)(redisContext*)> context{
    redisConnectUnixWithTimeout(socket_path_.c_str(), patience), redisFree};
  if (!context || context->err != 0)
    return nullptr;
  redisSetTimeout(context.get(), patience);
  std::vector<const char*> argv;
  std::vector<size_t> sizes;
  for (const auto& x : command) {
    argv.push_back(x.data());
    sizes.push_back(x.size());
  }
  auto* reply = static_cast<redisReply*>(redisCommandArgv(
    context.get(), static_cast<int>(argv.size()), argv.data(), sizes.data()));
  if (reply == nullptr)
    return nullptr;
  return {reply, [](const redisReply* x) {
            freeReplyObject(const_cast<redisReply*>(x));
          }};
}

int64_t redis_admin::number(const std::vector<std::string>& command) const {
  const auto reply = (*this)(command);
  return reply && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
}

std::vector<std::string>
redis_admin::texts(const std::vector<std::string>& command) const {
  std::vector<std::string> result;
  const auto reply = (*this)(command);
  if (reply && reply->type == REDIS_REPLY_ARRAY)
    for (size_t i = 0; i < reply->elements; ++i)
      result.push_back(text(reply->element[i]));
  return result;
}

bool redis_admin::scan(const std::string& key, const visitor& visit) const {
  std::string from = "-";
  for (;;) {
    const auto reply
      = (*this)({"XRANGE", key, from, "+", "COUNT", std::to_string(page)});
    if (!reply || reply->type != REDIS_REPLY_ARRAY)
      return false;
    for (size_t i = 0; i < reply->elements; ++i) {
      const auto* entry = reply->element[i];
      const auto* payload = value(entry->element[1], "p");
      visit(text(entry->element[0]),
            payload != nullptr ? label_of(text(payload)) : std::string{});
    }
    if (reply->elements < page)
      return true;
    from = "(" + text(reply->element[page - 1]->element[0]);
  }
}

std::string redis_admin::first_id(const redisReply& entries) {
  return entries.type == REDIS_REPLY_ARRAY && entries.elements > 0
           ? text(entries.element[0]->element[0])
           : std::string{};
}

std::vector<redis_admin::group>
redis_admin::groups(const std::string& key) const {
  std::vector<group> result;
  const auto reply = (*this)({"XINFO", "GROUPS", key});
  if (!reply || reply->type != REDIS_REPLY_ARRAY)
    return result;
  for (size_t i = 0; i < reply->elements; ++i) {
    const auto* x = reply->element[i];
    result.push_back({text_of(x, "name"), number_of(x, "pending"),
                      number_of(x, "lag"), number_of(x, "consumers"),
                      text_of(x, "last-delivered-id")});
  }
  return result;
}

std::vector<std::string>
redis_admin::consumers(const std::string& key, const std::string& group) const {
  std::vector<std::string> result;
  const auto reply = (*this)({"XINFO", "CONSUMERS", key, group});
  if (!reply || reply->type != REDIS_REPLY_ARRAY)
    return result;
  for (size_t i = 0; i < reply->elements; ++i)
    result.push_back(text_of(reply->element[i], "name"));
  return result;
}

bool redis_admin::is_through(const std::string& key, const group& x) const {
  const auto rest
    = (*this)({"XRANGE", key, "(" + x.last_delivered, "+", "COUNT", "1"});
  return rest && rest->type == REDIS_REPLY_ARRAY && rest->elements == 0;
}

} // namespace pulse::chaos
