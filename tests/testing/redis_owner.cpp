#include "pulse/testing/local_redis.hpp"

#include <unistd.h>

#include <iostream>

// Starts a private Redis, prints "<pid> <socket>" and waits to be killed.
int main() {
  auto server = pulse::local_redis::start();
  if (!server) {
    std::cerr << to_string(server.error()) << '\n';
    return EXIT_FAILURE;
  }
  std::cout << server->pid() << ' ' << server->socket_path() << std::endl;
  for (;;)
    pause();
}
