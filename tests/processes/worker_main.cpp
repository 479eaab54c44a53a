// A node with one sink and two workers, for tests that kill it. It prints one
// line when a worker begins with an event, and one when it has handled it. For
// a redelivered event there is a line with its counts before. An event with the
// payload "poison" kills the process.
//
//     pulse-test-worker <url> <sink> <stream> <lease ms> <microseconds an
//     event>

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

} // namespace

int main(int argc, char** argv) {
  if (argc != 6)
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
  int signal = 0;
  sigwait(&stop, &signal);
  return pulse->close() ? EXIT_SUCCESS : EXIT_FAILURE;
}
