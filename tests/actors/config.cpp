#define CAF_SUITE actors.config

#include "pulse/actors/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>

#include <sstream>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

std::string url(const caf::expected<redis_options>& x) {
  return x ? x->url : describe(x.error());
}

} // namespace

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

CAF_TEST(the group pulse says how to connect to Redis) {
  auto read = [](std::vector<std::string> args, const std::string& file) {
    config cfg;
    std::istringstream in{file};
    if (auto err = cfg.parse(std::move(args), in))
      CAF_FAIL(to_string(err));
    return redis_options_of(cfg);
  };
  CAF_CHECK_EQUAL(url(read({}, "")), redis_options{}.url);
  const std::string file = "[pulse]\nredis-url = \"redis://file\"\n"
                           "client-name = \"me\"\ncommand-timeout = 250ms\n";
  const auto from_file = read({}, file);
  CAF_REQUIRE(from_file);
  CAF_CHECK_EQUAL(from_file->url, "redis://file");
  CAF_CHECK_EQUAL(from_file->client_name, "me");
  CAF_CHECK_EQUAL(from_file->command_timeout.count(), 250);
  CAF_CHECK_EQUAL(url(read({"--pulse.redis-url=redis://cli"}, file)),
                  "redis://cli");
  config cfg;
  cfg.set("pulse.redis-url", "redis://set");
  CAF_CHECK_EQUAL(url(redis_options_of(cfg)), "redis://set");
  for (const auto* wrong :
       {"redis-url = 5", "connect-timeout = 5", "command-timeout = \"5s\""}) {
    const auto mistyped = read({}, std::string{"[pulse]\n"} + wrong + "\n");
    CAF_REQUIRE(!mistyped);
    const std::string text = wrong;
    CAF_CHECK_EQUAL(describe(mistyped.error())
                      .find("invalid_option: pulse."
                            + text.substr(0, text.find(' ')) + ": "),
                    0u);
    CAF_MESSAGE(describe(mistyped.error()));
  }
  const auto bad = read({"--pulse.connect-timeout=0s"}, "");
  CAF_REQUIRE(!bad);
  CAF_CHECK_EQUAL(describe(bad.error()).substr(0, 38),
                  "invalid_option: redis.connect_timeout:");
}

CAF_TEST(a class of a user can have the group beside its own options) {
  struct user_config : caf::actor_system_config {
    user_config() {
      add_pulse(*this);
      add_pulse_options(custom_options_);
      opt_group{custom_options_, "shop"}.add<std::string>("name", "its name");
    }
  };
  user_config cfg;
  std::istringstream no_file;
  const std::vector<std::string> args{"--shop.name=tea", "--pulse.redis-url=x"};
  CAF_REQUIRE(!cfg.parse(args, no_file));
  CAF_CHECK_EQUAL(get_or(cfg, "shop.name", ""), "tea");
  CAF_CHECK_EQUAL(url(redis_options_of(cfg)), "x");
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
