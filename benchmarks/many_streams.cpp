// What a sink with many streams costs: how long it takes to start and to stop,
// how many events a second it handles if they are in one of its streams and if
// they are spread over all of them, how long one event takes, and the work of
// this process and of Redis while no events come.
//
//     pulse-benchmark-many-streams [streams] [events] [idle seconds] [lease ms]

#include "pulse/all.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/all.hpp>

#include <hiredis.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace pulse;
using clock_type = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;
using reply_holder = std::unique_ptr<void, void (*)(void*)>;

// Gives up what takes longer.
constexpr seconds patience{300};

class redis_client {
public:
  explicit redis_client(const local_redis& server)
    : context_(redisConnectUnix(server.socket_path().c_str()), redisFree) {
    if (!context_ || context_->err != 0)
      throw std::runtime_error("hiredis cannot connect");
  }

  // Adds events to the streams 0 to `streams` - 1 in turn.
  void add(int events, int streams) {
    constexpr int page = 1'000;
    for (int done = 0; done < events; done += page) {
      const int n = std::min(page, events - done);
      for (int i = 0; i < n; ++i)
        redisAppendCommand(context_.get(),
                           "XADD pulse:stream:s%d * n added p 0123456789",
                           (done + i) % streams);
      for (int i = 0; i < n; ++i)
        read();
    }
  }

  // Returns a number of INFO.
  double info(const std::string& name) {
    redisAppendCommand(context_.get(), "INFO");
    const auto reply = read();
    const std::string text = static_cast<redisReply*>(reply.get())->str;
    const auto at = text.find(name + ":");
    return std::strtod(text.c_str() + at + name.size() + 1, nullptr);
  }

private:
  reply_holder read() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK)
      throw std::runtime_error(context_->errstr);
    return {reply, freeReplyObject};
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

double own_cpu() {
  rusage x{};
  getrusage(RUSAGE_SELF, &x);
  auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec)
           + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return of(x.ru_utime) + of(x.ru_stime);
}

double since(clock_type::time_point begin) {
  return seconds{clock_type::now() - begin}.count();
}

class measurement {
public:
  measurement(caf::actor_system& sys, const local_redis& server,
              pulse::system& pulse, int streams, milliseconds lease)
    : sys_(sys), redis_(server) {
    sink_options options;
    options.name = "many";
    options.credit = 64;
    options.lease = lease;
    for (int i = 0; i < streams; ++i)
      options.streams.push_back("s" + std::to_string(i));
    std::sort(options.streams.begin(), options.streams.end());
    begin("start");
    sink_.emplace(*pulse.sink(options));
    worker_ = sys_.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const event&) { ++seen_; }};
    });
    if (const auto ok = sink_->subscribe(worker_); !ok)
      throw std::runtime_error(to_string(ok.error()));
    end();
  }

  void events(const char* what, int n, int streams) {
    begin(what);
    redis_.add(n, streams);
    wait(n);
    const auto time = end();
    std::printf("%34.0f events/s\n", n / time);
  }

  void latency() {
    std::vector<double> times;
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
      const auto before = seen_.load();
      const auto start = clock_type::now();
      redis_.add(1, 1);
      while (seen_ == before && since(start) < patience.count())
        std::this_thread::sleep_for(std::chrono::microseconds{50});
      times.push_back(since(start));
    }
    total_ += 20;
    std::sort(times.begin(), times.end());
    std::printf("one event         median %6.1f ms, longest %6.1f ms\n",
                1e3 * times[10], 1e3 * times.back());
    wait(0);
  }

  void idle(double time) {
    begin("idle");
    std::this_thread::sleep_for(seconds{time});
    end();
  }

  void stop() {
    begin("stop");
    if (const auto ok = sink_->close(); !ok)
      throw std::runtime_error(to_string(ok.error()));
    caf::anon_send_exit(worker_, caf::exit_reason::user_shutdown);
    end();
  }

private:
  void begin(const char* what) {
    what_ = what;
    redis_cpu_ = redis_cpu();
    commands_ = redis_.info("total_commands_processed");
    own_cpu_ = own_cpu();
    begun_ = clock_type::now();
  }

  double end() {
    const auto time = since(begun_);
    const auto commands = redis_.info("total_commands_processed") - commands_;
    std::printf("%-16s %7.2f s   here %3.0f %%, Redis %3.0f %% of a CPU, "
                "%7.0f commands/s\n",
                what_, time, 100 * (own_cpu() - own_cpu_) / time,
                100 * (redis_cpu() - redis_cpu_) / time, commands / time);
    std::fflush(stdout);
    return time;
  }

  double redis_cpu() {
    return redis_.info("used_cpu_user") + redis_.info("used_cpu_sys");
  }

  // Waits until `n` more events are acknowledged.
  void wait(int n) {
    total_ += static_cast<uint64_t>(n);
    const auto start = clock_type::now();
    while (seen_ < total_ || sink_->info()->acked < total_) {
      if (since(start) > patience.count())
        throw std::runtime_error("given up");
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  }

  caf::actor_system& sys_;
  redis_client redis_;
  std::optional<sink> sink_;
  caf::actor worker_;
  std::atomic<uint64_t> seen_{0};
  uint64_t total_ = 0;
  const char* what_ = "";
  clock_type::time_point begun_;
  double own_cpu_ = 0;
  double redis_cpu_ = 0;
  double commands_ = 0;
};

int argument(int argc, char** argv, int i, int otherwise) {
  return argc > i ? std::atoi(argv[i]) : otherwise;
}

} // namespace

int main(int argc, char** argv) {
  const int streams = argument(argc, argv, 1, 1'000);
  const int events = argument(argc, argv, 2, 100'000);
  const int idle = argument(argc, argv, 3, 10);
  const milliseconds lease{argument(argc, argv, 4, 15'000)};
  auto server = local_redis::start();
  if (!server) {
    std::fprintf(stderr, "%s\n", to_string(server.error()).c_str());
    return EXIT_FAILURE;
  }
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto pulse = pulse::system::connect(sys, server->url());
  std::printf("%d streams, lease %d ms\n", streams,
              static_cast<int>(lease.count()));
  measurement x{sys, *server, *pulse, streams, lease};
  x.idle(idle);
  x.latency();
  x.events("one busy stream", events, 1);
  x.events("all streams", events, streams);
  x.stop();
}
