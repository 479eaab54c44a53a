// A reader gets a copy of every event, here from the oldest one on. It does not
// acknowledge events and does not change the stream.

#include "example.hpp"

using namespace example;

int main() {
  node here;
  auto stream = must(here.pulse.stream("weather"));
  must(stream.add("temperature", "21.5"));
  must(stream.add("wind", "3.2"));

  pulse::reader_options options;
  options.streams = {"weather"};
  options.start = pulse::start_position::oldest();
  auto reader = must(here.pulse.reader(options));

  auto actor = here.sys.spawn(printer, "reader", 3);
  must(reader.subscribe(actor));
  must(stream.add("rain", "0.4")); // events added later arrive as well
  wait_for(here.sys, actor);
}
