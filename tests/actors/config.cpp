#define CAF_SUITE actors.config

#include "pulse/actors/config.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

std::string url(const caf::expected<redis_options>& x) {
  return x ? x->url : describe(x.error());
}

// CAF 0.17.6 has an atom, CAF 1.x a string.
void set_policy(caf::actor_system_config& cfg, const std::string& x) {
#if CAF_MAJOR_VERSION < 1
  cfg.set("scheduler.policy", caf::atom_from_string(x));
#else
  cfg.set("caf.scheduler.policy", x);
#endif
}

bool has_policy(const caf::actor_system_config& cfg, const std::string& x) {
  const auto* value = caf::get_if(&caf::content(cfg),
                                  PULSE_CAF_OPTION("scheduler.policy"));
  return value != nullptr && to_string(*value).find(x) != std::string::npos;
}

// Whether an option has the value that it has without the library.
bool is_untouched(const caf::actor_system_config& cfg,
                  const std::string& name) {
  caf::actor_system_config plain;
  plain.load<caf::io::middleman>();
  const auto* value = caf::get_if(&caf::content(cfg), name);
  const auto* standard = caf::get_if(&caf::content(plain), name);
  return (value != nullptr ? to_string(*value) : "")
         == (standard != nullptr ? to_string(*standard) : "");
}

// The group of the library in a configuration file of CAF.
std::string in_file(const std::string& lines) {
#if CAF_MAJOR_VERSION < 1
  return "[pulse]\n" + lines;
#else
  return "pulse {\n" + lines + "}\n";
#endif
}

size_t num_loaded(caf::actor_system_config& cfg) {
#if CAF_MAJOR_VERSION < 1
  return cfg.module_factories.size();
#else
  // Each loaded module adds its options.
  return cfg.custom_options().size();
#endif
}

} // namespace

CAF_TEST(the values that CAF needs for us are set) {
  config cfg;
  CAF_CHECK(has_policy(cfg, "sharing"));
  CAF_CHECK_EQUAL(
    get_or(cfg, PULSE_CAF_OPTION("scheduler.max-throughput"), size_t{0}), 200u);
  CAF_CHECK(get_or(cfg, PULSE_CAF_OPTION("middleman.heartbeat-interval"),
                   caf::timespan{0})
            == std::chrono::seconds{1});
  CAF_CHECK(get_or(cfg, PULSE_CAF_OPTION("middleman.connection-timeout"),
                   caf::timespan{0})
            == std::chrono::seconds{5});
  const auto ids = get_or(cfg, PULSE_CAF_OPTION("middleman.app-identifiers"),
                          std::vector<std::string>{});
  CAF_CHECK(ids == std::vector<std::string>{"pulse-1"});
}

CAF_TEST(the group pulse says how to connect to Redis) {
  auto read = [](std::vector<std::string> args,
                 const std::string& file) -> caf::expected<redis_options> {
    config cfg;
    std::istringstream in{file};
    if (auto err = cfg.parse(std::move(args), in))
      return err;
    return redis_options_of(cfg);
  };
  CAF_CHECK_EQUAL(url(read({}, "")), redis_options{}.url);
  const auto file = in_file("redis-url = \"redis://file\"\n"
                            "client-name = \"me\"\ncommand-timeout = 250ms\n");
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
#if CAF_MAJOR_VERSION < 1
  for (const auto* wrong :
       {"redis-url = 5", "connect-timeout = 5", "command-timeout = \"5s\""}) {
    const auto mistyped = read({}, in_file(wrong) + "\n");
    CAF_REQUIRE(!mistyped);
    const std::string text = wrong;
    CAF_CHECK_EQUAL(describe(mistyped.error())
                      .find("invalid_option: pulse."
                            + text.substr(0, text.find(' ')) + ": "),
                    0u);
    CAF_MESSAGE(describe(mistyped.error()));
  }
#else
  // CAF 1.x converts what it can, and refuses the rest itself.
  CAF_CHECK(!read({}, in_file("connect-timeout = true\n")));
#endif
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
  namespace fs = std::filesystem;
  const auto before = fs::current_path();
  char name[] = "/tmp/pulse-config-test-XXXXXX";
  fs::current_path(mkdtemp(name));
  std::ofstream{"caf-application.ini"} << "[pulse]\nclient-name=\"other\"\n";
  std::ofstream{"caf-application.conf"} << "pulse.client-name=\"other\"\n";
  config cfg;
  CAF_CHECK(!cfg.parse(std::vector<std::string>{}));
  fs::current_path(before);
  fs::remove_all(name);
  const auto options = redis_options_of(cfg);
  CAF_REQUIRE(options);
  CAF_CHECK_EQUAL(options->client_name, redis_options{}.client_name);
}

CAF_TEST(all message types are registered and the middleman is there) {
  config cfg;
  auto known = [&](const char* name) {
#if CAF_MAJOR_VERSION < 1
    return cfg.value_factories_by_name.count(name) == 1;
#else
    return caf::query_type_id(name) != caf::invalid_type_id;
#endif
  };
  CAF_CHECK(known("pulse::event"));
  CAF_CHECK(known("pulse::sink_actor"));
  CAF_CHECK(known("pulse::root_actor"));
  caf::actor_system sys{cfg};
  CAF_CHECK(sys.has_middleman());
}

CAF_TEST(CAF renders our errors) {
  config cfg;
  caf::actor_system sys{cfg};
  const auto error = make_error({errc::closed, "it was closed"});
#if CAF_MAJOR_VERSION < 1
  const auto text = sys.render(error);
#else
  const auto text = to_string(error);
#endif
  CAF_CHECK(text.find("closed") != std::string::npos);
  CAF_CHECK(text.find("it was closed") != std::string::npos);
}

CAF_TEST(add_pulse keeps what the user has set) {
  const std::vector<std::string> ids{"orders"};
  caf::actor_system_config cfg;
  cfg.load<caf::io::middleman>(); // CAF 1.x then knows its options
  set_policy(cfg, "stealing");
  cfg.set(PULSE_CAF_OPTION("scheduler.max-throughput"), size_t{77})
    .set(PULSE_CAF_OPTION("middleman.heartbeat-interval"), caf::timespan{0})
    .set(PULSE_CAF_OPTION("middleman.app-identifiers"), ids);
  add_pulse(cfg);
  CAF_CHECK(has_policy(cfg, "stealing"));
  CAF_CHECK_EQUAL(
    get_or(cfg, PULSE_CAF_OPTION("scheduler.max-throughput"), size_t{0}), 77u);
  CAF_CHECK(get_or(cfg, PULSE_CAF_OPTION("middleman.heartbeat-interval"),
                   caf::timespan{9})
            == caf::timespan{0});
  CAF_CHECK(get_or(cfg, PULSE_CAF_OPTION("middleman.app-identifiers"),
                   std::vector<std::string>{})
            == ids);
}

CAF_TEST(add_pulse leaves alone what would cut off other nodes) {
  caf::actor_system_config cfg;
  add_pulse(cfg);
  CAF_CHECK(is_untouched(cfg, PULSE_CAF_OPTION("middleman.app-identifiers")));
  CAF_CHECK(
    is_untouched(cfg, PULSE_CAF_OPTION("middleman.connection-timeout")));
  CAF_CHECK(has_policy(cfg, "sharing"));
}

CAF_TEST(a loaded middleman is not loaded again) {
  caf::actor_system_config cfg;
  cfg.load<caf::io::middleman>();
  const auto before = num_loaded(cfg);
  add_pulse(cfg);
  add_pulse(cfg);
  CAF_CHECK_EQUAL(num_loaded(cfg), before);
}

CAF_TEST(nodes with and without the library connect) {
  caf::actor_system_config with;
  caf::actor_system_config without;
  without.load<caf::io::middleman>();
  add_pulse(with);
  for (auto* cfg : {&with, &without})
    cfg->set(PULSE_CAF_OPTION("middleman.app-identifiers"),
             std::vector<std::string>{"orders"});
  caf::actor_system ours{with};
  caf::actor_system theirs{without};
  auto port = ours.middleman().open(0, "127.0.0.1");
  CAF_REQUIRE(port);
  auto node = theirs.middleman().connect("127.0.0.1", *port);
  CAF_REQUIRE(node);
  CAF_CHECK(*node == ours.node());
}
