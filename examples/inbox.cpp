// A thread of your own fetches events when it has time: here it stores up to
// 100 at once. It waits on a file descriptor, so the same loop can wait for
// sockets and timers as well. A crash before ack() loses nothing: the events
// come again.

#include "example.hpp"
#include <poll.h>

#include <set>

using namespace example;
using namespace std::chrono_literals;

namespace {

// Waits until events are there.
void wait_for_events(const pulse::sink_inbox& inbox) {
  pollfd events{inbox.fd(), POLLIN, 0};
  ::poll(&events, 1, 5'000);
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("orders"));
  for (auto* item : {"tea", "milk", "sugar"})
    must(stream.add("order_placed", item));

  pulse::sink_options options;
  options.name = "warehouse";
  options.streams = {"orders"};
  options.start = pulse::start_position::oldest();
  auto sink = must(here.pulse.sink(options));
  auto inbox = must(sink.inbox({100}));

  std::set<std::string> stored;
  while (stored.size() < 3) {
    wait_for_events(inbox);
    const auto orders = must(inbox.poll(100));
    for (const auto& x : orders)
      stored.insert(std::string{x->payload()}); // one transaction for all
    for (const auto& x : orders)
      x.ack();
  }
  inbox.close();
  must(sink.close()); // waits for the acks
  std::cout << "stored " << stored.size() << " orders\n";
}
