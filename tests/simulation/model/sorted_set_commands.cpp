#include "simulation/model/redis_model.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

// Commands on sorted sets, as far as the scripts need them.

namespace pulse::simulation {

namespace {

std::string score_text(double score) {
  char buf[32];
  std::snprintf(buf, sizeof(buf), "%.17g", score);
  return buf;
}

} // namespace

redis_model::sorted_set* redis_model::sorted_set_of(const std::string& key) {
  auto* at = item_of(key);
  return at != nullptr ? &std::get<sorted_set>(at->content) : nullptr;
}

std::vector<std::pair<double, std::string>>
redis_model::by_score(const sorted_set& x) {
  std::vector<std::pair<double, std::string>> result;
  for (const auto& [member, score] : x)
    result.emplace_back(score, member);
  std::sort(result.begin(), result.end());
  return result;
}

// ZADD key [NX] score member
value redis_model::zadd(const arguments& x) {
  if (item_of(x.at(1)) == nullptr)
    items_.insert_or_assign(x[1], item{sorted_set{}, std::nullopt});
  const size_t at = x.at(2) == "NX" ? 3 : 2;
  const auto score = std::strtod(x.at(at).c_str(), nullptr);
  auto& members = *sorted_set_of(x[1]);
  const auto [i, fresh] = members.emplace(x.at(at + 1), score);
  if (!fresh && at == 2)
    i->second = score;
  return integer(fresh ? 1 : 0);
}

value redis_model::zrem(const arguments& x) {
  auto* members = sorted_set_of(x.at(1));
  const auto result = members != nullptr ? members->erase(x.at(2)) : 0;
  if (members != nullptr && members->empty())
    items_.erase(x[1]);
  return integer(static_cast<int64_t>(result));
}

// ZREMRANGEBYSCORE key -inf max
value redis_model::zremrangebyscore(const arguments& x) {
  auto* members = sorted_set_of(x.at(1));
  if (members == nullptr)
    return integer(0);
  const auto most = std::strtod(x.at(3).c_str(), nullptr);
  const auto before = members->size();
  for (auto i = members->begin(); i != members->end();)
    i = i->second <= most ? members->erase(i) : std::next(i);
  const auto removed = before - members->size();
  if (members->empty())
    items_.erase(x[1]);
  return integer(static_cast<int64_t>(removed));
}

// ZREMRANGEBYRANK key 0 -last
value redis_model::zremrangebyrank(const arguments& x) {
  auto* members = sorted_set_of(x.at(1));
  if (members == nullptr)
    return integer(0);
  const auto all = by_score(*members);
  const auto n = static_cast<int64_t>(all.size()) + to_number(x.at(3)) + 1;
  for (int64_t i = 0; i < n; ++i)
    members->erase(all[static_cast<size_t>(i)].second);
  if (members->empty())
    items_.erase(x[1]);
  return integer(std::max<int64_t>(n, 0));
}

value redis_model::zscore(const arguments& x) {
  const auto* members = sorted_set_of(x.at(1));
  const auto i = members != nullptr ? members->find(x.at(2))
                                    : sorted_set::const_iterator{};
  if (members == nullptr || i == members->end())
    return value{};
  return text(score_text(i->second));
}

value redis_model::zcard(const arguments& x) {
  const auto* members = sorted_set_of(x.at(1));
  return integer(members != nullptr ? static_cast<int64_t>(members->size())
                                    : 0);
}

// ZRANGE key first last [WITHSCORES]
value redis_model::zrange(const arguments& x) {
  const auto* members = sorted_set_of(x.at(1));
  if (members == nullptr)
    return array({});
  const auto all = by_score(*members);
  const auto size = static_cast<int64_t>(all.size());
  auto last = to_number(x.at(3));
  last = std::min(last < 0 ? last + size : last, size - 1);
  std::vector<value> result;
  for (auto i = to_number(x.at(2)); i <= last; ++i) {
    const auto& [score, member] = all[static_cast<size_t>(i)];
    result.push_back(text(member));
    if (x.size() > 4)
      result.push_back(text(score_text(score)));
  }
  return array(std::move(result));
}

// ZRANGEBYSCORE key -inf max LIMIT 0 count
value redis_model::zrangebyscore(const arguments& x) {
  const auto* members = sorted_set_of(x.at(1));
  const auto most = std::strtod(x.at(3).c_str(), nullptr);
  auto left = to_number(x.at(6));
  std::vector<value> result;
  if (members != nullptr)
    for (const auto& [score, member] : by_score(*members))
      if (score <= most && left-- > 0)
        result.push_back(text(member));
  return array(std::move(result));
}

} // namespace pulse::simulation
