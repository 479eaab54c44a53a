// A reader chooses events by an exact topic, by a pattern of topics, or by a
// predicate. Its choice has no effect on the stream or on other readers.

#include "example.hpp"

using namespace example;

namespace {

caf::actor subscribe(node& here, pulse::filter_options filter,
                     const char* label, int count) {
  pulse::reader_options options;
  options.streams = {"chat"};
  options.filter = std::move(filter);
  auto reader = must(here.pulse.reader(options));
  auto actor = here.sys.spawn(printer, label, count);
  must(reader.subscribe(actor));
  return actor;
}

} // namespace

int main() {
  node here;
  pulse::filter_options exact;
  exact.topic = "room.lobby";
  pulse::filter_options pattern;
  pattern.topic_pattern = "room\\..*"; // RE2; must match the whole topic
  pulse::filter_options own;
  own.predicate = [](const pulse::event& x) { return x.payload().size() > 5; };

  auto lobby = subscribe(here, exact, "lobby", 1);
  auto rooms = subscribe(here, pattern, "all rooms", 2);
  auto talkers = subscribe(here, own, "long messages", 2);

  auto chat = must(here.pulse.stream("chat"));
  must(chat.add("message", "hello", "room.lobby"));
  must(chat.add("message", "good morning", "room.kitchen"));
  must(chat.add("message", "system going down", "admin"));
  wait_for(here.sys, lobby, rooms, talkers);
}
