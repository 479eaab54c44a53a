// How fast a reader with one subscriber gets through a stream, compared with a
// plain XREAD loop on hiredis. Starts a private Redis.
//
// usage: pulse-benchmark-reads [events] [payload bytes] [rounds]

#include "pulse/all.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <hiredis.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

constexpr auto key = "pulse:stream:numbers";

using context_ptr = std::unique_ptr<redisContext, void (*)(redisContext*)>;
using reply_ptr = std::unique_ptr<void, void (*)(void*)>;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

reply_ptr next_reply(redisContext& redis) {
  void* raw = nullptr;
  if (redisGetReply(&redis, &raw) != REDIS_OK)
    die(std::string{"redis: "} + redis.errstr);
  return {raw, freeReplyObject};
}

void fill(redisContext& redis, size_t events, size_t payload) {
  const std::string text(payload, 'x');
  constexpr size_t window = 1'000;
  for (size_t i = 0; i < events + window; ++i) {
    if (i < events)
      redisAppendCommand(&redis, "XADD %s * n number p %b", key, text.data(),
                         text.size());
    if (i >= window)
      next_reply(redis);
  }
}

// Reads the whole stream, keeping the last ID; returns the number of events.
size_t read_plainly(redisContext& redis) {
  std::string last = "0-0";
  for (size_t count = 0;;) {
    redisAppendCommand(&redis, "XREAD COUNT 1000 STREAMS %s %s", key,
                       last.c_str());
    auto guard = next_reply(redis);
    auto* reply = static_cast<redisReply*>(guard.get());
    if (reply->type != REDIS_REPLY_ARRAY)
      return count;
    auto* entries = reply->element[0]->element[1];
    count += entries->elements;
    last = entries->element[entries->elements - 1]->element[0]->str;
  }
}

// Counts events and tells when all are there.
caf::behavior counter(caf::event_based_actor* self, size_t expected,
                      caf::actor when_done) {
  auto count = std::make_shared<size_t>(0);
  return {
    [=](const pulse::event&) {
      if (++*count == expected)
        self->send(when_done, caf::ok_atom_v);
    },
  };
}

void read_with_reader(caf::actor_system& sys, pulse::system& pulse,
                      size_t events) {
  caf::scoped_actor self{sys};
  auto listener = sys.spawn(counter, events, caf::actor{self});
  pulse::reader_options options;
  options.streams = {"numbers"};
  options.start = pulse::start_position::oldest();
  auto reader = pulse.reader(options);
  if (!reader)
    die(pulse::describe(reader.error()));
  if (auto ok = reader->subscribe(listener); !ok)
    die(pulse::describe(ok.error()));
  self->receive([](caf::ok_atom) {});
  if (auto ok = reader->close(); !ok)
    die(pulse::describe(ok.error()));
  caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
}

template <class F>
double rate(size_t events, F what) {
  const auto begin = std::chrono::steady_clock::now();
  what();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now()
                                             - begin;
  return static_cast<double>(events) / took.count();
}

size_t argument(int argc, char** argv, int index, size_t otherwise) {
  return argc > index ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

} // namespace

int main(int argc, char** argv) {
  const auto events = argument(argc, argv, 1, 200'000);
  const auto payload = argument(argc, argv, 2, 64);
  const auto rounds = argument(argc, argv, 3, 5);
  auto server = pulse::local_redis::start();
  if (!server)
    die(to_string(server.error()));
  context_ptr redis{redisConnectUnix(server->socket_path().c_str()), redisFree};
  if (!redis || redis->err != 0)
    die("cannot connect to the private Redis");
  fill(*redis, events, payload);
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto pulse = pulse::system::connect(sys, server->url());
  if (!pulse)
    die(pulse::describe(pulse.error()));
  std::printf("%zu events of %zu bytes\n", events, payload);
  for (size_t i = 0; i < rounds; ++i) {
    const auto plain = rate(events, [&] {
      if (read_plainly(*redis) != events)
        die("the plain loop missed events");
    });
    const auto reader = rate(events,
                             [&] { read_with_reader(sys, *pulse, events); });
    std::printf("plain loop %8.0f/s   reader %8.0f/s   ratio %.2f\n", plain,
                reader, reader / plain);
  }
  return EXIT_SUCCESS;
}
