// Two CAF nodes. The first one is connected to Redis and publishes its root
// actor through the middleman. The second one has no connection to Redis: it
// opens streams and sinks over the network, adds events and handles them with
// the same messages that local actors use. Both nodes run in one process here;
// two processes need no other code.

#include <caf/io/all.hpp>

#include "example.hpp"

using namespace example;

namespace {

// The second node. It knows only the address of the root actor.
void far_node(uint16_t port) {
  pulse::config cfg;
  caf::actor_system sys{cfg};
  auto root
    = must(sys.middleman().remote_actor<pulse::root_actor>("127.0.0.1", port));
  caf::scoped_actor self{sys};
  auto fail = [](const caf::error& err) {
    std::cerr << pulse::describe(err) << '\n';
    std::exit(EXIT_FAILURE);
  };
  // Requests to other nodes need a timeout, because a lost node never answers.
  const auto limit = std::chrono::seconds{10};

  pulse::stream_actor stream;
  pulse::stream_options stream_options;
  stream_options.name = "parcels";
  self->request(root, limit, caf::open_atom_v, stream_options)
    .receive([&](pulse::stream_actor& x) { stream = std::move(x); }, fail);

  pulse::sink_actor sink;
  pulse::sink_options sink_options;
  sink_options.name = "delivery";
  sink_options.streams = {"parcels"};
  self->request(root, limit, caf::open_atom_v, sink_options)
    .receive([&](pulse::sink_actor& x) { sink = std::move(x); }, fail);

  auto worker = sys.spawn(printer, "far worker", 2);
  self
    ->request(sink, limit, caf::subscribe_atom_v,
              caf::actor_cast<pulse::event_listener>(worker),
              pulse::subscription{})
    .receive([] {}, fail);

  for (auto* what : {"books", "shoes"})
    self
      ->request(stream, limit, caf::add_atom_v,
                pulse::new_event{"parcel_sent", what, {}})
      .receive(
        [&](pulse::event_id id) {
          std::cout << "far producer: added " + to_string(id) + "\n";
        },
        fail);
  self->wait_for(worker);
}

} // namespace

int main() {
  node here;
  auto& middleman = here.sys.middleman();
  auto port = must(middleman.publish(here.pulse.handle(), 0, "127.0.0.1"));
  far_node(port);
  must(middleman.unpublish(here.pulse.handle(), port));
}
