// A process to be killed: starts the program that its arguments name, prints
// the PID of that process, and waits.

#include "common/process/child_process.hpp"
#include <unistd.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  auto child = pulse::apps::child_process::start({argv + 1, argv + argc});
  if (!child) {
    std::cerr << child.error().what << std::endl;
    return EXIT_FAILURE;
  }
  std::cout << child->pid() << std::endl;
  ::pause();
  return EXIT_SUCCESS;
}
