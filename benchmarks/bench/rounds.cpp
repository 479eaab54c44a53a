#include "bench/rounds.hpp"

#include "bench/statistics.hpp"

namespace pulse::bench {

namespace {

double median_of(const series& x, size_t metric) {
  std::vector<double> all;
  for (const auto& y : x.results)
    all.push_back(y[metric]);
  return median(all);
}

void run(stage& at, const scenario& what,
         const std::function<values(stage&)>& program, series& into) {
  at.clear();
  if (what.prepare)
    what.prepare(at);
  into.results.push_back(program(at));
  into.used.push_back(at.used());
}

} // namespace

double measured::median_limit(size_t metric) const {
  return median_of(limit, metric);
}

double measured::median_library(size_t metric) const {
  return median_of(library, metric);
}

std::vector<double> measured::ratios(size_t metric) const {
  std::vector<double> result;
  for (size_t i = 0; i < limit.results.size(); ++i)
    result.push_back(library.results[i][metric] / limit.results[i][metric]);
  return result;
}

usage median_usage(const series& x) {
  std::vector<double> redis;
  std::vector<double> ours;
  for (const auto& y : x.used) {
    redis.push_back(y.redis);
    ours.push_back(y.ours);
  }
  return {median(redis), median(ours)};
}

measured measure(stage& at, const scenario& what,
                 const std::function<void(const std::string&)>& progress) {
  measured result{what, {}, {}};
  const auto rounds = at.how().rounds;
  for (int i = 0; i < rounds; ++i) {
    const auto round = what.name + ": round " + std::to_string(i + 1) + " of "
                       + std::to_string(rounds) + ", ";
    auto limit = [&] {
      if (!what.limit)
        return;
      progress(round + (what.limit_is.empty() ? "hiredis" : what.limit_is));
      run(at, what, what.limit, result.limit);
    };
    auto library = [&] {
      progress(round + "the library");
      run(at, what, what.library, result.library);
    };
    if (i % 2 == 0) {
      limit();
      library();
    } else {
      library();
      limit();
    }
  }
  return result;
}

} // namespace pulse::bench
