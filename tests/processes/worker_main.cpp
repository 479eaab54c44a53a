// A node with one sink and two workers, for tests that kill it. It prints one
// line when a worker begins with an event, and one when it has handled it. For
// a redelivered event there is a line with its counts before. An event with the
// payload "poison" kills the process. If the node is told to, it adds an event
// every few microseconds as well, and prints a line when Redis has it.
//
//     pulse-test-worker <url> <sink> <stream> <lease ms> <handling µs>
//                       [<µs between adds>]

#include "pulse/all.hpp"

#include <caf/all.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

namespace {

// One write per line, so that the lines of several threads stay complete, even
// if the process is killed in the next moment.
void print(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0)
    std::_Exit(EXIT_FAILURE);
}

caf::behavior worker(std::chrono::microseconds pause) {
  return {
    [=](const pulse::event& x) {
      const auto& n = x.counts();
      if (n.deliveries > 1)
        print("again " + to_string(x.id()) + " " + std::to_string(n.deliveries)
              + " " + std::to_string(n.failures) + " "
              + std::to_string(n.crashes) + "\n");
      print("begin " + to_string(x.id()) + "\n");
      if (x.payload() == "poison")
        std::_Exit(EXIT_FAILURE);
      std::this_thread::sleep_for(pause);
      print("end " + to_string(x.id()) + "\n");
    },
  };
}

// Adds events until the signal comes. @returns false if an add failed.
bool add_until(const sigset_t& stop, pulse::stream stream,
               std::chrono::microseconds pause) {
  const timespec interval{0, static_cast<long>(pause.count()) * 1000};
  while (sigtimedwait(&stop, nullptr, &interval) < 0) {
    auto id = stream.add("number", "");
    if (!id) {
      std::cerr << pulse::describe(id.error()) << '\n';
      return false;
    }
    print("added " + to_string(*id) + "\n");
  }
  return true;
}

bool wait_for(const sigset_t& stop) {
  int signal = 0;
  return sigwait(&stop, &signal) == 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7)
    return EXIT_FAILURE;
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto pulse = pulse::system::connect(sys, argv[1]);
  if (!pulse) {
    std::cerr << pulse::describe(pulse.error()) << '\n';
    return EXIT_FAILURE;
  }
  pulse::sink_options options;
  options.name = argv[2];
  options.streams = {argv[3]};
  options.start = pulse::start_position::oldest();
  options.lease = std::chrono::milliseconds{std::atoi(argv[4])};
  auto sink = pulse->sink(options);
  const std::chrono::microseconds pause{std::atoi(argv[5])};
  auto first = sys.spawn(worker, pause);
  auto second = sys.spawn(worker, pause);
  if (!sink || !sink->subscribe(first) || !sink->subscribe(second))
    return EXIT_FAILURE;
  print("ready\n");
  bool ok = false;
  if (argc == 6) {
    ok = wait_for(stop);
  } else if (auto stream = pulse->stream(argv[3])) {
    const std::chrono::microseconds interval{std::atoi(argv[6])};
    ok = add_until(stop, std::move(*stream), interval);
  }
  return pulse->close() && ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
