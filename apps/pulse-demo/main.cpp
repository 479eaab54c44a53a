#include "pulse-demo/demo.hpp"
#include "pulse-demo/lines.hpp"
#include <CLI/CLI.hpp>

#include <iostream>

using namespace pulse::apps;

int main(int argc, char** argv) {
  CLI::App app{"Feeds the lines of a file through a stream to two nodes, and "
               "kills one node.",
               "pulse-demo"};
  std::string file = "/var/log/dpkg.log";
  demo_options options;
  app.add_option("FILE", file, "Text file; each line becomes an event")
    ->type_name("")
    ->capture_default_str();
  app.add_option("--config", options.config, "Configuration of the nodes")
    ->type_name("FILE")
    ->required();
  app.footer("Exit status: 0 nothing was lost, 1 failed, 2 wrong usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  auto lines = read_lines(file);
  if (!lines) {
    std::cerr << lines.error().what << '\n';
    return 2;
  }
  options.lines = std::move(*lines);
  std::cout << "Feeding " << file << ", " << options.lines.size()
            << (options.lines.size() == 1 ? " line.\n" : " lines.\n");
  stop_signals signals;
  return run_demo(options, signals);
}
