// One sink reads several streams, which are added and removed while it runs.
// The sink keeps its position in a stream that was removed. When the stream is
// added again, the sink continues there.

#include "example.hpp"

using namespace example;
using pulse::start_position;

int main() {
  node here;
  auto orders = must(here.pulse.stream("orders"));
  auto returns = must(here.pulse.stream("returns"));
  must(orders.add("order_placed", "tea"));
  must(returns.add("order_returned", "milk"));

  pulse::sink_options options;
  options.name = "audit";
  options.streams = {"orders"};
  options.start = start_position::oldest();
  auto sink = must(here.pulse.sink(options));

  auto first = here.sys.spawn(printer, "orders and returns", 2);
  must(sink.subscribe(first));
  must(sink.add_stream("returns", start_position::oldest()));
  wait_for(here.sys, first);

  must(sink.remove_stream("orders"));
  must(orders.add("order_placed", "not read for now"));
  must(returns.add("order_returned", "sugar"));
  auto second = here.sys.spawn(printer, "only returns", 1);
  must(sink.subscribe(second));
  wait_for(here.sys, second);

  auto third = here.sys.spawn(printer, "orders again", 1);
  must(sink.subscribe(third));
  must(sink.add_stream("orders"));
  wait_for(here.sys, third);
}
