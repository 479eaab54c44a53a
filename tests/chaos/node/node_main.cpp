// A process of a chaos run: a producer, a sink or a reader, which uses the
// public interface. It writes its actions to a journal. SIGTERM ends it;
// SIGUSR1 makes it close its sink and open it again, SIGUSR2 makes it block its
// pooled threads. It reports on its standard output when it is ready for
// signals, and when its work has begun.
//
//     pulse-chaos-node role=sink name=… url=… journal=… …

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/core/log.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include "chaos/node/protocol.hpp"
#include "chaos/node/role.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

namespace {

using namespace pulse;
using namespace pulse::chaos;

// Signals are blocked before any thread starts, so that all threads inherit
// that.
sigset_t block_signals() {
  sigset_t result;
  sigemptyset(&result);
  sigaddset(&result, SIGTERM);
  sigaddset(&result, SIGUSR1);
  sigaddset(&result, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &result, nullptr);
  return result;
}

void say(const char* line) {
  std::fputs(line, stdout);
  std::fflush(stdout);
}

// Waits for a signal for at most `ms`. Returns 0 if none came.
int wait_for_signal(const sigset_t& set, long ms, int* value = nullptr) {
  const timespec limit{ms / 1'000, ms % 1'000 * 1'000'000};
  siginfo_t info{};
  const int result = ::sigtimedwait(&set, &info, &limit);
  if (value != nullptr)
    *value = info.si_value.sival_int;
  return result > 0 ? result : 0;
}

// Two threads are enough, because workers have threads of their own, and many
// processes share the machine.
constexpr size_t pooled_threads = 2;

// Lets actors block all threads of the pool.
void starve(const role_context& ctx, int ms) {
  ctx.log.write("z " + std::to_string(ms));
  for (size_t i = 0; i < pooled_threads; ++i)
    ctx.sys.spawn([ms](caf::event_based_actor*) {
      std::this_thread::sleep_for(std::chrono::milliseconds{ms});
    });
}

std::unique_ptr<role> make_role(role_context ctx) {
  const auto name = ctx.args.text("role");
  if (name == "producer")
    return make_producer(ctx);
  if (name == "sink")
    return make_sink(ctx);
  return make_reader(ctx);
}

// Repeats the attempt, because Redis may be away when the process starts.
std::optional<pulse::system> connect(caf::actor_system& sys,
                                     const node_args& args,
                                     const sigset_t& signals) {
  redis_options redis;
  redis.url = args.text("url");
  redis.client_name = args.text("name");
  redis.connect_timeout = std::chrono::seconds{2};
  redis.command_timeout = std::chrono::seconds{2};
  for (;;) {
    if (auto result = pulse::system::connect(sys, redis))
      return std::move(*result);
    if (wait_for_signal(signals, 50) == SIGTERM)
      return std::nullopt;
  }
}

int run(role& what, const role_context& ctx, const sigset_t& signals) {
  int signal = 0;
  while (!what.open())
    if (signal = wait_for_signal(signals, 50); signal == SIGTERM)
      return EXIT_FAILURE;
  say(open_line);
  while (signal != SIGTERM) {
    int value = 0;
    signal = wait_for_signal(signals, 1'000, &value);
    if (signal == SIGUSR1)
      what.reopen();
    else if (signal == SIGUSR2)
      starve(ctx, value);
  }
  return what.finish() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char** argv) {
  const auto signals = block_signals();
  say(ready_line);
  const node_args args{argc, argv};
  set_log_function([](log_level level, std::string_view line) {
    std::fprintf(stderr, "%lld %s %.*s\n", static_cast<long long>(now_us()),
                 to_string(level).c_str(), static_cast<int>(line.size()),
                 line.data());
  });
  journal log{args.text("journal")};
  pulse::config cfg;
  cfg.set(PULSE_CAF_OPTION("scheduler.max-threads"), pooled_threads);
  caf::actor_system sys{cfg};
  auto pulse = connect(sys, args, signals);
  if (!pulse)
    return EXIT_FAILURE;
  const role_context ctx{sys, *pulse, args, log};
  auto what = make_role(ctx);
  auto status = run(*what, ctx, signals);
  if (!pulse->close())
    status = EXIT_FAILURE;
  if (status == EXIT_SUCCESS)
    log.write("x");
  return status;
}
