// A producer adds many events without waiting for each answer: it is ahead of
// Redis by a window of open adds, and blocks only while the window is full. No
// event is lost silently: one that cannot be added comes back with its reason.

#include "example.hpp"

#include <atomic>

using namespace example;

namespace {

// An actor must not block. It sends its next add when the last one has entered
// the window, so it is never ahead of the producer by more than one event.
void count_up(caf::event_based_actor* self, const pulse::producer_actor& to,
              int from, int end) {
  if (from == end)
    return;
  self
    ->request(to, caf::infinite, caf::add_atom_v,
              pulse::new_event{"measured", std::to_string(from), "actor"})
    .then([=] { count_up(self, to, from + 1, end); },
          [](const caf::error& why) {
            std::cerr << pulse::describe(why) << '\n';
          });
}

} // namespace

int main() {
  node here;
  pulse::stream_options options;
  options.name = "measurements";
  options.max_payload = 100;
  auto stream = must(here.pulse.stream(options));

  pulse::producer_options window;
  window.max_open = 64;
  std::atomic<int> spooled{0};
  // The handler runs on a thread of its own, so it may block: here it could
  // write the event to a file.
  auto out = must(stream.producer(window, [&](const pulse::failed_add& x) {
    ++spooled;
    std::cout << "spooled: " << x.event.name << ", " << to_string(x.why)
              << std::endl;
  }));

  for (int i = 0; i < 5'000; ++i)
    must(out.add("measured", std::to_string(i), "thread"));
  must(out.add("too_large", std::string(1'000, 'x')));
  auto actor = here.sys.spawn(
    [to = out.handle()](caf::event_based_actor* self) -> caf::behavior {
      count_up(self, to, 0, 1'000);
      return {};
    });
  wait_for(here.sys, actor);

  // What failed without a handler would be in the result.
  must(out.flush(std::chrono::seconds{10}));
  const auto info = out.info();
  std::cout << info.added << " added, " << info.failed << " failed, at most "
            << info.most_open << " open at a time" << std::endl;
  return info.added == 6'000 && spooled == 1 && info.most_open <= 64 ? 0 : 1;
}
