// Judges the journals of a chaos run. The exit status is 0 if all guarantees
// held, 1 if one was violated, and 2 if the run cannot be judged.
//
//     pulse-chaos-check DIR

#include "chaos/checker/checker.hpp"
#include "chaos/checker/loader.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: pulse-chaos-check DIR\n", stderr);
    return 2;
  }
  const auto run = pulse::chaos::load(argv[1]);
  if (!run) {
    std::fprintf(stderr, "%s\n", run.error().what.c_str());
    return 2;
  }
  const auto found = pulse::chaos::judge(*run);
  std::fputs(to_string(found).c_str(), stdout);
  return found.good() ? 0 : 1;
}
