// Tells TSan in which order CAF's threads do things. Debian's CAF is not
// instrumented: TSan does not see the atomics of its mailboxes and reference
// counts, so that whatever one actor writes and another one reads looked like
// a race. Here the functions of CAF that hand something from thread to thread
// are replaced by ones that announce this to TSan and then call the original.
// The symbols are those of CAF 0.17.6 with the C++ ABI of GCC on Linux.

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace {

/// The function of CAF that has the name of one of ours.
template <class Function>
Function original(const char* symbol) {
  void* found = dlsym(RTLD_NEXT, symbol);
  if (found == nullptr) {
    std::fprintf(stderr, "tests/tsan: CAF has no function %s\n", symbol);
    std::abort();
  }
  return reinterpret_cast<Function>(found);
}

/// The first member of CAF's mailbox visitors: the actor that gets the message.
void* receiver_of(void* visitor) {
  return *static_cast<void**>(visitor);
}

/// An actor inherits from caf::resumable at this offset.
constexpr std::ptrdiff_t resumable_in_actor = 160;

void* actor_of(void* resumable) {
  return static_cast<char*>(resumable) - resumable_in_actor;
}

} // namespace

#define PULSE_ORIGINAL(symbol, ...)                                            \
  static auto real = original<__VA_ARGS__>(symbol)

// -- messages: from the thread that enqueues to the one that takes them
// --------

#define PULSE_ENQUEUE(name, symbol)                                            \
  extern "C" void name(void* self, void** element, void* unit) asm(symbol);    \
  void name(void* self, void** element, void* unit) {                          \
    PULSE_ORIGINAL(symbol, void (*)(void*, void**, void*));                    \
    __tsan_release(*element);                                                  \
    real(self, element, unit);                                                 \
  }

// Another thread can run the actor as soon as its mailbox is empty, so the
// actor is released after each message, and after its start (see activate()).
#define PULSE_TAKE(name, symbol)                                               \
  extern "C" int name(void* visitor, void* element) asm(symbol);               \
  int name(void* visitor, void* element) {                                     \
    PULSE_ORIGINAL(symbol, int (*)(void*, void*));                             \
    void* self = receiver_of(visitor);                                         \
    __tsan_acquire(element);                                                   \
    const int result = real(visitor, element);                                 \
    __tsan_release(self);                                                      \
    return result;                                                             \
  }

PULSE_ENQUEUE(enqueue_scheduled,
              "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_"
              "elementENS_6detail8disposerEEPNS_14execution_unitE")
PULSE_ENQUEUE(enqueue_blocking,
              "_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_"
              "elementENS_6detail8disposerEEPNS_14execution_unitE")
PULSE_TAKE(take_scheduled,
           "_ZN3caf15scheduled_actor15mailbox_visitorclERNS_15mailbox_elementE")
PULSE_TAKE(take_blocking,
           "_ZN3caf14blocking_actor15mailbox_visitorclERNS_15mailbox_elementE")

// -- actors: from the thread that ran them last to the one that runs them now
// --

#define PULSE_LAUNCH(name, symbol)                                             \
  extern "C" void name(void* self, void* unit, bool lazy,                      \
                       bool hide) asm(symbol);                                 \
  void name(void* self, void* unit, bool lazy, bool hide) {                    \
    PULSE_ORIGINAL(symbol, void (*)(void*, void*, bool, bool));                \
    __tsan_release(self);                                                      \
    real(self, unit, lazy, hide);                                              \
  }

#define PULSE_RESUME(name, symbol, actor)                                      \
  extern "C" int name(void* self, void* unit, std::size_t max) asm(symbol);    \
  int name(void* self, void* unit, std::size_t max) {                          \
    PULSE_ORIGINAL(symbol, int (*)(void*, void*, std::size_t));                \
    __tsan_acquire(actor);                                                     \
    return real(self, unit, max);                                              \
  }

PULSE_LAUNCH(launch_scheduled,
             "_ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb")
PULSE_LAUNCH(launch_broker,
             "_ZN3caf2io15abstract_broker6launchEPNS_14execution_unitEbb")
PULSE_RESUME(resume_scheduled,
             "_ZN3caf15scheduled_actor6resumeEPNS_14execution_unitEm", self)
PULSE_RESUME(resume_scheduled_thunk,
             "_ZThn160_N3caf15scheduled_actor6resumeEPNS_14execution_unitEm",
             actor_of(self))

extern "C" bool activate(void* self, void* unit) asm(
  "_ZN3caf15scheduled_actor8activateEPNS_14execution_unitE");
bool activate(void* self, void* unit) {
  PULSE_ORIGINAL("_ZN3caf15scheduled_actor8activateEPNS_14execution_unitE",
                 bool (*)(void*, void*));
  const bool result = real(self, unit);
  __tsan_release(self);
  return result;
}

// -- messages that nobody took
// -------------------------------------------------

extern "C" void request_deletion(void* self, bool reached_zero) asm(
  "_ZNK3caf14memory_managed16request_deletionEb");
void request_deletion(void* self, bool reached_zero) {
  PULSE_ORIGINAL("_ZNK3caf14memory_managed16request_deletionEb",
                 void (*)(void*, bool));
  __tsan_acquire(self);
  real(self, reached_zero);
}
