#include "bench/stage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace pulse::bench {

namespace {

local_redis start_server(const settings& how) {
  local_redis_options options;
  options.tcp = how.tcp;
  auto result = local_redis::start(options);
  if (!result)
    throw std::runtime_error(to_string(result.error()));
  return std::move(*result);
}

double seconds_of(const timeval& x) {
  return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
}

double our_seconds() {
  rusage x{};
  getrusage(RUSAGE_SELF, &x);
  return seconds_of(x.ru_utime) + seconds_of(x.ru_stime);
}

} // namespace

stage::stage(settings how)
  : how_(how),
    server_(start_server(how)),
    url_(how.tcp ? server_.tcp_url() : server_.url()),
    raw_(std::make_unique<raw_client>(url_)) {
  // nop
}

void stage::clear() {
  raw_->run({"FLUSHALL"});
}

double stage::redis_seconds() {
  return raw_->info("cpu", "used_cpu_user") + raw_->info("cpu", "used_cpu_sys");
}

void stage::begin() {
  redis_began_ = redis_seconds();
  ours_began_ = our_seconds();
  began_ = clock_type::now();
}

double stage::end() {
  const std::chrono::duration<double> time = clock_type::now() - began_;
  used_.ours = (our_seconds() - ours_began_) / time.count();
  used_.redis = (redis_seconds() - redis_began_) / time.count();
  return time.count();
}

node::node(const stage& at) {
  if (at.how().threads > 0)
    config_.set(PULSE_CAF_OPTION("scheduler.max-threads"), at.how().threads);
  system_ = std::make_unique<caf::actor_system>(config_);
  pulse_ = std::make_unique<pulse::system>(
    must(pulse::system::connect(*system_, at.url())));
}

size_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  size_t all = 0;
  size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace pulse::bench
