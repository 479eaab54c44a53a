// With manual acks the worker decides when an event is done. It acknowledges
// the event with a message, perhaps long after its handler returned. The sink
// delivers events that are not acknowledged again, here or on another node.

#include "example.hpp"

using namespace example;

namespace {

// Acknowledges each event, and ends after `count` acks that Redis confirmed.
caf::behavior worker(caf::event_based_actor* self, pulse::sink_actor sink,
                     int count) {
  auto left = std::make_shared<int>(count);
  return {
    [=](const pulse::event& x) {
      std::cout << "works on " << x.payload() << std::endl;
      self->request(sink, caf::infinite, pulse::atom::ack_v, x.delivery())
        .then([=] { // Redis has it
          if (--*left == 0)
            self->quit();
        });
    },
  };
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("orders"));
  for (auto* item : {"tea", "milk", "sugar"})
    must(stream.add("order_placed", item));

  pulse::sink_options options;
  options.name = "billing";
  options.streams = {"orders"};
  options.start = pulse::start_position::oldest();
  options.ack = pulse::ack_mode::manual;
  auto sink = must(here.pulse.sink(options));

  auto actor = here.sys.spawn(worker, sink.handle(), 3);
  must(sink.subscribe(actor));
  wait_for(here.sys, actor);
  std::cout << must(sink.info()).acked << " acknowledged\n";
}
