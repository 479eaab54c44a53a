#define CAF_SUITE actors.config

#include "pulse/actors/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>

#include <caf/test/unit_test.hpp>

using namespace pulse;

CAF_TEST(the values that CAF needs for us are set) {
  config cfg;
  CAF_CHECK(get_or(cfg, "scheduler.policy", caf::atom("")) //
            == caf::atom("sharing"));
  CAF_CHECK_EQUAL(get_or(cfg, "scheduler.max-throughput", size_t{0}), 200u);
  CAF_CHECK(get_or(cfg, "middleman.heartbeat-interval", caf::timespan{0})
            == std::chrono::seconds{1});
  CAF_CHECK(get_or(cfg, "middleman.connection-timeout", caf::timespan{0})
            == std::chrono::seconds{5});
  const auto ids = get_or(cfg, "middleman.app-identifiers",
                          std::vector<std::string>{});
  CAF_CHECK(ids == std::vector<std::string>{"pulse-1"});
}

CAF_TEST(no file of the current directory is read) {
  config cfg;
  CAF_CHECK_EQUAL(cfg.config_file_path, "");
}

CAF_TEST(all message types are registered and the middleman is there) {
  config cfg;
  auto known = [&](const char* name) {
    return cfg.value_factories_by_name.count(name) == 1;
  };
  CAF_CHECK(known("pulse::event"));
  CAF_CHECK(known("pulse::sink_actor"));
  CAF_CHECK(known("pulse::root_actor"));
  caf::actor_system sys{cfg};
  CAF_CHECK(sys.has_middleman());
}

CAF_TEST(the actor system renders our errors) {
  config cfg;
  caf::actor_system sys{cfg};
  const auto text = sys.render(make_error({errc::closed, "it was closed"}));
  CAF_CHECK(text.find("closed: it was closed") != std::string::npos);
}

CAF_TEST(add_pulse keeps what the user has set) {
  const std::vector<std::string> ids{"orders"};
  caf::actor_system_config cfg;
  cfg.set("scheduler.policy", caf::atom("stealing"))
    .set("scheduler.max-throughput", size_t{77})
    .set("middleman.heartbeat-interval", caf::timespan{0})
    .set("middleman.app-identifiers", ids);
  add_pulse(cfg);
  CAF_CHECK(get_or(cfg, "scheduler.policy", caf::atom(""))
            == caf::atom("stealing"));
  CAF_CHECK_EQUAL(get_or(cfg, "scheduler.max-throughput", size_t{0}), 77u);
  CAF_CHECK(get_or(cfg, "middleman.heartbeat-interval", caf::timespan{9})
            == caf::timespan{0});
  CAF_CHECK(get_or(cfg, "middleman.app-identifiers", std::vector<std::string>{})
            == ids);
}

CAF_TEST(add_pulse leaves alone what would cut off other nodes) {
  caf::actor_system_config cfg;
  add_pulse(cfg);
  CAF_CHECK(!caf::get_if(&cfg.content, "middleman.app-identifiers"));
  CAF_CHECK(!caf::get_if(&cfg.content, "middleman.connection-timeout"));
  CAF_CHECK(get_or(cfg, "scheduler.policy", caf::atom(""))
            == caf::atom("sharing"));
}

CAF_TEST(a loaded middleman is not loaded again) {
  caf::actor_system_config cfg;
  cfg.load<caf::io::middleman>();
  add_pulse(cfg);
  add_pulse(cfg);
  CAF_CHECK_EQUAL(cfg.module_factories.size(), 1u);
}

CAF_TEST(nodes with and without the library connect) {
  caf::actor_system_config with;
  caf::actor_system_config without;
  without.load<caf::io::middleman>();
  for (auto* cfg : {&with, &without})
    cfg->set("middleman.app-identifiers", std::vector<std::string>{"orders"});
  add_pulse(with);
  caf::actor_system ours{with};
  caf::actor_system theirs{without};
  auto port = ours.middleman().open(0, "127.0.0.1");
  CAF_REQUIRE(port);
  auto node = theirs.middleman().connect("127.0.0.1", *port);
  CAF_REQUIRE(node);
  CAF_CHECK(*node == ours.node());
}
