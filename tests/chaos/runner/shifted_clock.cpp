#include "chaos/runner/shifted_clock.hpp"

#include "common/process/child_process.hpp"
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace pulse::chaos {

shifted_clock::shifted_clock(const std::string& directory) {
  const auto path = directory + "/clock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  set(0);
  ::setenv("PULSE_CHAOS_CLOCK", path.c_str(), 1);
  ::setenv("LD_PRELOAD", apps::sibling_program("pulse-chaos-clock.so").c_str(),
           1);
}

shifted_clock::~shifted_clock() {
  release();
  ::close(fd_);
}

void shifted_clock::release() {
  ::unsetenv("LD_PRELOAD");
}

void shifted_clock::set(int64_t offset_us) {
  if (::pwrite(fd_, &offset_us, sizeof(offset_us), 0) != sizeof(offset_us)) {
    std::perror("the file with the clock's offset");
    std::exit(2);
  }
}

} // namespace pulse::chaos
