// An actor that handles events in batches: one message, one answer and one
// statement of a database for up to 100 events. What arrives while the actor is
// busy is its next batch, and nobody waits until a batch is full.
// sink.handle_batches(book) would do the same on a thread of its own.

#include "example.hpp"

#include <chrono>
#include <thread>

using namespace example;

namespace {

// --(batches-begin)--
// Books orders together.
pulse::batch_outcome book(const pulse::event_batch& orders) {
  pulse::batch_outcome result; // returning acknowledges all of them
  std::string items;
  for (size_t i = 0; i < orders.size(); ++i)
    if (orders[i].payload().empty())
      result.fail(i, pulse::term("an order of nothing")); // a dead letter
    else
      items.append(" ").append(orders[i].payload());
  std::cout << "booked" + items + "\n";
  return result;
}
// --(batches-end)--

caf::behavior booking(caf::event_based_actor*) {
  return {[](const pulse::event_batch& orders) { return book(orders); }};
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("orders"));
  for (auto* item : {"tea", "milk", "", "sugar"})
    must(stream.add("order_placed", item));

  pulse::sink_options options;
  options.name = "booking";
  options.streams = {"orders"};
  options.start = pulse::start_position::oldest();
  auto sink = must(here.pulse.sink(options));

  auto worker = here.sys.spawn(booking);
  pulse::subscription how;
  how.max_batch = 100;
  must(sink.subscribe(worker, how));
  for (auto n = must(sink.info()); n.acked + n.dead_letters < 4;
       n = must(sink.info()))
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}
