// Each sink gets every event, and the workers of one sink share its events.
// Here two workers share the events of "billing", and the only worker of
// "shipping" gets all events.

#include "example.hpp"

using namespace example;

namespace {

pulse::sink open_sink(node& here, const char* name) {
  pulse::sink_options options;
  options.name = name;
  options.streams = {"orders"};
  options.start = pulse::start_position::oldest();
  options.credit = 1; // one event at a time for each worker
  return must(here.pulse.sink(options));
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("orders"));
  for (int i = 1; i <= 4; ++i)
    must(stream.add("order_placed", "order " + std::to_string(i)));

  auto billing = open_sink(here, "billing");
  auto shipping = open_sink(here, "shipping");
  auto clerk1 = here.sys.spawn(printer, "billing, clerk 1", 2);
  auto clerk2 = here.sys.spawn(printer, "billing, clerk 2", 2);
  auto packer = here.sys.spawn(printer, "shipping", 4);
  must(billing.subscribe(clerk1));
  must(billing.subscribe(clerk2));
  must(shipping.subscribe(packer));
  wait_for(here.sys, clerk1, clerk2, packer);
}
