// This library is preloaded into redis-server, and changes its wall clock. The
// environment variable PULSE_CHAOS_CLOCK has the name of a file with the offset
// (microseconds, int64_t). Redis measures idle times and blocking times by that
// clock.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

const volatile int64_t* map_offset() {
  static const int64_t none = 0;
  const char* path = std::getenv("PULSE_CHAOS_CLOCK");
  const int fd = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0)
    return &none;
  void* at = ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return at != MAP_FAILED ? static_cast<const volatile int64_t*>(at) : &none;
}

int64_t offset_us() {
  static const volatile int64_t* const offset = map_offset();
  return *offset;
}

} // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
  const auto result
    = static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  if (result == 0 && clock == CLOCK_REALTIME) {
    const auto ns = out->tv_nsec + offset_us() % 1'000'000 * 1'000
                    + 1'000'000'000; // never negative
    out->tv_sec += offset_us() / 1'000'000 + ns / 1'000'000'000 - 1;
    out->tv_nsec = ns % 1'000'000'000;
  }
  return result;
}

extern "C" int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1'000;
  return result;
}
