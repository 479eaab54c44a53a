#define CAF_SUITE apps.node.remote

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "common/event_worker.hpp"
#include "support/environment.hpp"

#include <future>
#include <optional>

// Actors of another process use a pulse-node through the middleman.

using namespace pulse;
using namespace pulse::test;

namespace {

constexpr const char* config = R"(
[node]
listen = "127.0.0.1:0"
[[sink]]
name = "s"
streams = ["orders"]
start = "oldest"
target = "remote"
)";

struct fixture : app_fixture {
  fixture() {
    server.emplace("pulse-node",
                   std::vector<std::string>{"-c", file("n.toml", config)},
                   environment());
    if (!server->logs("ready"))
      CAF_FAIL(server->errors());
    auto remote = sys.middleman().remote_actor<root_actor>("127.0.0.1", port());
    if (!remote)
      CAF_FAIL(describe(remote.error()));
    root = *remote;
  }

  uint16_t port() const {
    const std::string mark = "find it at port ";
    const auto log = server->errors();
    const auto i = log.find(mark);
    if (i == std::string::npos)
      CAF_FAIL(log);
    return static_cast<uint16_t>(std::stoi(log.substr(i + mark.size())));
  }

  pulse::config cfg;
  caf::actor_system sys{cfg};
  std::optional<program> server;
  root_actor root;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(remote_tests, fixture)

CAF_TEST(an actor of another process takes the events of a sink) {
  caf::scoped_actor self{sys};
  sink_actor sink;
  self->request(root, patience, caf::get_atom_v, atom::sink_v, std::string{"s"})
    .receive([&](sink_actor& x) { sink = x; },
             [&](caf::error& why) { CAF_FAIL(describe(why)); });
  std::promise<std::string> got;
  auto worker = apps::spawn_worker(sys, [&](const event& x) -> status {
    got.set_value(std::string{x.sink()} + ": " + std::string{x.payload()});
    return {};
  });
  self->request(sink, patience, caf::subscribe_atom_v, worker, subscription{})
    .receive([] {}, [&](caf::error& why) { CAF_FAIL(describe(why)); });
  std::ignore = add("orders", {"over the wire"});
  auto text = got.get_future();
  CAF_REQUIRE(text.wait_for(patience) == std::future_status::ready);
  CAF_CHECK_EQUAL(text.get(), "s: over the wire");
  CAF_CHECK(info_shows("orders", R"("pending":0,"lag":0)"));
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  server->signal(SIGTERM);
  CAF_CHECK_EQUAL(server->wait(), 0);
}

CAF_TEST(an actor of another process adds through a stream of the node) {
  caf::scoped_actor self{sys};
  stream_options options;
  options.name = "orders";
  stream_actor stream;
  self->request(root, patience, caf::open_atom_v, options)
    .receive([&](stream_actor& x) { stream = x; },
             [&](caf::error& why) { CAF_FAIL(describe(why)); });
  event_id id;
  self->request(stream, patience, caf::add_atom_v, new_event{"e", "remote", ""})
    .receive([&](event_id x) { id = x; },
             [&](caf::error& why) { CAF_FAIL(describe(why)); });
  CAF_CHECK(info_shows("orders", to_string(id)));
}

CAF_TEST_FIXTURE_SCOPE_END()
