// How many events a second a sink delivers to its workers and acknowledges,
// for different credits, beside a plain hiredis loop that reads batches of
// 1000 and acknowledges each with one XACK.
//
//     pulse-benchmark-sinks [events] [payload bytes] [streams]

#include "pulse/all.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/all.hpp>

#include <hiredis.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace pulse;
using clock_type = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;
using reply_holder = std::unique_ptr<void, void (*)(void*)>;

constexpr int workers = 2;
constexpr uint32_t credits[] = {1, 8, 64, 256};

class raw_loop {
public:
  explicit raw_loop(const local_redis& server)
    : context_(redisConnectUnix(server.socket_path().c_str()), redisFree) {
    if (!context_ || context_->err != 0)
      throw std::runtime_error("hiredis cannot connect");
  }

  void fill(int events, size_t payload_size) {
    const std::string payload(payload_size, 'x');
    for (int i = 0; i < events; ++i)
      redisAppendCommand(context_.get(),
                         "XADD pulse:stream:bench * n added p %b",
                         payload.data(), payload.size());
    for (int i = 0; i < events; ++i)
      read();
  }

  // Reads and acknowledges everything as one consumer.
  double drain() {
    run("XGROUP CREATE pulse:stream:bench raw 0");
    const auto begin = clock_type::now();
    uint64_t count = 0;
    for (;;) {
      auto page = run("XREADGROUP GROUP raw me COUNT 1000 STREAMS "
                      "pulse:stream:bench >");
      const auto* reply = static_cast<redisReply*>(page.get());
      if (reply->type != REDIS_REPLY_ARRAY)
        break;
      const auto* entries = reply->element[0]->element[1];
      std::string ack = "*" + std::to_string(entries->elements + 3)
                        + "\r\n$4\r\nXACK\r\n$18\r\npulse:stream:bench\r\n$3"
                          "\r\nraw\r\n";
      for (size_t i = 0; i < entries->elements; ++i) {
        const std::string id = entries->element[i]->element[0]->str;
        ack += "$" + std::to_string(id.size()) + "\r\n" + id + "\r\n";
      }
      redisAppendFormattedCommand(context_.get(), ack.data(), ack.size());
      read();
      count += entries->elements;
    }
    return static_cast<double>(count)
           / seconds{clock_type::now() - begin}.count();
  }

private:
  reply_holder run(const char* command) {
    redisAppendCommand(context_.get(), command);
    return read();
  }

  reply_holder read() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK)
      throw std::runtime_error(context_->errstr);
    return {reply, freeReplyObject};
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

// All events are in one of `streams` streams.
double sink_drain(caf::actor_system& sys, pulse::system& pulse, int events,
                  uint32_t credit, int streams) {
  sink_options options;
  options.name = "credit" + std::to_string(credit);
  options.streams = {"bench"};
  for (int i = 1; i < streams; ++i)
    options.streams.push_back("idle" + std::to_string(i));
  options.start = start_position::oldest();
  options.credit = credit;
  auto sink = pulse.sink(options);
  std::atomic<int> seen{0};
  auto worker = [&seen](caf::event_based_actor*) -> caf::behavior {
    return {[&seen](const event&) { ++seen; }};
  };
  std::vector<caf::actor> actors;
  for (int i = 0; i < workers; ++i)
    actors.push_back(sys.spawn(worker));
  const auto begin = clock_type::now();
  for (const auto& x : actors)
    if (!sink->subscribe(x))
      throw std::runtime_error("cannot subscribe");
  while (seen < events || sink->info()->acked < static_cast<uint64_t>(events))
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  const auto result = events / seconds{clock_type::now() - begin}.count();
  if (!sink->close())
    throw std::runtime_error("cannot close");
  for (const auto& x : actors)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return result;
}

} // namespace

int main(int argc, char** argv) {
  const int events = argc > 1 ? std::atoi(argv[1]) : 200'000;
  const size_t payload = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 64;
  const int streams = argc > 3 ? std::atoi(argv[3]) : 1;
  auto server = local_redis::start();
  if (!server) {
    std::fprintf(stderr, "%s\n", to_string(server.error()).c_str());
    return EXIT_FAILURE;
  }
  raw_loop raw{*server};
  raw.fill(events, payload);
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto pulse = pulse::system::connect(sys, server->url());
  std::printf("%d events of %zu bytes in one of %d streams, %d workers\n",
              events, payload, streams, workers);
  const auto limit = raw.drain();
  std::printf("raw hiredis      %9.0f events/s\n", limit);
  for (auto credit : credits) {
    const auto x = sink_drain(sys, *pulse, events, credit, streams);
    std::printf("sink, credit %3u %9.0f events/s   %.2f of raw\n", credit, x,
                x / limit);
  }
}
