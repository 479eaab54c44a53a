#include "bench/report.hpp"

#include "bench/statistics.hpp"
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

namespace pulse::bench {

namespace {

template <class... Ts>
std::string format(const char* how, Ts... xs) {
  char result[512];
  std::snprintf(result, sizeof(result), how, xs...);
  return result;
}

std::string number(double x) {
  return format(std::abs(x) < 100 ? "%.2f" : "%.0f", x);
}

const char* const row = "%-20s %-22s %12s %12s %7s %13s %11s %11s\n";

std::string busy(const series& x) {
  if (x.used.empty())
    return "-";
  const auto used = median_usage(x);
  return format("%.2f/%.2f", used.redis, used.ours);
}

std::string line(const measured& x, size_t i) {
  const bool has_limit = x.is_compared(i);
  const auto ratios = x.ratios(i);
  std::string ratio = "-";
  std::string range = "-";
  if (has_limit) {
    ratio = format("%.2f", median(ratios));
    range = format("%.2f - %.2f", quantile(ratios, 0), quantile(ratios, 1));
  }
  const auto limit = has_limit ? number(x.median_limit(i)) : std::string{"-"};
  return format(row, i == 0 ? x.what.name.c_str() : "",
                x.what.metrics[i].unit.c_str(), limit.c_str(),
                number(x.median_library(i)).c_str(), ratio.c_str(),
                range.c_str(), i == 0 ? busy(x.limit).c_str() : "",
                i == 0 ? busy(x.library).c_str() : "");
}

nlohmann::json to_json(const series& x) {
  auto result = nlohmann::json::array();
  for (size_t i = 0; i < x.results.size(); ++i)
    result.push_back({{"values", x.results[i]},
                      {"redis_cores", x.used[i].redis},
                      {"our_cores", x.used[i].ours}});
  return result;
}

} // namespace

std::string table_head(const settings& how) {
  std::string threads = how.threads > 0 ? std::to_string(how.threads)
                                        : std::string{"CAF's default of"};
  auto result
    = format("medians of %d rounds; payload %zu bytes; %s; %s threads; %u "
             "cores\n",
             how.rounds, how.payload, how.tcp ? "TCP" : "Unix socket",
             threads.c_str(), std::thread::hardware_concurrency());
  return result
         + format(row, "scenario", "unit", "limit", "library", "ratio", "range",
                  "cores limit", "cores lib.");
}

std::string table_lines(const measured& x) {
  std::string result;
  for (size_t i = 0; i < x.what.metrics.size(); ++i)
    result += line(x, i);
  return result;
}

std::string to_json(const settings& how, const std::vector<measured>& xs) {
  nlohmann::json all;
  all["rounds"] = how.rounds;
  all["seconds"] = how.seconds;
  all["payload"] = how.payload;
  all["transport"] = how.tcp ? "tcp" : "unix";
  all["threads"] = how.threads;
  all["cores"] = std::thread::hardware_concurrency();
  all["scenarios"] = nlohmann::json::array();
  for (const auto& x : xs) {
    nlohmann::json one;
    one["name"] = x.what.name;
    one["about"] = x.what.about;
    for (size_t i = 0; i < x.what.metrics.size(); ++i) {
      nlohmann::json metric;
      metric["unit"] = x.what.metrics[i].unit;
      metric["higher_is_better"] = x.what.metrics[i].higher_is_better;
      metric["library"] = x.median_library(i);
      if (x.is_compared(i)) {
        metric["limit"] = x.median_limit(i);
        metric["ratio"] = median(x.ratios(i));
      }
      one["metrics"].push_back(metric);
    }
    one["limit"] = to_json(x.limit);
    one["library"] = to_json(x.library);
    all["scenarios"].push_back(one);
  }
  return all.dump(2) + "\n";
}

} // namespace pulse::bench
