// With CAF 1.x the events of a sink or a reader can be a flow: an observable
// with the operators of CAF, such as buffer, map, filter, merge and take.

#include "example.hpp"
#include <pulse/flow.hpp>

using namespace example;

namespace {

// --(flow-begin)--
// Books payments in batches: up to 100, or what comes within 50 ms. Returning
// acknowledges the batch. If the function throws, all its events come again.
void booking(caf::event_based_actor* self, const pulse::sink_actor& sink) {
  pulse::observe(self, sink, 200) // holds at most 200 events
    .buffer(100, std::chrono::milliseconds{50})
    .for_each(pulse::ack_batch([](const std::vector<pulse::delivery>& batch) {
      for (const auto& x : batch)
        std::cout << "books " + std::string{x->payload()} + "\n";
    }));
}

// Prints the first payments of more than 100. Nothing is acknowledged here: a
// reader only reads.
void big_ones(caf::event_based_actor* self, const pulse::reader_actor& reader) {
  pulse::observe(self, reader)
    .filter([](const pulse::event& x) { return x.payload().size() > 2; })
    .take(2)
    .for_each([](const pulse::event& x) {
      std::cout << "big: " + std::string{x.payload()} + "\n";
    });
}
// --(flow-end)--

// --(mail-begin)--
void pay(caf::event_based_actor* self, const pulse::stream_actor& stream,
         std::string amount) {
  self->mail(caf::add_atom_v, pulse::new_event{"paid", std::move(amount), ""})
    .request(stream, caf::infinite)
    .then(
      [](pulse::event_id id) { std::cout << "stored at " << id.ms << '\n'; },
      [](const caf::error& why) { std::cerr << pulse::describe(why) << '\n'; });
}
// --(mail-end)--

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("payments"));
  pulse::sink_options options;
  options.name = "booking";
  options.streams = {"payments"};
  options.start = pulse::start_position::oldest();
  auto sink = must(here.pulse.sink(options));
  pulse::reader_options reading;
  reading.streams = {"payments"};
  reading.start = pulse::start_position::oldest();
  auto reader = must(here.pulse.reader(reading));

  auto books = here.sys.spawn(booking, sink.handle());
  auto prints = here.sys.spawn(big_ones, reader.handle());
  for (auto* amount : {"20", "300", "45", "1000"})
    here.sys.spawn(pay, stream.handle(), amount);

  wait_for(here.sys, prints); // ends with its flow, after two events
  while (must(sink.info()).acked < 4)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  must(sink.close()); // completes the other flow
  wait_for(here.sys, books);
}
