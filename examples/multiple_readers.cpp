// Each reader has its own start position. These four read all events, the
// events after a given one, the events since a point in time, and only new
// events.

#include "example.hpp"

using namespace example;
using pulse::start_position;

namespace {

caf::actor read_from(node& here, start_position start, const char* label,
                     int count) {
  pulse::reader_options options;
  options.streams = {"news"};
  options.start = start;
  auto reader = must(here.pulse.reader(options));
  auto actor = here.sys.spawn(printer, label, count);
  must(reader.subscribe(actor));
  return actor;
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("news"));
  must(stream.add("headline", "first"));
  auto second = must(stream.add("headline", "second"));
  must(stream.add("headline", "third"));

  const auto an_hour_ago = std::chrono::system_clock::now()
                           - std::chrono::hours{1};
  auto a = read_from(here, start_position::oldest(), "oldest", 4);
  auto b = read_from(here, start_position::after(second), "after second", 2);
  auto c = read_from(here, start_position::at(an_hour_ago), "last hour", 4);
  auto d = read_from(here, start_position::newest(), "newest", 1);

  must(stream.add("headline", "fourth"));
  wait_for(here.sys, a, b, c, d);
}
