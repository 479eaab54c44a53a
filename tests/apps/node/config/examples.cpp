#define CAF_SUITE apps.node.config.examples

#include "pulse-node/config/dump.hpp"
#include "pulse-node/config/file.hpp"
#include "pulse-node/config/keys.hpp"

#include <fstream>
#include <iterator>

#include <caf/test/unit_test.hpp>

// The example in config/ is documentation: it must name every key, and every
// value in it must be the default of the code.

using namespace pulse;
using namespace pulse::apps;

namespace {

const std::string example = PULSE_SOURCE_DIR "/config/pulse-node.toml";

/// The lines of a section of the example, from its header to the next one.
std::string section_of(const std::string& header) {
  std::ifstream in{example};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto begin = text.find("\n" + header + "\n");
  if (begin == std::string::npos)
    return "";
  return text.substr(begin, text.find("\n[", begin + 1) - begin);
}

template <class Section>
void check_keys(const std::string& header) {
  const auto text = section_of(header);
  for (const auto& key : keys_of<Section>()) {
    CAF_MESSAGE(header << " " << key);
    // A key whose default is to be left out is shown as a comment.
    CAF_CHECK(text.find("\n" + key + " = ") != std::string::npos
              || text.find("\n#" + key + " = ") != std::string::npos);
  }
}

} // namespace

CAF_TEST(the example names every key) {
  check_keys<redis_section>("[redis]");
  check_keys<node_section>("[node]");
  check_keys<caf_section>("[caf]");
  check_keys<stream_options>("[[stream]]");
  check_keys<sink_section>("[[sink]]");
  check_keys<reader_section>("[[reader]]");
}

CAF_TEST(the values of the example are the defaults) {
  const auto loaded = load_config(example);
  for (const auto& x : loaded.errors)
    CAF_ERROR(x);
  node_config expected;
  expected.streams.emplace_back().name = "orders";
  auto& sink = expected.sinks.emplace_back();
  sink.options.name = "billing";
  sink.options.streams = {"orders"};
  auto& reader = expected.readers.emplace_back();
  reader.options.name = "audit";
  reader.options.streams = {"orders"};
  CAF_CHECK_EQUAL(dump(loaded.config), dump(expected));
}

CAF_TEST(the configuration of the demo is good) {
  const auto loaded = load_config(PULSE_SOURCE_DIR "/config/demo.toml");
  for (const auto& x : loaded.errors)
    CAF_ERROR(x);
  CAF_CHECK_EQUAL(loaded.config.sinks.size(), 1u);
}
