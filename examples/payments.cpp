// Payments: an add with a dedup ID is stored once, even if it is repeated. An
// event that no worker can handle becomes a dead letter, which says why. After
// the cause is mended, the dead letter is redriven.

#include "example.hpp"

#include <chrono>

using namespace example;

namespace {

// Books the payment. Without an account, `term` gives the event up for good,
// because another attempt would fail as well.
caf::behavior bank(caf::event_based_actor* self, bool account_is_open) {
  return {
    [=](const pulse::event& x) -> caf::result<void> {
      if (!account_is_open)
        return pulse::term("no such account");
      std::cout << "booked: " << x.payload() << std::endl;
      self->quit();
      return caf::unit;
    },
  };
}

} // namespace

int main() {
  node here;
  auto stream = must(here.pulse.stream("payments"));

  // A caller that did not get the first answer adds the payment again, perhaps
  // through another node. Both adds have the same dedup ID, so Redis stores the
  // payment once. Each run of this program makes another payment.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto payment = "payment " + std::to_string(now.count());
  const auto first = must(stream.add("paid", "100 EUR", "", payment));
  const auto again = must(stream.add("paid", "100 EUR", "", payment));
  std::cout << (first == again ? "stored once" : "stored twice!") << std::endl;

  pulse::sink_options options;
  options.name = "booking";
  options.streams = {"payments"};
  options.start = pulse::start_position::oldest();
  auto sink = must(here.pulse.sink(options));
  auto strict = here.sys.spawn(bank, false);
  must(sink.subscribe(strict));

  pulse::dead_query query;
  query.sink = "booking";
  std::vector<pulse::dead_letter> letters;
  while (letters.empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    letters = must(stream.dead_letters(query));
  }
  std::cout << "given up: " << letters[0].payload << ", " << letters[0].reason
            << std::endl;

  // Now the account exists. Only this sink gets the event again.
  must(sink.unsubscribe(strict));
  auto knowing = here.sys.spawn(bank, true);
  must(sink.subscribe(knowing));
  pulse::redrive_request request;
  request.sink = "booking";
  std::cout << "redriven: " << must(stream.redrive(request)).redriven
            << std::endl;
  wait_for(here.sys, knowing);
  caf::anon_send_exit(strict, caf::exit_reason::user_shutdown);
}
