// A worker acknowledges an event when its handler returns. If the worker dies
// instead, another worker gets the event at once. The event's counts tell this
// worker that it was delivered before.

#include "example.hpp"

using namespace example;

namespace {

// This worker dies before it returns, so it acknowledges nothing.
caf::behavior unlucky() {
  return {
    [](const pulse::event& x) {
      std::cout << "unlucky: takes " << x.payload() << " and dies" << std::endl;
      throw std::runtime_error("out of paper");
    },
  };
}

caf::behavior lucky(caf::event_based_actor* self) {
  return {
    [=](const pulse::event& x) -> caf::result<void> {
      std::cout << "lucky: delivery " << x.counts().deliveries << " of "
                << x.payload() << ", deaths so far " << x.counts().crashes
                << std::endl;
      // An error is a nack: the sink delivers the event again after the next
      // pause of sink_options::backoff.
      if (x.counts().failures == 0)
        return caf::make_error(pulse::errc::unavailable,
                               "printer is warming up");
      self->quit();
      return caf::unit;
    },
  };
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("invoices"));

  pulse::sink_options options;
  options.name = "printing";
  options.streams = {"invoices"};
  options.start = pulse::start_position::oldest();
  options.backoff = {std::chrono::milliseconds{200}};
  auto sink = must(here.pulse.sink(options));

  auto first = here.sys.spawn(unlucky);
  must(sink.subscribe(first));
  must(stream.add("invoice_created", "invoice 4711"));
  wait_for(here.sys, first);

  auto second = here.sys.spawn(lucky);
  must(sink.subscribe(second));
  wait_for(here.sys, second);
}
