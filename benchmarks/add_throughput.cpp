// How many events a second one producer adds to one stream, with different
// numbers of requests in flight, beside a plain hiredis loop that keeps as many
// commands in its pipeline.
//
//     pulse-benchmark-adds [seconds per measurement] [payload bytes]

#include "pulse/all.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <hiredis.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

using namespace pulse;
using clock_type = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

constexpr int windows[] = {1, 64, 1'024};

struct settings {
  seconds length{2};
  size_t payload = 200;
};

double per_second(uint64_t count, clock_type::time_point begin) {
  return static_cast<double>(count)
         / seconds{clock_type::now() - begin}.count();
}

using connection_ptr = std::unique_ptr<redisContext, void (*)(redisContext*)>;

connection_ptr dial(const local_redis& server) {
  connection_ptr result{redisConnectUnix(server.socket_path().c_str()),
                        redisFree};
  if (!result || result->err != 0)
    throw std::runtime_error("hiredis cannot connect");
  return result;
}

void read_reply(redisContext& connection) {
  void* reply = nullptr;
  if (redisGetReply(&connection, &reply) != REDIS_OK)
    throw std::runtime_error(connection.errstr);
  freeReplyObject(reply);
}

double raw_adds(const local_redis& server, const settings& how, int window) {
  const auto connection = dial(server);
  const std::string payload(how.payload, 'x');
  auto append = [&] {
    redisAppendCommand(connection.get(),
                       "XADD raw MAXLEN ~ 100000 * n added p %b",
                       payload.data(), payload.size());
  };
  const auto begin = clock_type::now();
  const auto end = begin + how.length;
  for (int i = 0; i < window; ++i)
    append();
  uint64_t count = 0;
  // Replies are read in halves of the window, so that Redis always has work.
  const auto step = (window + 1) / 2;
  for (; clock_type::now() < end; count += static_cast<uint64_t>(step)) {
    for (int i = 0; i < step; ++i)
      read_reply(*connection);
    for (int i = 0; i < step; ++i)
      append();
  }
  return per_second(count, begin);
}

// Keeps `window` adds in flight until the time is over.
class producer : public caf::event_based_actor {
public:
  producer(caf::actor_config& cfg, pulse::stream_actor target,
           const settings& how, int window)
    : caf::event_based_actor(cfg),
      target_(std::move(target)),
      length_(std::chrono::duration_cast<clock_type::duration>(how.length)),
      payload_(how.payload, 'x'),
      window_(window) {
    // nop
  }

  caf::behavior make_behavior() override {
    return {
      [this](caf::ok_atom) -> caf::result<uint64_t> {
        end_ = clock_type::now() + length_;
        done_ = make_response_promise();
        for (int i = 0; i < window_; ++i)
          add_one();
        return done_;
      },
    };
  }

private:
  void add_one() {
    ++open_;
    request(target_, caf::infinite, caf::add_atom_v,
            new_event{"added", payload_, ""})
      .then([this](event_id) { on_added(); },
            [this](caf::error& err) { quit(std::move(err)); });
  }

  void on_added() {
    ++added_;
    --open_;
    if (clock_type::now() < end_)
      add_one();
    else if (open_ == 0)
      done_.deliver(added_);
  }

  pulse::stream_actor target_;
  clock_type::duration length_;
  std::string payload_;
  int window_;
  uint64_t added_ = 0;
  int open_ = 0;
  clock_type::time_point end_;
  caf::response_promise done_;
};

double our_adds(caf::actor_system& sys, const pulse::stream& stream,
                const settings& how, int window) {
  caf::scoped_actor self{sys};
  auto x = sys.spawn<producer>(stream.handle(), how, window);
  const auto begin = clock_type::now();
  double result = 0;
  self->request(x, caf::infinite, caf::ok_atom_v)
    .receive([&](uint64_t count) { result = per_second(count, begin); },
             [&](caf::error& err) { throw std::runtime_error(describe(err)); });
  return result;
}

template <class T>
T must(caf::expected<T> x) {
  if (!x)
    throw std::runtime_error(describe(x.error()));
  return std::move(*x);
}

void run(const settings& how) {
  auto server = local_redis::start();
  if (!server)
    throw std::runtime_error(to_string(server.error()));
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto ps = must(pulse::system::connect(sys, server->url()));
  // What it costs that an add survives its connection: beside it without.
  stream_options options;
  options.name = "bench";
  auto stream = must(ps.stream(options));
  options.name = "plain";
  options.idempotent = false;
  auto plain = must(ps.stream(options));
  // A hard limit makes each batch a call of a script.
  options.name = "limited";
  options.max_len = 100'000;
  options.hard_max_len = 1'000'000'000;
  auto limited = must(ps.stream(options));
  std::printf("payload %zu bytes, %.1f s each\n", how.payload,
              how.length.count());
  std::printf("%10s %16s %16s %8s %16s %8s %16s %8s\n", "in flight",
              "hiredis adds/s", "pulse adds/s", "ratio", "not idempotent",
              "ratio", "hard_max_len", "ratio");
  for (auto window : windows) {
    const auto raw = raw_adds(*server, how, window);
    const auto ours = our_adds(sys, stream, how, window);
    const auto without = our_adds(sys, plain, how, window);
    const auto scripted = our_adds(sys, limited, how, window);
    std::printf("%10d %16.0f %16.0f %8.2f %16.0f %8.2f %16.0f %8.2f\n", window,
                raw, ours, ours / raw, without, without / raw, scripted,
                scripted / raw);
  }
}

} // namespace

int main(int argc, char** argv) {
  settings how;
  if (argc > 1)
    how.length = seconds{std::atof(argv[1])};
  if (argc > 2)
    how.payload = static_cast<size_t>(std::atoll(argv[2]));
  try {
    run(how);
  } catch (const std::exception& err) {
    std::fprintf(stderr, "%s\n", err.what());
    return EXIT_FAILURE;
  }
}
